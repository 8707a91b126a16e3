public import Core
public import FoundationEssentials
import SQLite

/// Mends an SQLite store, trims its embedding cache and gives its free pages back.
public final class SQLiteStoreUpkeep: StoreUpkeep {
  let database: SQLiteDatabase
  private let inspection: SQLiteStoreInspection
  private let cache: SQLiteEmbeddingCache
  private let now: @Sendable () -> Date

  /// Creates the upkeep of `database`.
  /// - Parameters:
  ///   - database: The store.
  ///   - cache: Its embedding cache, which knows its bound.
  ///   - now: The clock, for leases.
  public init(
    _ database: SQLiteDatabase, cache: SQLiteEmbeddingCache, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.database = database
    self.cache = cache
    self.now = now
    inspection = SQLiteStoreInspection(path: database.path)
  }

  /// Checks, repairs, trims, reclaims.
  public func tidy(
    rules: IdentityRules, isDryRun: Bool, progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> UpkeepReport {
    var report = UpkeepReport()
    report.found = try await inspection.inspect(rules: rules, progress: progress)
    // A file whose own pages are damaged is only made worse by writing.
    guard !report.found.counts.keys.contains("store.pages") else { return report }
    let before = try await fileSize()
    try await repair(report.found, rules: rules, isDryRun: isDryRun, into: &report, progress)
    let trimmed = try await cache.trim(isDryRun: isDryRun)
    if trimmed > 0 { report.add("cache.trimmed", trimmed, "trimmed least recently used cached embeddings") }
    if isDryRun {
      report.bytesReclaimed = try await database.read { connection in
        Int(try connection.pragma("freelist_count") * connection.pragma("page_size"))
      }
    } else {
      await progress(InspectionProgress(stage: "giving free pages back", done: 0))
      try await reclaim()
      report.bytesReclaimed = max(0, before - (try await fileSize()))
    }
    return report
  }

  private func repair(
    _ found: IntegrityReport, rules: IdentityRules, isDryRun: Bool, into report: inout UpkeepReport,
    _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    let codes = Set(found.findings.lazy.filter(\.isRepairable).map(\.code))
    for repair in StoreRepair.all where !codes.isDisjoint(with: repair.codes) {
      let code = repair.codes.first { codes.contains($0) } ?? ""
      if isDryRun {
        let count = repair.codes.reduce(0) { $0 + (found.counts[$1] ?? 0) }
        report.add(code, count, repair.message)
        continue
      }
      await progress(InspectionProgress(stage: repair.message, done: 0))
      let context = StoreRepair.Context(rules: rules, now: now())
      var count = 0
      while true {
        let done = try await database.write { connection in try repair.slice(connection, context) }
        count += done.count
        await progress(InspectionProgress(stage: repair.message, done: count))
        if done.isAll { break }
      }
      if count > 0 { report.add(code, count, repair.message) }
    }
  }

  // MARK: - Space

  /// Bytes of the database and its log.
  private func fileSize() async throws -> Int {
    let path = database.path
    return try await database.read { _ in StoreFiles.size(path) + StoreFiles.size(path + "-wal") }
  }

  /// Gives free pages back, some at a time so that others can write between, and moves the log into the file.
  private func reclaim() async throws {
    while true {
      let left = try await database.maintain { connection -> Int64 in
        let before = try connection.pragma("freelist_count")
        if before == 0 { return 0 }
        try connection.forEach("PRAGMA incremental_vacuum(2000)") { _ in }
        let after = try connection.pragma("freelist_count")
        // A file from before incremental vacuum keeps its pages for later use.
        return after < before ? after : 0
      }
      if left == 0 { break }
    }
    do {
      _ = try await database.maintain { try $0.checkpoint(.truncate) }
    } catch let error as StoreError where error.category == .unavailable {
      // Somebody reads or writes: the next checkpoint does it.
    }
  }
}
