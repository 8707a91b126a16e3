import Foundation
import SQLite
import Testing

private struct Stop: Error {}

@Suite struct TransactionTests {
  let folder: TemporaryFolder
  let connection: Connection

  init() throws {
    folder = try TemporaryFolder()
    connection = try Connection(path: folder.file(), busyTimeout: .zero)
    try connection.useWriteAheadLog()
    try connection.execute("CREATE TABLE t (x INTEGER UNIQUE)")
  }

  private func values(of connection: Connection) throws -> [Int] {
    try connection.map("SELECT x FROM t ORDER BY x") { $0.int(0) }
  }

  @Test func commits_whenTheBodyReturns() throws {
    #expect(try connection.transaction { try connection.run("INSERT INTO t VALUES (1)") } == 1)
    #expect(try values(of: Connection(path: folder.file())) == [1])
    #expect(!connection.isInTransaction)
  }

  @Test func rollsBack_whenTheBodyThrows() throws {
    #expect(throws: Stop.self) {
      try connection.transaction {
        try connection.run("INSERT INTO t VALUES (1)")
        throw Stop()
      }
    }
    #expect(try values(of: connection) == [])
    #expect(!connection.isInTransaction)
  }

  @Test func undoesOnlyTheSavepoint_whenItThrows() throws {
    try connection.transaction {
      try connection.run("INSERT INTO t VALUES (1)")
      #expect(throws: Stop.self) {
        try connection.savepoint(#"in"ner"#) {
          try connection.run("INSERT INTO t VALUES (2)")
          throw Stop()
        }
      }
      try connection.savepoint { try connection.run("INSERT INTO t VALUES (3)") }
    }
    #expect(try values(of: connection) == [1, 3])
  }

  @Test func refusesATransactionInsideAnother() throws {
    let error = #expect(throws: SQLiteError.self) {
      try connection.transaction { try connection.transaction {} }
    }
    #expect(error?.kind == .misuse)
    #expect(!connection.isInTransaction)
  }

  @Test func failsAsBusy_whenAnotherConnectionWrites() throws {
    let other = try Connection(path: folder.file(), busyTimeout: .milliseconds(20))
    try connection.transaction {
      let error = #expect(throws: SQLiteError.self) { try other.transaction {} }
      #expect(error?.isBusy == true && error?.code == "sqlite.busy")
      // Readers go on, with what was committed.
      let seen = try values(of: other)
      #expect(seen == [])
    }
    try other.transaction { try other.run("INSERT INTO t VALUES (5)") }
    #expect(try values(of: connection) == [5])
  }

  @Test func failsAsBusySnapshot_whenAReadTransactionUpgradesTooLate() throws {
    let other = try Connection(path: folder.file())
    let error = #expect(throws: SQLiteError.self) {
      try other.transaction(.deferred) {
        _ = try values(of: other)
        try connection.run("INSERT INTO t VALUES (1)")
        try other.run("INSERT INTO t VALUES (2)")
      }
    }
    #expect(error?.isBusySnapshot == true)
    #expect(try values(of: other) == [1])
  }

  @Test func seesOneSnapshot_inAReadTransaction() throws {
    let other = try Connection(path: folder.file(), access: .readOnly)
    try other.transaction(.deferred) {
      #expect(try values(of: other) == [])
      try connection.run("INSERT INTO t VALUES (1)")
      #expect(try values(of: other) == [])
    }
    #expect(try values(of: other) == [1])
  }

  @Test func namesTheConstraint_whenARowViolatesIt() throws {
    try connection.run("INSERT INTO t VALUES (1)")
    let error = #expect(throws: SQLiteError.self) { try connection.run("INSERT INTO t VALUES (1)") }
    #expect(error?.isConstraint == true && error?.isUniqueViolation == true)
    #expect(error?.message.contains("t.x") == true)
    #expect(error?.sql == "INSERT INTO t VALUES (1)")
  }

  @Test func failsAsFull_changesNothing_andStillReads() throws {
    try connection.execute("CREATE TABLE blobs (b); PRAGMA max_page_count = 20")
    let error = #expect(throws: SQLiteError.self) {
      try connection.transaction {
        for _ in 0..<100 { try connection.run("INSERT INTO blobs VALUES (?)", [UInt8](repeating: 7, count: 4000)) }
      }
    }
    #expect(error?.isFull == true)
    #expect(!connection.isInTransaction)
    #expect(try connection.first("SELECT count(*) FROM blobs") { $0.int(0) } == 0)
  }

  @Test func changesItsDataVersion_whenAnotherConnectionCommits() throws {
    let other = try Connection(path: folder.file())
    let before = try connection.dataVersion()
    try connection.run("INSERT INTO t VALUES (1)")
    #expect(try connection.dataVersion() == before)
    try other.run("INSERT INTO t VALUES (2)")
    #expect(try connection.dataVersion() != before)
  }

  @Test func enforcesForeignKeys() throws {
    try connection.execute("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p)")
    let error = #expect(throws: SQLiteError.self) { try connection.run("INSERT INTO c VALUES (9)") }
    #expect(error?.isConstraint == true && error?.isUniqueViolation == false)
  }
}

