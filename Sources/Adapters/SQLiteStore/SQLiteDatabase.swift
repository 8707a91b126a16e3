import Concurrency
public import Core
import Glibc
package import SQLite

/// One database file with a connection that writes and several that read, each on a thread of its own.
///
/// Open it once a process and give it to the types that keep their tables in it. The writer's lock is held for a
/// transaction, never longer: processes take turns, and readers never wait.
public final class SQLiteDatabase: Sendable {
  /// The file's absolute or relative path, as given.
  public let path: String
  private let writer: DatabaseThread
  private let readers: [DatabaseThread]
  private let pending: Locked<[Int]>

  private init(path: String, readers count: Int, busyTimeout: Duration) {
    self.path = path
    writer = DatabaseThread(label: "quarry.store.writer") { try Self.connect(path, busyTimeout, writes: true) }
    readers = (0..<count).map { number in
      DatabaseThread(label: "quarry.store.reader.\(number)") { try Self.connect(path, busyTimeout, writes: false) }
    }
    pending = Locked([Int](repeating: 0, count: count))
  }

  /// Opens the database, brings its schema up to date, and makes the file and its folder when they are missing.
  /// - Parameters:
  ///   - path: The file; beside it SQLite keeps `-wal` and `-shm`.
  ///   - mustExist: Whether a missing file is an error (`store.missing`) instead.
  ///   - migrates: Whether a store of an earlier version is brought up to date; else it is an error
  ///     (`store.outdated_schema`), and nothing is written.
  ///   - readers: How many reads may run at once, at least 1; each has a thread and a page cache.
  ///   - busyTimeout: How long a write waits for another process's.
  ///   - progress: Told of the chunks that are prepared for searches, and of all: work of minutes at most, done once
  ///     when a store of an earlier version is opened. Killed, it goes on at the next opening.
  /// - Throws: A ``StoreError``: foreign, damaged or newer files, missing permissions, a full disk.
  public static func open(
    _ path: String, mustExist: Bool = false, migrates: Bool = true, readers: Int = 2,
    busyTimeout: Duration = .seconds(10), progress: @Sendable (InspectionProgress) async -> Void = { _ in }
  ) async throws -> SQLiteDatabase {
    let isNew = try await runBlocking(label: "quarry.store.folder") { () throws(StoreError) -> Bool in
      try checkFile(path, mustExist: mustExist)
    }
    let database = SQLiteDatabase(path: path, readers: max(1, readers), busyTimeout: busyTimeout)
    try await database.perform(on: database.writer) { connection in
      // An unchanged schema takes no lock, so opening works while another process writes.
      if migrates { try StoreSchema.schema.migrate(connection) } else { try StoreSchema.schema.verify(connection) }
    }
    if migrates { try await database.sketch(progress) }
    if isNew {
      // What is reported as stored must be found again after a power cut: the file's name too.
      try await runBlocking(label: "quarry.store.folder") { () throws(StoreError) in
        try StoreFiles.syncFolder(StoreFiles.folder(of: path))
      }
    }
    return database
  }

  /// Prepares for searches what commits did not: in transactions of bounded size, so that others can write between.
  private func sketch(_ progress: @Sendable (InspectionProgress) async -> Void) async throws {
    guard try await maintain({ try !$0.isReadOnly && SketchBacklog.isPending($0) }) else { return }
    var done = 0
    while let step = try await write({ try SketchBacklog.step($0) }) {
      done += step.done
      await progress(InspectionProgress(stage: "chunks prepared for searches", done: done, total: done + step.left))
    }
  }

  /// Closes all connections once what they do is done; the last process to close moves the log into the file.
  public func close() async {
    for reader in readers { await reader.close() }
    await writer.close()
  }

  // MARK: Work

