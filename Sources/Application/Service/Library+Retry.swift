public import Core
import FoundationEssentials
public import Ingestion

extension Library {
  /// Queues jobs that failed as if they were new, and does the work: uploads from their stored bytes, files from
  /// where they are. Those of other sources are left to the next run over that source.
  /// - Throws: What stops ingestion as a whole; failures of single documents are in the summary.
  public func retry(
    _ failed: [IngestionJob], progress: @escaping IngestionProgressHandler
  ) async throws -> IngestionSummary {
    var summary = IngestionSummary()
    guard !failed.isEmpty else { return summary }
    for job in failed { _ = try await jobs.retry(job.uri, collection: job.collection, now: .now) }
    let ingester = try await ingester()
    let context = requestContext()
    let byCollection = Dictionary(grouping: failed, by: \.collection).sorted { $0.key < $1.key }
    for (collection, group) in byCollection {
      let objects = group.filter(\.uri.isUpload).map(UploadSource.object)
      if !objects.isEmpty {
        await progress(.found(root: .uploads, objects: objects.count, skipped: 0))
        summary.add(
          try await ingester.ingest(
            objects, from: UploadSource(uploads, collection: collection), context: context, progress: progress))
      }
      let files = try group.compactMap(\.uri.filePath).flatMap {
        try sources(paths: [$0], collection: collection, mayBeMissing: true)
      }
      if !files.isEmpty {
        summary.add(try await ingester.ingest(files, context: context, progress: progress))
      }
    }
    return summary
  }
}