@Suite struct SchemaTests {
  let folder: TemporaryFolder
  let one = Migration("one", sql: "CREATE TABLE a (x)")
  let two = Migration("two") { try $0.execute("CREATE TABLE b (y); INSERT INTO a VALUES (1)") }

  init() throws { folder = try TemporaryFolder() }

  private func schema(_ migrations: Migration...) -> Schema {
    Schema(applicationID: 0x7465_7374, name: "test", migrations: migrations)
  }

  @Test func runsEachStepOnce() throws {
    let connection = try Connection(path: folder.file())
    #expect(try schema(one).migrate(connection) == ["one"])
    #expect(try schema(one, two).migrate(connection) == ["two"])
    #expect(try schema(one, two).migrate(connection) == [])
    #expect(try connection.pragma("user_version") == 2)
    #expect(try connection.pragma("application_id") == 0x7465_7374)
    try schema(one, two).verify(connection)
  }

  @Test func leavesNothingOfAStep_thatFails() throws {
    let connection = try Connection(path: folder.file())
    let broken = Migration("broken", sql: "CREATE TABLE b (y); INSERT INTO nowhere VALUES (1)")
    #expect(throws: SQLiteError.self) { try schema(one, broken).migrate(connection) }
    #expect(try connection.map("SELECT name FROM sqlite_schema") { $0.text(0) } == ["a"])
    #expect(try connection.pragma("user_version") == 1)
    #expect(try schema(one, two).migrate(connection) == ["two"])
  }

  @Test func refusesANewerSchema_byNumber() throws {
    let connection = try Connection(path: folder.file())
    try schema(one, two).migrate(connection)
    let error = #expect(throws: SQLiteError.self) { try schema(one).migrate(connection) }
    #expect(error?.kind == .newerSchema)
    #expect(error?.message.contains("version 2") == true && error?.message.contains("up to 1 ('one')") == true)
  }

  @Test func refusesAForeignDatabase() throws {
    for script in ["CREATE TABLE theirs (x)", "PRAGMA application_id = 42", "PRAGMA user_version = 3"] {
      let connection = try Connection.inMemory()
      try connection.execute(script)
      let error = #expect(throws: SQLiteError.self, "\(script)") { try schema(one).migrate(connection) }
      #expect(error?.kind == .foreign)
    }
  }

  @Test func asksForMigration_whenOpenedOnlyForReading() throws {
    try schema(one).migrate(Connection(path: folder.file()))
    let reader = try Connection(path: folder.file(), access: .readOnly)
    try schema(one).verify(reader)
    let error = #expect(throws: SQLiteError.self) { try schema(one, two).verify(reader) }
    #expect(error?.kind == .outdatedSchema)
  }

  @Test func runsEachStepOnce_whenManyOpenAtOnce() async throws {
    let path = folder.file()
    let schema = schema(one, two)
    let runs = try await withThrowingTaskGroup(of: [String].self) { group in
      for _ in 0..<4 { group.addTask { try schema.migrate(Connection(path: path)) } }
      return try await group.reduce(into: [String]()) { $0 += $1 }
    }
    #expect(runs.sorted() == ["one", "two"])
  }
}