  /// Runs `body` in a write transaction: all of it happens, or nothing. Cancelling the task rolls it back.
  @discardableResult
  package func write<Result: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Result) async throws -> Result
  {
    try await perform(on: writer) { connection in try connection.transaction(.immediate) { try body(connection) } }
  }

  /// Runs `body` on the writer's connection outside a transaction.
  package func maintain<Result: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Result) async throws
    -> Result
  {
    try await perform(on: writer, body)
  }

  /// Runs `body` on the reader with the least to do. Cancelling the task interrupts it.
  package func read<Result: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Result) async throws -> Result
  {
    let index = pending.withLock { pending -> Int in
      let index = pending.indices.min { pending[$0] < pending[$1] } ?? 0
      pending[index] += 1
      return index
    }
    defer { pending.withLock { $0[index] -= 1 } }
    return try await perform(on: readers[index], body)
  }

  /// The same in one read transaction: everything that `body` reads is of one moment.
  package func snapshot<Result: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Result) async throws
    -> Result
  {
    try await read { connection in try connection.transaction(.deferred) { try body(connection) } }
  }

  @discardableResult
  private func perform<Result: Sendable>(
    on thread: DatabaseThread, _ body: @escaping @Sendable (Connection) throws -> Result
  ) async throws -> Result {
    do {
      return try await thread.perform(body)
    } catch let error as SQLiteError {
      throw StoreError(error, path: path, holder: LockHolder.describe(databasePath: path))
    }
  }

  // MARK: Opening

  private static func connect(_ path: String, _ busyTimeout: Duration, writes: Bool) throws -> Connection {
    let connection = try StoreConnection.open(
      path, access: writes ? .readWriteCreate : .readWrite, busyTimeout: busyTimeout)
    if connection.isReadOnly {
      // On read-only media questions are still answered; a write says why it cannot be.
      try connection.setCacheSize(kibibytes: 8_192)
    } else if writes {
      if try connection.first("PRAGMA journal_mode", row: { $0.text(0) }) != "wal" {
        // Look whose file it is before anything is written to it.
        try StoreSchema.refuseForeign(connection)
        // Has an effect only before the first table.
        try connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        try connection.useWriteAheadLog()
      }
      // What a call reported as durable survives a power cut.
      try connection.setSynchronous(.full)
      try connection.setCacheSize(kibibytes: 16_384)
      // After a large commit the log's file shrinks to this at the next checkpoint.
      try connection.execute("PRAGMA journal_size_limit = 67108864")
    } else {
      try connection.execute("PRAGMA query_only = 1")
      try connection.setCacheSize(kibibytes: 8_192)
    }
    return connection
  }

  /// Refuses what SQLite would report badly or turn into a database, and makes the folder. Returns whether there is no
  /// file yet.
  private static func checkFile(_ path: String, mustExist: Bool) throws(StoreError) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if mustExist { throw StoreError.missingFile(path) }
      makeFolder(of: path)
      return true
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StoreError(
        code: "store.cannot_open", category: .invalidConfiguration, message: "\(path) is not a regular file",
        remedy: "Name a file with `store.path`.")
    }
    return false
  }

  /// Makes the missing folders above `path`, readable by their owner only; what fails shows when the file is opened.
  private static func makeFolder(of path: String) {
    var folder = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/").dropLast() {
      let parent = folder.isEmpty ? "/" : folder
      folder += "/" + part
      if mkdir(folder, 0o700) == 0 { try? StoreFiles.syncFolder(parent) }
    }
  }
}

/// How the store's file is opened, for serving and for upkeep.
enum StoreConnection {
  /// Opens the file; one on read-only media, where SQLite cannot keep its index of the log, as a file that nothing
  /// changes.
  static func open(_ path: String, access: Connection.Access, busyTimeout: Duration) throws -> Connection {
    do {
      let connection = try Connection(path: path, access: access, busyTimeout: busyTimeout)
      // The log is looked at by the first statement.
      _ = try connection.pragma("user_version")
      return connection
    } catch let error as SQLiteError
      where (error.kind == .cannotOpen || error.isReadOnly) && StoreFiles.isFixed(path)
    {
      return try Connection(path: path, access: .immutable, busyTimeout: busyTimeout)
    }
  }
}

/// An actor that owns one connection and blocks only its own thread.
actor DatabaseThread {
  private let executor: SerialQueueExecutor
  private let connect: @Sendable () throws -> Connection
  private var connection: Connection?

  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// The connection is opened by the first call, on this thread.
  init(label: String, connect: @escaping @Sendable () throws -> Connection) {
    executor = SerialQueueExecutor(label: label)
    self.connect = connect
  }

  func perform<Result: Sendable>(_ body: @Sendable (Connection) throws -> Result) async throws -> Result {
    let connection = try self.connection ?? connect()
    self.connection = connection
    return try await connection.cancellable { try body(connection) }
  }

  func close() { connection = nil }
}
