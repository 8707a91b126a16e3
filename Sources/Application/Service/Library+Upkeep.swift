public import Core
import FoundationEssentials
public import Ingestion
import LocalFiles
import OpenSearchStore
import SQLiteStore

extension Library {
  /// Checks the store that `settings` name, and the sources of its documents.
  ///
  /// A store that cannot be opened is a finding, not an error; nothing is repaired.
  /// - Parameters:
  ///   - isDeep: Whether the bytes of sources are read and compared with their hashes too.
  ///   - progress: Told of every step.
  /// - Throws: `store.missing` when there is none, `store.busy` and the like when it cannot be looked at.
  public static func verify(
    _ settings: Settings, environment: [String: String], isDeep: Bool,
    progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> IntegrityReport {
    if settings.store.kind == .opensearch {
      return try await verifyCluster(settings, environment: environment, isDeep: isDeep, progress: progress)
    }
    let database: SQLiteDatabase?
    do {
      // Brings an older store's schema up to date, as every command does.
      database = try await SQLiteDatabase.open(settings.store.path, mustExist: true)
    } catch let error as StoreError where error.category == .corrupt || error.category == .conflict {
      // The check itself says what is wrong.
      database = nil
    }
    let outcome: Result<IntegrityReport, any Error>
    do {
      var report = try await SQLiteStoreInspection(path: settings.store.path).inspect(
        rules: .standard, progress: progress)
      if let database, !report.counts.keys.contains("store.pages") {
        report.add(
          try await verifySources(
            of: SQLiteDocumentIndex(database), settings, isDeep: isDeep, progress: progress))
      }
      outcome = .success(report)
    } catch { outcome = .failure(error) }
    await database?.close()
    return try outcome.get()
  }

  private static func verifyCluster(
    _ settings: Settings, environment: [String: String], isDeep: Bool,
    progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> IntegrityReport {
    let remote = RemoteParts(settings: settings, environment: environment)
    let cluster = try await OpenSearchCluster.open(
      try await OpenStore.client(settings, remote: remote, environment: environment), mustExist: true)
    var report = try await OpenSearchStoreInspection(cluster).inspect(rules: .standard, progress: progress)
    report.add(
      try await verifySources(
        of: OpenSearchDocumentIndex(cluster), settings, isDeep: isDeep, progress: progress))
    return report
  }

  private static func verifySources(
    of index: any DocumentIndex, _ settings: Settings, isDeep: Bool,
    progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> IntegrityReport {
    let uploads = settings.uploadsDirectory
    let sources = SourceVerification(
      index: index, probe: LocalSourceProbe(uploads: uploads),
      bytes: OriginalBytes(
        uploads: DirectoryUploadStore(directory: uploads, maximumBytes: settings.uploads.maximumBytes)))
    return try await sources.run(isDeep: isDeep, progress: progress)
  }

  /// Repairs what the store can mend by itself, trims the embedding cache, removes what killed runs left, and gives
  /// space back.
  /// - Parameters:
  ///   - isDryRun: Whether to say only what would be done.
  ///   - progress: Told of every step.
  public func tidy(
    isDryRun: Bool, progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> UpkeepReport {
    var report = try await store.upkeep(embeddingCacheBytes: settings.store.embeddingCacheBytes).tidy(
      rules: .standard, isDryRun: isDryRun, progress: progress)
    if !isDryRun, FileManager.default.fileExists(atPath: settings.uploadsDirectory) {
      try await uploads.removeUnfinished()
    }
    let leftovers = TemporaryIndexFolder.leftovers(environment: environment)
    if !leftovers.isEmpty {
      report.add("temporary.removed", leftovers.count, "removed temporary indexes of killed runs")
      report.bytesReclaimed += leftovers.reduce(0) { $0 + $1.bytes }
      if !isDryRun { leftovers.forEach { TemporaryIndexFolder.removeLeftover($0.path) } }
    }
    return report
  }

  /// Copies this library into the configured store of the other kind.
  /// - Parameter kind: The other kind.
  /// - Throws: `store.copy_same` for the kind that the library is of; `configuration` errors; failures of either store.
  public func copyStore(
    to kind: Settings.StoreKind, progress: @escaping @Sendable (StoreCopy.Progress) async -> Void
  ) async throws -> StoreCopy.Report {
    guard kind != settings.store.kind else {
      throw CoreError(
        code: "store.copy_same", category: .invalidConfiguration,
        message: "the library is in the \(kind.rawValue) store already", remedy: "Name the other kind.")
    }
    if kind == .opensearch, settings.store.cluster.endpoints.isEmpty {
      throw CoreError(
        code: "store.copy_target", category: .invalidConfiguration, message: "store.url says no cluster to copy to",
        remedy: "Set store.url and what else the cluster needs.")
    }
    var other = settings
    other.store.kind = kind
    let target = try await OpenStore.open(other, remote: remote, environment: environment)
    let bytes = settings.store.embeddingCacheBytes
    let outcome: Result<StoreCopy.Report, any Error>
    do {
      outcome = .success(
        try await StoreCopy(
          from: store.side(embeddingCacheBytes: bytes), to: target.side(embeddingCacheBytes: bytes), progress: progress
        ).run())
    } catch { outcome = .failure(error) }
    await target.close()
    return try outcome.get()
  }

  /// Copies the store as it is at one moment into a file; see `SQLiteDatabase.backUp`.
  /// - Returns: The bytes of the copy.
  public func backUp(
    to path: String, replaces: Bool, progress: @escaping @Sendable (InspectionProgress) -> Void
  ) async throws -> Int {
    guard case .sqlite(let database) = store else {
      throw CoreError(
        code: "store.no_file", category: .invalidConfiguration, message: "an index in OpenSearch is no file to copy",
        remedy:
          "Take a snapshot of its indices with OpenSearch, as docs/opensearch.md shows, or run `quarry store copy`.")
    }
    return try await database.backUp(to: path, replaces: replaces, progress: progress)
  }
}
