public import Core
import Ingestion
import LocalFiles
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
    _ settings: Settings, isDeep: Bool, progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> IntegrityReport {
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
        let sources = SourceVerification(
          index: SQLiteDocumentIndex(database), probe: LocalSourceProbe(), bytes: SourceFileBytes())
        report.add(try await sources.run(isDeep: isDeep, progress: progress))
      }
      outcome = .success(report)
    } catch { outcome = .failure(error) }
    await database?.close()
    return try outcome.get()
  }
}
