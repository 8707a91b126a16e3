import CSQLite
import Glibc

extension Connection {
  /// The integer value of a pragma, such as `user_version`.
  public func pragma(_ name: String) throws -> Int64 {
    try first("PRAGMA \(SQLText.identifier(name))") { $0.integer(0) } ?? 0
  }

  /// A number that changes when another connection commits; compare it only with this connection's earlier values.
  public func dataVersion() throws -> Int64 { try pragma("data_version") }

  /// Turns on the write-ahead log, with which readers and a writer do not wait for each other. It stays on in the file.
  /// - Throws: `SQLiteError` if SQLite kept another mode (a file system without shared memory).
  public func useWriteAheadLog() throws {
    let mode = try first("PRAGMA journal_mode = WAL") { $0.text(0) } ?? ""
    if mode != "wal" { throw SQLiteError(.other, "'\(path)' cannot use a write-ahead log (mode '\(mode)')") }
  }

  /// How much a commit waits for the disk.
  public enum Synchronous: Int32, Sendable, Hashable {
    /// Not at all: a power cut may destroy the database.
    case off = 0
    /// With the write-ahead log, a power cut loses the latest commits but harms nothing.
    case normal = 1
    /// A commit survives a power cut.
    case full = 2
  }

  /// Sets how much commits of this connection wait for the disk.
  public func setSynchronous(_ level: Synchronous) throws(SQLiteError) {
    try execute("PRAGMA synchronous = \(level.rawValue)")
  }

  /// Sets the memory for pages of this connection, KiB. SQLite's default is 2,000.
  public func setCacheSize(kibibytes: Int) throws(SQLiteError) {
    try execute("PRAGMA cache_size = \(-max(0, kibibytes))")
  }

  /// Sets how many bytes of the file may be mapped into memory rather than read; 0 turns it off.
  public func setMemoryMapSize(bytes: Int) throws(SQLiteError) {
    try execute("PRAGMA mmap_size = \(max(0, bytes))")
  }

  /// Whether foreign keys are enforced; on unless set otherwise. Without effect inside a transaction.
  public func setForeignKeys(_ isOn: Bool) throws(SQLiteError) {
    try handle.check(csqlite_set_config(database, SQLITE_DBCONFIG_ENABLE_FKEY, isOn ? 1 : 0))
  }

  /// Whether statements that can damage the file (writes to full-text tables' own tables, say) are refused; on unless
  /// set otherwise. For tests that damage a file on purpose.
  public func setDefensive(_ isOn: Bool) throws(SQLiteError) {
    try handle.check(csqlite_set_config(database, SQLITE_DBCONFIG_DEFENSIVE, isOn ? 1 : 0))
  }

  /// A bound that SQLite keeps per connection (sqlite.org/limits.html).
  public enum Limit: Int32, Sendable, Hashable, CaseIterable {
    /// Bytes of a text, a blob or a row.
    case length = 0
    /// Bytes of a statement's text.
    case sqlLength = 1
    /// Columns of a table, an index or a result.
    case columns = 2
    /// The depth of an expression.
    case expressionDepth = 3
    /// Terms of a compound SELECT.
    case compoundSelect = 4
    /// Bytes of a LIKE or GLOB pattern.
    case likePattern = 8
    /// The highest parameter number.
    case parameters = 9
  }

  /// Sets a limit and returns the former one. Values above the library's own maximum are lowered to it.
  @discardableResult
  public func setLimit(_ limit: Limit, to value: Int) -> Int {
    Int(sqlite3_limit(database, limit.rawValue, Int32(clamping: max(0, value))))
  }

  /// How a checkpoint treats other connections.
  public enum CheckpointMode: Int32, Sendable, Hashable {
    /// Does what it can without waiting.
    case passive = 0
    /// Waits for the writer.
    case full = 1
    /// Waits for readers too and makes the log's file empty.
    case truncate = 3
  }

  /// Moves pages from the write-ahead log into the database; returns whether the log is moved completely.
  /// - Throws: `SQLiteError`, busy if others held it longer than the busy timeout.
  public func checkpoint(_ mode: CheckpointMode = .passive) throws(SQLiteError) -> Bool {
    var logFrames: Int32 = 0
    var movedFrames: Int32 = 0
    try handle.check(sqlite3_wal_checkpoint_v2(database, nil, mode.rawValue, &logFrames, &movedFrames))
    return logFrames == movedFrames
  }

  /// Looks for damage without comparing indexes with tables; the problems found, none if it is sound.
  public func quickCheck() throws -> [String] { try problems("PRAGMA quick_check") }

  /// Looks for damage everywhere, indexes and constraints included; slow. The problems found, none if it is sound.
  public func integrityCheck() throws -> [String] { try problems("PRAGMA integrity_check") }

  /// The same for one table and its indexes (`sqlite_schema` for the schema itself). Free pages, and pages that belong
  /// to nothing, are looked at by the check of the whole file only.
  public func integrityCheck(table: String) throws -> [String] {
    try problems("PRAGMA integrity_check(\(SQLText.identifier(table)))")
  }

  private func problems(_ sql: String) throws -> [String] {
    var lines: [String] = []
    do {
      try forEach(sql) { lines.append($0.text(0)) }
    } catch let error as SQLiteError where error.isCorrupt {
      // Some damage stops the check itself.
      lines.append(error.message)
    }
    return lines == ["ok"] ? [] : lines
  }

  /// Copies the whole database into another file, replacing what is there, while others go on working.
  ///
  /// - Parameters:
  ///   - pagesPerStep: pages copied at one go, with the source locked for reading; between two steps others may
  ///     write. A write by another process makes the copy begin again.
  ///   - progress: called after each step with the pages left and the total; throw to give up.
  /// - Throws: `SQLiteError`, busy if no step succeeded for 10 s; what `progress` throws.
  public func backup(
    to path: String, pagesPerStep: Int = 1000, progress: (_ remaining: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws {
    let target = try Connection(path: path)
    guard let backup = sqlite3_backup_init(target.database, "main", database, "main") else {
      throw SQLiteError(code: sqlite3_errcode(target.database), database: target.database)
    }
    defer { sqlite3_backup_finish(backup) }
    var patience = 1000
    while true {
      let code = sqlite3_backup_step(backup, Int32(clamping: max(1, pagesPerStep)))
      switch code {
      case SQLITE_DONE: return
      case SQLITE_OK:
        patience = 1000
        try progress(Int(sqlite3_backup_remaining(backup)), Int(sqlite3_backup_pagecount(backup)))
      case SQLITE_BUSY where patience > 0, SQLITE_LOCKED where patience > 0:
        patience -= 1
        usleep(10_000)
      default: throw SQLiteError(code: code, database: target.database)
      }
    }
  }
}
