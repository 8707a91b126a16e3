import CSQLite

/// A value that can stand for a statement's parameter.
///
/// Numbers, text, bytes and raw buffers conform. SQLite copies text and bytes, so the value need not outlive the call.
public protocol Bindable {
  /// Binds the value to the parameter numbered `index` from 1 and returns SQLite's result code.
  func bind(to statement: Statement, at index: Int32) -> Int32
}

/// SQLITE_TRANSIENT ("copy it"), a macro with a cast that is not imported. Computed, as it is not Sendable.
private var copying: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

extension Int64: Bindable {
  /// Binds an INTEGER.
  public func bind(to statement: Statement, at index: Int32) -> Int32 {
    sqlite3_bind_int64(statement.pointer, index, self)
  }
}

extension Int: Bindable {
  /// Binds an INTEGER.
  public func bind(to statement: Statement, at index: Int32) -> Int32 {
    sqlite3_bind_int64(statement.pointer, index, Int64(self))
  }
}

extension Int32: Bindable {
  /// Binds an INTEGER.
  public func bind(to statement: Statement, at index: Int32) -> Int32 {
    sqlite3_bind_int64(statement.pointer, index, Int64(self))
  }
}

extension Bool: Bindable {
  /// Binds an INTEGER, 0 or 1.
  public func bind(to statement: Statement, at index: Int32) -> Int32 {
    sqlite3_bind_int64(statement.pointer, index, self ? 1 : 0)
  }
}

extension Double: Bindable {
  /// Binds a REAL. SQLite stores NaN as NULL.
  public func bind(to statement: Statement, at index: Int32) -> Int32 {
    sqlite3_bind_double(statement.pointer, index, self)
  }
}

extension String: Bindable {
  /// Binds a TEXT, NUL characters included.
  public func bind(to statement: Statement, at index: Int32) -> Int32 {
    var text = self
    return text.withUTF8 { bytes in
      // An empty string may have no address, and a null pointer binds NULL.
      if bytes.isEmpty { return sqlite3_bind_text(statement.pointer, index, "", 0, copying) }
      return bytes.withMemoryRebound(to: CChar.self) {
        sqlite3_bind_text64(statement.pointer, index, $0.baseAddress, UInt64($0.count), copying, UInt8(SQLITE_UTF8))
      }
    }
  }
}

extension Array: Bindable where Element == UInt8 {
  /// Binds a BLOB.
  public func bind(to statement: Statement, at index: Int32) -> Int32 {
    withUnsafeBytes { $0.bind(to: statement, at: index) }
  }
}

extension UnsafeRawBufferPointer: Bindable {
  /// Binds a BLOB with a copy of the buffer.
  public func bind(to statement: Statement, at index: Int32) -> Int32 {
    if isEmpty { return sqlite3_bind_zeroblob(statement.pointer, index, 0) }
    return sqlite3_bind_blob64(statement.pointer, index, baseAddress, UInt64(count), copying)
  }
}
