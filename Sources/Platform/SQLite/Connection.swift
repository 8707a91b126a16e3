import CSQLite
import Concurrency
import Synchronization

/// One connection to an SQLite database.
///
/// It is not Sendable and takes no locks of its own (opened `NOMUTEX`): keep it inside an actor whose executor is a
/// private serial queue, because every call may block. One writer and several readers, each in such an actor, work at
/// the same time on a database in write-ahead-log mode.
public final class Connection {
  /// What a connection may do with the file.
  public enum Access: Sendable, Hashable {
    /// Read and write; the file is created if it is missing.
    case readWriteCreate
    /// Read and write an existing file.
    case readWrite
    /// Only read. In write-ahead-log mode SQLite must still be able to write in the folder, unless another
    /// connection is open.
    case readOnly
    /// Only read a file that nothing changes, on read-only media for example: no locks, no log.
    /// Anything still in a `-wal` file is not seen.
    case immutable
  }

  let handle: DatabaseHandle
  private var statements: [String: Statement] = [:]
  private static let cacheCapacity = 200

  /// Opens a database. A file that is no database is noticed only by the first statement.
  /// - Parameters:
  ///   - busyTimeout: how long a call waits for another connection's lock before it fails as busy; at least 0.
  /// - Throws: `SQLiteError`, kind `cannotOpen` for most.
  public init(path: String, access: Access = .readWriteCreate, busyTimeout: Duration = .seconds(5)) throws(SQLiteError)
  {
    var name = path
    var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    switch access {
    case .readWriteCreate: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    case .readWrite: flags |= SQLITE_OPEN_READWRITE
    case .readOnly: flags |= SQLITE_OPEN_READONLY
    case .immutable: flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI
    }
    // ":memory:" and "file:" mean something else to SQLite, and the empty name a temporary database.
    if path.isEmpty { throw SQLiteError(.cannotOpen, "the path of the database is empty") }
    if path.utf8.contains(0) { throw SQLiteError(.cannotOpen, "the path of the database contains a NUL byte") }
    if path.hasPrefix(":") || path.hasPrefix("file:") { name = "./" + path }
    if access == .immutable { name = "file:\(Self.uriEncoded(name))?immutable=1" }
    handle = try DatabaseHandle(name: name, flags: flags, path: path)
    try configure(busyTimeout: busyTimeout)
  }

  private init(memory: Void) throws(SQLiteError) {
    handle = try DatabaseHandle(
      name: ":memory:", flags: SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
      path: ":memory:")
    try configure(busyTimeout: .zero)
  }

  /// Opens a private database in memory.
  public static func inMemory() throws(SQLiteError) -> Connection { try Connection(memory: ()) }

