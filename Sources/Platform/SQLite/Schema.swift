/// One step of a database's history. Once released, a step is never changed: add another.
public struct Migration: Sendable {
  /// What it brings, in a few words, for messages.
  public let name: String
  let apply: @Sendable (Connection) throws -> Void

  /// A step in Swift; it runs inside a transaction.
  public init(_ name: String, apply: @escaping @Sendable (Connection) throws -> Void) {
    self.name = name
    self.apply = apply
  }

  /// A step in SQL; it runs inside a transaction.
  public init(_ name: String, sql: String) {
    self.init(name) { connection in try connection.execute(sql) }
  }
}

/// The owner and the history of a database: how it came to be what the program expects.
///
/// SQLite's own header carries both: `application_id` says whose file it is, `user_version` how many steps it has.
public struct Schema: Sendable {
  /// The application's number in the file's header; not 0.
  public let applicationID: Int32
  /// The application's name, for messages.
  public let name: String
  /// The steps, oldest first; the version is their number.
  public let migrations: [Migration]

  /// Creates a schema of at least one step.
  public init(applicationID: Int32, name: String, migrations: [Migration]) {
    precondition(applicationID != 0 && !migrations.isEmpty, "a schema has a number and at least one step")
    self.applicationID = applicationID
    self.name = name
    self.migrations = migrations
  }

  /// The version that the program expects.
  public var version: Int { migrations.count }

  /// Brings the database to this schema and returns the names of the steps that were run.
  ///
  /// Each step and its version number commit together, so a crash leaves a database between two steps, never in one.
  /// Of several processes that open it at once, one runs each step.
  /// - Throws: `SQLiteError` of kind `foreign`, `newerSchema`, or what a step throws.
  @discardableResult
  public func migrate(_ connection: Connection) throws -> [String] {
    var done: [String] = []
    while try snapshotVersion(of: connection) < version {
      try connection.transaction(.immediate) {
        // Read again under the lock: another process may have been quicker.
        let stored = try storedVersion(of: connection)
        guard stored < version else { return }
        try migrations[stored].apply(connection)
        try connection.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(stored + 1)")
        done.append(migrations[stored].name)
      }
    }
    return done
  }

  /// Checks that the database has exactly this schema, without writing.
  /// - Throws: `SQLiteError` of kind `foreign`, `newerSchema` or `outdatedSchema`.
  public func verify(_ connection: Connection) throws {
    let stored = try snapshotVersion(of: connection)
    if stored < version {
      throw SQLiteError(
        .outdatedSchema,
        "'\(connection.path)' has version \(stored) of the \(name) schema; this program needs \(version) "
          + "('\(migrations[version - 1].name)')")
    }
  }

  /// The version read in a transaction: its three reads must not straddle another process's first migration.
  private func snapshotVersion(of connection: Connection) throws -> Int {
    try connection.transaction(.deferred) { try storedVersion(of: connection) }
  }

  private func storedVersion(of connection: Connection) throws -> Int {
    let owner = try connection.pragma("application_id")
    let stored = Int(try connection.pragma("user_version"))
    if owner != Int64(applicationID) {
      let objects = try connection.first("SELECT count(*) FROM sqlite_schema") { $0.int(0) } ?? 0
      // An empty file is a valid, empty database: it becomes ours.
      guard owner == 0, stored == 0, objects == 0 else {
        throw SQLiteError(
          .foreign,
          "'\(connection.path)' is a database of another application (application id \(owner)), not of \(name)"
        )
      }
    }
    guard (0...version).contains(stored) else {
      throw SQLiteError(
        .newerSchema,
        "'\(connection.path)' has version \(stored) of the \(name) schema; this program knows up to \(version) "
          + "('\(migrations[version - 1].name)')")
    }
    return stored
  }
}
