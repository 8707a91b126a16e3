import Concurrency
import Foundation
import SQLite
import Testing

@Suite struct ConnectionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func filled(_ path: String) throws -> Connection {
    let connection = try Connection(path: path)
    try connection.execute("CREATE TABLE t (x)")
    try connection.transaction {
      for number in 0..<2000 { try connection.run("INSERT INTO t VALUES (?)", "row \(number) of the table") }
    }
    return connection
  }

  @Test func failsAsCannotOpen_whenTheFolderIsMissing() {
    let error = #expect(throws: SQLiteError.self) { try Connection(path: "/no/such/folder/x.sqlite") }
    #expect(error?.kind == .cannotOpen)
    #expect(error?.message.contains("/no/such/folder/x.sqlite") == true)
  }

  @Test func failsAsCannotOpen_whenTheFileIsMissing_andMayNotBeCreated() throws {
    for access in [Connection.Access.readWrite, .readOnly, .immutable] {
      let error = #expect(throws: SQLiteError.self) {
        // An immutable one is opened lazily.
        try Connection(path: folder.file(), access: access).execute("SELECT * FROM sqlite_schema")
      }
      #expect(error?.kind == .cannotOpen)
    }
    #expect(!FileManager.default.fileExists(atPath: folder.file()))
  }

  @Test func failsAsNotADatabase_whenTheFileIsSomethingElse() throws {
    try Data(repeating: 65, count: 5000).write(to: URL(fileURLWithPath: folder.file()))
    let connection = try Connection(path: folder.file())
    let error = #expect(throws: SQLiteError.self) { try connection.first("SELECT 1 FROM sqlite_schema") { $0.int(0) } }
    #expect(error?.isNotADatabase == true)
  }

  @Test func findsDamage() throws {
    let path = folder.file()
    _ = try filled(path)
    #expect(try Connection(path: path).quickCheck() == [])
    #expect(try Connection(path: path).integrityCheck() == [])
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.seek(toOffset: 4096 * 3)
    try file.write(contentsOf: Data(repeating: 0xEE, count: 4096))
    try file.close()
    let damaged = try Connection(path: path)
    #expect(try !damaged.quickCheck().isEmpty)
    let error = #expect(throws: SQLiteError.self) { try damaged.first("SELECT sum(length(x)) FROM t") { $0.int(0) } }
    #expect(error?.isCorrupt == true)
  }

  @Test func failsAsReadOnly_whenAReaderWrites() throws {
    _ = try filled(folder.file())
    let reader = try Connection(path: folder.file(), access: .readOnly)
    let error = #expect(throws: SQLiteError.self) { try reader.run("DELETE FROM t") }
    #expect(error?.isReadOnly == true)
  }

  @Test(arguments: ["a?b#c%20d.sqlite", ":memory:", "file:x.sqlite?mode=memory"])
  func opensPathsThatSQLiteWouldReadOtherwise(name: String) throws {
    let path = folder.file(name)
    _ = try filled(path)
    #expect(FileManager.default.fileExists(atPath: path))
    let reader = try Connection(path: path, access: .immutable)
    #expect(try reader.first("SELECT count(*) FROM t") { $0.int(0) } == 2000)
  }

  @Test func bringsAWholeCopyIntoTheBackup_whileOthersWrite() throws {
    let connection = try filled(folder.file())
    try connection.useWriteAheadLog()
    var steps = 0
    try connection.backup(to: folder.file("copy.sqlite"), pagesPerStep: 5) { _, total in
      steps += 1
      #expect(total > 10)
      if steps == 2 { try connection.run("INSERT INTO t VALUES ('late')") }
    }
    #expect(steps > 2)
    let copy = try Connection(path: folder.file("copy.sqlite"))
    #expect(try copy.integrityCheck() == [])
    #expect(try copy.first("SELECT count(*) FROM t") { $0.int(0) } == 2001)
  }

  @Test func emptiesTheLog_atACheckpoint() throws {
    let connection = try Connection(path: folder.file())
    try connection.useWriteAheadLog()
    try connection.execute("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
    let log = folder.file("test.sqlite-wal")
    func size() throws -> Int { try Data(contentsOf: URL(fileURLWithPath: log)).count }
    #expect(try size() > 0)
    #expect(try connection.checkpoint(.truncate))
    #expect(try size() == 0)
  }

  @Test func failsAsTooBig_beyondALimit() throws {
    let connection = try Connection.inMemory()
    connection.setLimit(.length, to: 1000)
    #expect(connection.setLimit(.length, to: 1000) == 1000)
    let error = #expect(throws: SQLiteError.self) {
      try connection.first("SELECT ?", [UInt8](repeating: 0, count: 2000)) { $0.bytes(0) }
    }
    #expect(error?.kind == .tooBig)
  }

  @Test func appliesItsSettings() throws {
    let connection = try Connection(path: folder.file())
    try connection.setCacheSize(kibibytes: 8000)
    try connection.setSynchronous(.normal)
    try connection.setMemoryMapSize(bytes: 1 << 20)
    #expect(try connection.pragma("cache_size") == -8000)
    #expect(try connection.pragma("synchronous") == 1)
    #expect(try connection.pragma("mmap_size") == 1 << 20)
    #expect(try connection.pragma("foreign_keys") == 1)
    #expect(try connection.pragma("trusted_schema") == 0)
  }
}

/// The pattern of the README: each connection inside an actor with a thread of its own.
private actor Owner {
  private let executor = SerialQueueExecutor(label: "sqlite-tests")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private var opened: Connection?
  let started = DispatchSemaphore(value: 0)

  func connection() throws -> Connection {
    let connection = try opened ?? Connection.inMemory()
    opened = connection
    return connection
  }

  /// Counts for ever, in a transaction.
  func run(_ query: String, mark: @escaping @Sendable () -> Void) async throws -> Int {
    let connection = try connection()
    return try await connection.cancellable {
      try connection.transaction {
        try connection.execute("CREATE TABLE IF NOT EXISTS seen (x); INSERT INTO seen VALUES (1)")
        mark()
        return try connection.first(query) { $0.int(0) } ?? 0
      }
    }
  }

  func seen() throws -> Int? {
    try connection().first("SELECT count(*) FROM sqlite_schema WHERE name = 'seen'") { $0.int(0) }
  }

  func isIdle() throws -> Bool { try !connection().isInTransaction }
}

@Suite(.timeLimit(.minutes(5))) struct InterruptTests {
  private let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"

  @Test func stopsARunningQuery_whenItsTaskIsCancelled() async throws {
    let owner = Owner()
    let (stream, started) = AsyncStream<Void>.makeStream()
    let query = endless
    let task = Task { try await owner.run(query) { started.yield() } }
    for await _ in stream { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await owner.isIdle())
    #expect(try await owner.seen() == 0)
    // The connection stays usable.
    #expect(try await owner.run("SELECT 7") {} == 7)
  }

  @Test func stopsTheNextStatement_whenCancelledBetweenTwo() async throws {
    let owner = Owner()
    let query = endless
    let task = Task {
      // Cancels its own task while no statement runs: SQLite alone would forget the interrupt.
      try await owner.run(query) { withUnsafeCurrentTask { $0?.cancel() } }
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await owner.run("SELECT 7") {} == 7)
  }

  @Test func doesNothing_whenNothingRunsOrTheConnectionIsClosed() throws {
    var connection: Connection? = try Connection.inMemory()
    let handle = try #require(connection?.interruptHandle)
    handle.interrupt()
    #expect(try connection?.first("SELECT 1") { $0.int(0) } == 1)
    connection = nil
    handle.interrupt()
  }
}
