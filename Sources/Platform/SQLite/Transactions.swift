import CSQLite

extension Connection {
  /// When a transaction takes its locks.
  public enum TransactionKind: String, Sendable, Hashable {
    /// The writer's lock at once, after a wait of at most the busy timeout: for everything that writes.
    case immediate = "IMMEDIATE"
    /// With the first statement: for several reads of one snapshot. A write in it fails at once, whatever the busy
    /// timeout, if another connection wrote since the first read.
    case deferred = "DEFERRED"
    /// Alone, readers excluded unless in write-ahead-log mode.
    case exclusive = "EXCLUSIVE"
  }

  /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
  ///
  /// The closure is synchronous on purpose: an open transaction must not wait for anything else.
  /// - Throws: what `body` throws; `SQLiteError` if the transaction cannot begin or commit (then nothing is changed).
  @discardableResult
  public func transaction<Result>(_ kind: TransactionKind = .immediate, _ body: () throws -> Result) throws -> Result {
    if isInTransaction { throw SQLiteError(.misuse, "a transaction is open already; use savepoint") }
    try execute("BEGIN \(kind.rawValue)")
    do {
      let result = try body()
      try execute("COMMIT")
      return result
    } catch {
      undo("ROLLBACK")
      throw error
    }
  }

  /// Runs `body` in a savepoint, which may be inside a transaction or another savepoint: kept when it returns, undone
  /// when it throws.
  ///
  /// Outside a transaction it is a deferred one: begin an immediate transaction first.
  @discardableResult
  public func savepoint<Result>(_ name: String = "inner", _ body: () throws -> Result) throws -> Result {
    let quoted = SQLText.identifier(name)
    try execute("SAVEPOINT \(quoted)")
    do {
      let result = try body()
      try execute("RELEASE \(quoted)")
      return result
    } catch {
      undo("ROLLBACK TO \(quoted)")
      undo("RELEASE \(quoted)")
      throw error
    }
  }

  /// Runs a statement of the way back, whose own failure has nowhere to go.
  private func undo(_ sql: String) {
    // Full disks, input/output errors and interrupts may have rolled back already. An interrupt meant for the failed
    // statement may hit this one, and a transaction left open would stop the connection for good.
    for _ in 0..<10 where isInTransaction {
      if sqlite3_exec(database, sql, nil, nil, nil) != SQLITE_INTERRUPT { return }
    }
  }
}
