public import Core
public import FoundationEssentials
public import Telemetry

/// Takes documents out: from the index and the job table, and with uploads from the disk.
public struct DocumentRemoval: Sendable {
  /// What was taken out.
  public struct Removed: Sendable, Hashable {
    /// Where the document was.
    public var uri: SourceURI
    /// Chunks that left the index.
    public var chunks: Int
  }

  private let index: any DocumentIndex
  private let jobs: any JobStore
  private let uploads: (any UploadStore)?
  private let telemetry: TelemetryRecorder
  private let now: @Sendable () -> Date

  /// Creates a removal over its backends.
  public init(
    index: any DocumentIndex, jobs: any JobStore, uploads: (any UploadStore)?, telemetry: TelemetryRecorder,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.index = index
    self.jobs = jobs
    self.uploads = uploads
    self.telemetry = telemetry
    self.now = now
  }

  /// Removes a document, indexed or not. A file that stays gets a tombstone, so that a scan does not bring the document
  /// back; an upload's bytes go too, unless another document has them.
  /// - Returns: What was removed; nil when there is no such document.
  public func remove(_ id: DocumentID, context: RequestContext) async throws -> Removed? {
    let entry = try await index.entry(id)
    let job = try await jobs.job(of: id)
    guard let uri = entry?.document.uri ?? job?.uri, let collection = entry?.document.collection ?? job?.collection
    else { return nil }
    // The job first: from then on nobody begins with the document.
    try await jobs.remove(uri, collection: collection)
    var chunks: [ChunkID] = []
    if entry != nil {
      chunks = try await index.delete(id, tombstone: !uri.isUpload, now: now())
      await telemetry.recordWhenRoom(
        chunks.map { .tombstone(TombstoneEvent(chunkID: $0, documentID: id)) }, context: context,
        collection: collection)
    }
    if uri.isUpload { try await uploads?.forget(uri) }
    return Removed(uri: uri, chunks: chunks.count)
  }
}