  private func configure(busyTimeout: Duration) throws(SQLiteError) {
    let seconds = min(max(0, busyTimeout / .seconds(1)), 2_000_000)
    sqlite3_busy_timeout(database, Int32(seconds * 1000))
    // A hostile file must not run functions with side effects from its schema, nor a statement damage the file.
    try handle.check(csqlite_set_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0))
    try handle.check(csqlite_set_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1))
    try handle.check(csqlite_set_config(database, SQLITE_DBCONFIG_ENABLE_FKEY, 1))
  }

  /// Percent-encodes what has a meaning in a URI filename (sqlite.org/uri.html).
  private static func uriEncoded(_ path: String) -> String {
    path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
  }

  var database: OpaquePointer { handle.database }

  /// The version of the SQLite library at run time, such as `3.40.1`.
  public static var libraryVersion: String { String(cString: sqlite3_libversion()) }

  /// The path as given on opening; `:memory:` for one in memory.
  public var path: String { handle.path }

  /// Stops this connection's statements from any thread; see `cancellable`.
  public var interruptHandle: InterruptHandle { handle.interruptHandle }

  /// Whether the file could only be opened for reading, whatever was asked for.
  public var isReadOnly: Bool { sqlite3_db_readonly(database, "main") == 1 }
  /// The rowid of this connection's latest insert.
  public var lastInsertRowID: Int64 { sqlite3_last_insert_rowid(database) }
  /// The rows that this connection's latest statement inserted, updated or deleted (those of triggers not counted).
  public var changes: Int { Int(sqlite3_changes64(database)) }
  /// Whether a transaction is open. Some errors (full, input/output, interrupted) end one by themselves.
  public var isInTransaction: Bool { sqlite3_get_autocommit(database) == 0 }

  /// Compiles one statement for the caller to keep.
  public func prepare(_ sql: String) throws(SQLiteError) -> Statement { try Statement(sql, handle: handle) }

  /// Lends a compiled statement from the connection's cache, reset and without bindings.
  ///
  /// Nested use of the same text gets a statement of its own. Do not let it escape.
  public func withStatement<Result>(_ sql: String, _ body: (Statement) throws -> Result) throws -> Result {
    let statement = try statements.removeValue(forKey: sql) ?? Statement(sql, handle: handle)
    defer {
      statement.reset()
      statement.clearBindings()
      if statements.count >= Self.cacheCapacity, let any = statements.keys.first { statements[any] = nil }
      statements[sql] = statement
    }
    return try body(statement)
  }

  /// Runs SQL text of any number of statements, without values or results: schemas, pragmas.
  public func execute(_ script: String) throws(SQLiteError) {
    let code = sqlite3_exec(database, script, nil, nil, nil)
    if code != SQLITE_OK { throw SQLiteError(code: code, database: database, sql: script) }
  }

  /// Runs one statement with values and returns the number of rows it changed; rows that it returns are passed over.
  @discardableResult
  public func run(_ sql: String, _ values: (any Bindable)?...) throws -> Int {
    try withStatement(sql) { statement in
      try statement.bind(values)
      return try statement.run()
    }
  }

  /// Calls `body` for each row of a query.
  public func forEach(_ sql: String, _ values: (any Bindable)?..., body: (Row) throws -> Void) throws {
    try withStatement(sql) { statement in
      try statement.bind(values)
      while try statement.step() { try body(statement.row) }
    }
  }

  /// All rows of a query, each made into a value.
  public func map<Value>(_ sql: String, _ values: (any Bindable)?..., row: (Row) throws -> Value) throws -> [Value] {
    try withStatement(sql) { statement in
      try statement.bind(values)
      var all: [Value] = []
      while try statement.step() { all.append(try row(statement.row)) }
      return all
    }
  }

  /// The first row of a query made into a value; `nil` if there is none.
  public func first<Value>(_ sql: String, _ values: (any Bindable)?..., row: (Row) throws -> Value) throws -> Value? {
    try withStatement(sql) { statement in
      try statement.bind(values)
      return try statement.step() ? try row(statement.row) : nil
    }
  }

  /// Runs `body`, and interrupts it when the task is cancelled, also between two of its statements.
  ///
  /// Call it in the method of the actor that owns the connection. The connection stays usable.
  /// - Throws: `CancellationError` for what was interrupted.
  public func cancellable<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () throws -> Result
  ) async throws -> Result {
    try Task.checkCancellation()
    let interrupt = handle.interruptHandle
    defer { interrupt.isPending.store(false, ordering: .relaxed) }
    do {
      return try await withTaskCancellationHandler {
        // A closure belongs to an isolated parameter's actor only if it names it. Otherwise it runs on the shared pool
        // while the actor takes its next call: two threads on one connection, which ruins the file.
        isolation?.preconditionIsolated()
        return try body()
      } onCancel: {
        interrupt.isPending.store(true, ordering: .relaxed)
        interrupt.interrupt()
      }
    } catch let error as SQLiteError where error.isInterrupted && Task.isCancelled {
      throw CancellationError()
    }
  }
}

/// An open `sqlite3`, closed when the connection and the last of its statements are gone.
final class DatabaseHandle {
  let database: OpaquePointer
  let path: String
  let interruptHandle: InterruptHandle
  /// Whether FTS5 knows the function of `withFullText`.
  var hasFullText = false

  init(name: String, flags: Int32, path: String) throws(SQLiteError) {
    var opened: OpaquePointer?
    let code = sqlite3_open_v2(name, &opened, flags, nil)
    guard code == SQLITE_OK, let opened else {
      let error = SQLiteError(code: code, database: opened)
      // A failed open leaves an object to close too.
      sqlite3_close_v2(opened)
      throw SQLiteError(copying: error, message: "'\(path)': \(error.message)")
    }
    database = opened
    self.path = path
    interruptHandle = InterruptHandle(opened)
  }

  deinit {
    interruptHandle.markClosed()
    sqlite3_close_v2(database)
  }

  func check(_ code: Int32, sql: String? = nil) throws(SQLiteError) {
    if code != SQLITE_OK { throw SQLiteError(code: code, database: database, sql: sql) }
  }
}
