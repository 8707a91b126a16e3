import CSQLite
import Synchronization

/// A compiled statement: bind values, then step through its rows, then reset.
///
/// It keeps its database open and belongs to the same thread or actor as its connection.
public final class Statement {
  /// The text it was compiled from.
  public let sql: String
  private let handle: DatabaseHandle
  let pointer: OpaquePointer

  init(_ sql: String, handle: DatabaseHandle) throws(SQLiteError) {
    var compiled: OpaquePointer?
    var hasTail = false
    var text = sql
    let code = text.withUTF8 { text -> Int32 in
      guard let start = text.baseAddress, text.count <= Int(Int32.max) else { return SQLITE_TOOBIG }
      var tail: UnsafePointer<CChar>?
      let characters = UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self)
      let code = sqlite3_prepare_v3(
        handle.database, characters, Int32(text.count), UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, &tail)
      if code == SQLITE_OK, let tail {
        let used = tail - characters
        hasTail = text[used...].contains { !" \n\t\r;".utf8.contains($0) }
      }
      return code
    }
    try handle.check(code, sql: sql)
    guard let compiled else { throw SQLiteError(.misuse, "there is no statement in the text", sql: sql) }
    self.sql = sql
    self.handle = handle
    pointer = compiled
    if hasTail { throw SQLiteError(.misuse, "more than one statement; use execute", sql: sql) }
  }

  deinit {
    sqlite3_finalize(pointer)
  }

  /// The number of parameters.
  public var parameterCount: Int { Int(sqlite3_bind_parameter_count(pointer)) }
  /// The number of columns of its rows; 0 if it returns none.
  public var columnCount: Int { Int(sqlite3_column_count(pointer)) }
  /// Whether the statement leaves the database unchanged.
  public var isReadOnly: Bool { sqlite3_stmt_readonly(pointer) != 0 }
  /// A column's name as the query gives it.
  public func columnName(_ column: Int) -> String {
    sqlite3_column_name(pointer, Int32(column)).map { String(cString: $0) } ?? ""
  }

  // MARK: Values

  /// Binds a value for every parameter, in order, after a reset.
  /// - Throws: `SQLiteError` of kind `misuse` if their number is not the parameters'.
  public func bind(_ values: (any Bindable)?...) throws(SQLiteError) { try bind(values) }

  /// Binds a value for every parameter, in order, after a reset.
  public func bind(_ values: [(any Bindable)?]) throws(SQLiteError) {
    if values.count != parameterCount {
      throw SQLiteError(.misuse, "\(values.count) values for \(parameterCount) parameters", sql: sql)
    }
    reset()
    for (index, value) in values.enumerated() { try bind(value, at: index + 1) }
  }

  /// Binds one parameter, numbered from 1; `nil` is NULL. The statement must be reset.
  public func bind(_ value: (any Bindable)?, at index: Int) throws(SQLiteError) {
    try handle.check(value?.bind(to: self, at: Int32(index)) ?? sqlite3_bind_null(pointer, Int32(index)), sql: sql)
  }

  /// Binds a named parameter; `name` with its prefix, such as `:id`. The statement must be reset.
  public func bind(_ value: (any Bindable)?, to name: String) throws(SQLiteError) {
    let index = sqlite3_bind_parameter_index(pointer, name)
    if index == 0 { throw SQLiteError(.misuse, "there is no parameter \(name)", sql: sql) }
    try bind(value, at: Int(index))
  }

  /// Makes every parameter NULL.
  public func clearBindings() { sqlite3_clear_bindings(pointer) }

  // MARK: Rows

  /// Goes to the next row; false after the last, with the statement then reset.
  public func step() throws(SQLiteError) -> Bool {
    if handle.interruptHandle.isPending.load(ordering: .relaxed) {
      reset()
      throw SQLiteError(.interrupted, "interrupted", sql: sql)
    }
    switch sqlite3_step(pointer) {
    case SQLITE_ROW: return true
    case SQLITE_DONE:
      sqlite3_reset(pointer)
      return false
    case let code:
      let error = SQLiteError(code: code, database: handle.database, sql: sql)
      sqlite3_reset(pointer)
      throw error
    }
  }

  /// Runs to the end and returns the number of rows that the statement changed.
  @discardableResult
  public func run() throws(SQLiteError) -> Int {
    let before = sqlite3_total_changes64(handle.database)
    while try step() {}
    // `sqlite3_changes` keeps the count of an earlier statement when this one changes nothing.
    return sqlite3_total_changes64(handle.database) == before ? 0 : Int(sqlite3_changes64(handle.database))
  }

  /// The row that `step()` went to; valid until the next step or reset.
  public var row: Row { Row(statement: self) }

  /// Ends the rows, so that the statement holds no lock and no snapshot; bindings stay.
  public func reset() {
    // The error it returns is that of the last step, already thrown.
    sqlite3_reset(pointer)
  }
}

/// The current row of a statement: columns from 0, converted as SQLite does; NULL reads as 0 or empty.
public struct Row {
  let statement: Statement
  private var pointer: OpaquePointer { statement.pointer }

  init(statement: Statement) {
    self.statement = statement
  }

  /// The number of columns.
  public var count: Int { Int(sqlite3_data_count(pointer)) }
  /// Whether a column is NULL.
  public func isNull(_ column: Int) -> Bool { sqlite3_column_type(pointer, Int32(column)) == SQLITE_NULL }

  /// An integer column.
  public func integer(_ column: Int) -> Int64 { sqlite3_column_int64(pointer, Int32(column)) }
  /// An integer column as `Int`.
  public func int(_ column: Int) -> Int { Int(integer(column)) }
  /// A column of 0 and 1.
  public func bool(_ column: Int) -> Bool { integer(column) != 0 }
  /// A floating-point column.
  public func double(_ column: Int) -> Double { sqlite3_column_double(pointer, Int32(column)) }

  /// A text column; bytes that are not UTF-8 are replaced.
  public func text(_ column: Int) -> String {
    // The order matters: the text call may convert, and the count is that of the converted text.
    guard let start = sqlite3_column_text(pointer, Int32(column)) else { return "" }
    let count = Int(sqlite3_column_bytes(pointer, Int32(column)))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// A blob column, copied.
  public func bytes(_ column: Int) -> [UInt8] { withBytes(column) { [UInt8]($0) } }

  /// A blob column where SQLite has it: no copy. The buffer is valid only inside `body`, which must not step.
  public func withBytes<Result, Failure: Error>(
    _ column: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let start = sqlite3_column_blob(pointer, Int32(column))
    let count = start == nil ? 0 : Int(sqlite3_column_bytes(pointer, Int32(column)))
    return try body(UnsafeRawBufferPointer(start: start, count: count))
  }

  /// `integer`, with NULL as `nil`.
  public func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }
  /// `int`, with NULL as `nil`.
  public func optionalInt(_ column: Int) -> Int? { isNull(column) ? nil : int(column) }
  /// `double`, with NULL as `nil`.
  public func optionalDouble(_ column: Int) -> Double? { isNull(column) ? nil : double(column) }
  /// `text`, with NULL as `nil`.
  public func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
  /// `bytes`, with NULL as `nil`.
  public func optionalBytes(_ column: Int) -> [UInt8]? { isNull(column) ? nil : bytes(column) }
}
