import Concurrency
public import Core
import Glibc
import SQLite

/// Checks an SQLite store, whoever else has it open: through a connection of its own, in read transactions of one
/// table or one document each, so that the log can be moved into the file between them.
public final class SQLiteStoreInspection: StoreInspection {
  let path: String
  let thread: DatabaseThread
  /// How long FTS5's own check may hold the writer's lock.
  let writerTime: Duration

  /// Creates the check of a file; nothing is opened yet.
  /// - Parameters:
  ///   - path: The store's file.
  ///   - busyTimeout: How long to wait for another process's write.
  ///   - writerTime: How long FTS5's own check, which takes the writer's lock, may make others wait; what is not
  ///     checked in that time is a notice.
  public init(path: String, busyTimeout: Duration = .seconds(10), writerTime: Duration = .seconds(4)) {
    self.path = path
    self.writerTime = writerTime
    thread = DatabaseThread(label: "quarry.store.inspection") {
      let connection = try StoreConnection.open(path, access: .readWrite, busyTimeout: busyTimeout)
      try connection.setCacheSize(kibibytes: 16_384)
      return connection
    }
  }

  /// Checks everything.
  /// - Throws: `store.missing`, `store.cannot_open`, `store.busy` and the like.
  public func inspect(
    rules: IdentityRules, progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> IntegrityReport {
    var report = IntegrityReport()
    do {
      if try await open(into: &report) {
        try await inspectPages(into: &report, progress)
        // Nothing read from damaged pages would be worth reporting.
        if report.isSound {
          try await inspectTables(rules, into: &report, progress)
          try await inspectTexts(into: &report, progress)
          try await inspectDocuments(rules, into: &report, progress)
          try await inspectSketches(into: &report, progress)
          try await inspectFullText(into: &report, progress)
          try await inspectCache(into: &report, progress)
          try await inspectJobs(into: &report, progress)
        }
      }
    } catch let error as SQLiteError where error.isCorrupt || error.isNotADatabase {
      report.add(IntegrityFinding("store.pages", .error, "the file is damaged: \(error.message)"))
    } catch let error as SQLiteError {
      await thread.close()
      throw StoreError(error, path: path, holder: LockHolder.describe(databasePath: path))
    } catch {
      await thread.close()
      throw error
    }
    await thread.close()
    return report
  }

  /// Runs `body` in one read transaction.
  func slice<Result: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Result) async throws -> Result {
    try await thread.perform { connection in try connection.transaction(.deferred) { try body(connection) } }
  }

  // MARK: - File and pages

  /// Whether the file is a store of this version, so that there is something to check.
  private func open(into report: inout IntegrityReport) async throws -> Bool {
    let path = path
    do {
      try await runBlocking(label: "quarry.store.header") { () throws(StoreError) in
        try StoreHeader.check(path: path)
      }
      try await thread.perform { try StoreSchema.schema.verify($0) }
      return true
    } catch let error as StoreError where error.category == .corrupt {
      report.add(IntegrityFinding(error.code, .error, error.message))
    } catch let error as SQLiteError {
      switch error.kind {
      case .foreign, .notADatabase, .corrupt, .newerSchema, .outdatedSchema:
        let described = StoreError(error, path: path)
        report.add(IntegrityFinding(described.code, .error, described.message))
      default: throw error
      }
    }
    return false
  }

  /// SQLite's own check, table by table: one for the whole file would hold its snapshot all the while.
  private func inspectPages(
    into report: inout IntegrityReport, _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    let tables = try await slice { connection in
      try connection.map("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name") {
        $0.text(0)
      }
    }
    for (done, table) in (["sqlite_schema"] + tables).enumerated() {
      await progress(InspectionProgress(stage: "tables of the file", done: done, total: tables.count + 1))
      let problems = try await slice { try $0.integrityCheck(table: table) }
      report.add(
        problems.map { IntegrityFinding("store.pages", .error, "table \(table): \($0)") })
    }
    report.examine("tables", tables.count)
  }
}

/// What a file says of itself before SQLite opens it, which for another application's file could already change it.
enum StoreHeader {
  /// Refuses files that are no stores. Source: https://www.sqlite.org/fileformat.html, section 1.3.
  static func check(path: String) throws(StoreError) {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT { throw .missingFile(path) }
      throw StoreError(
        code: "store.cannot_open", category: .invalidConfiguration,
        message: "\(path) cannot be read: \(String(cString: strerror(errno)))",
        remedy: "Check that `store.path` names a file that you can read.")
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw StoreError(
        code: "store.cannot_open", category: .invalidConfiguration, message: "\(path) is not a regular file",
        remedy: "Name a file with `store.path`.")
    }
    var header = [UInt8](repeating: 0, count: 100)
    let count = read(file, &header, header.count)
    // An empty file becomes a store when it is opened for writing.
    if count == 0 { return }
    guard count == header.count, header.starts(with: Array("SQLite format 3\0".utf8)) else {
      throw .foreign(path, "it is no SQLite database")
    }
    let owner = header[68..<72].reduce(0) { $0 << 8 | UInt32($1) }
    // 0 may be that of a new store whose first pages are still in the log.
    guard owner == 0 || owner == UInt32(bitPattern: StoreSchema.applicationID) else {
      throw .foreign(path, "its application id is \(owner)")
    }
  }
}
