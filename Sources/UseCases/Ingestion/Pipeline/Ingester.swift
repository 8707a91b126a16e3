import Concurrency
public import Core
public import FoundationEssentials
public import Telemetry

/// Document → pages → chunks → embeddings → index, for whole sources and for single objects.
///
/// Documents are read `extractionWidth` at a time; embedding and commit take one after the other, so that the
/// index has one writer and no more documents are in memory than that width and one. A document is committed
/// whole or not at all; what fails is recorded in the job table and does not stop the others.
public struct Ingester: Sendable {
  let index: any DocumentIndex
  let jobs: any JobStore
  let reader: any PageReader
  let embedder: any Embedder
  let chunker: any Chunker
  let telemetry: TelemetryRecorder
  let settings: IngestionSettings
  let extraction: DocumentExtraction
  let recognition: PageRecognition?
  let embedding: ChunkEmbedding
  /// Bounds the documents read at once by all runs of this ingester together.
  let readers: AsyncSemaphore
  let now: @Sendable () -> Date

  /// Creates an ingester over its backends; without `recognition`, pages that are images stay unreadable.
  public init(
    index: any DocumentIndex, jobs: any JobStore, cache: any EmbeddingCache, reader: any PageReader,
    embedder: any Embedder, chunker: any Chunker, telemetry: TelemetryRecorder = .discarding(),
    settings: IngestionSettings = .init(), recognition: PageRecognition? = nil,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.index = index
    self.jobs = jobs
    self.reader = reader
    self.embedder = embedder
    self.chunker = chunker
    self.telemetry = telemetry
    self.settings = settings
    self.now = now
    readers = AsyncSemaphore(width: settings.extractionWidth)
    self.recognition = recognition
    extraction = DocumentExtraction(
      reader: reader, hygiene: PageHygiene(), passwords: settings.passwords, recognition: recognition)
    embedding = ChunkEmbedding(embedder: embedder, cache: cache)
  }

  /// Extractor, hygiene and chunker together, and the recognizer for the documents that need it: what documents are
  /// made by now.
  public var pipeline: CurrentPipeline {
    CurrentPipeline(
      base: PipelineVersion(rawValue: "\(reader.version)/\(PageHygiene.version)/\(chunker.version)"),
      recognition: recognition?.pipelinePart)
  }

  func isStale(_ known: IndexedSource) -> Bool {
    !pipeline.isCurrent(known.pipeline, coverage: known.coverage)
  }

  /// The extraction of equal bytes that the current pipeline would make again, with its version; nil when none is
  /// stored.
  func storedExtraction(of version: ContentVersion) async throws -> (StoredExtraction, PipelineVersion)? {
    let pipeline = pipeline
    for candidate in [pipeline.recognized, pipeline.partlyRecognized, pipeline.base].compactMap({ $0 }) {
      guard let stored = try await index.extraction(of: version, pipeline: candidate) else { continue }
      if pipeline.isCurrent(candidate, coverage: stored.coverage) { return (stored, candidate) }
    }
    return nil
  }

  /// Brings the index up to date with `sources`.
  ///
  /// Deletes only with `request.deletesMissing`, and then under the guard. Renames are recognised either way.
  /// - Throws: `index.identity_mismatch` before anything is read; a full disk, cancellation, and failures of the
  ///   store. Failures of single documents and sources are in the summary.
  public func ingest(
    _ sources: [any DocumentSource], request: IngestionRequest = .init(), context: RequestContext,
    progress: @escaping IngestionProgressHandler = { _ in }
  ) async throws -> IngestionSummary {
    try await checkIdentity()
    var summary = IngestionSummary()
    for source in sources {
      let started = ContinuousClock.now
      do {
        try await ingest(source, request: request, context: context, progress: progress, into: &summary)
      } catch let error as any CategorizedError where Self.isOfSource(error) {
        let failure = FailedObject(
          name: source.root.rawValue, code: error.code, message: error.message, remedy: error.remedy, willRetry: false)
        summary.add(failure)
        await progress(.failed(failure))
      }
      summary.add(seconds: ["total": (ContinuousClock.now - started).seconds])
    }
    return summary
  }

  /// Brings the index up to date with one source, of which everything is listed.
  /// - Throws: `index.identity_mismatch`; what keeps the source from being listed; a full disk, cancellation, and
  ///   failures of the store. Failures of single documents are in the summary.
  public func reconcile(
    _ source: any DocumentSource, request: IngestionRequest = .init(), context: RequestContext,
    progress: @escaping IngestionProgressHandler = { _ in }
  ) async throws -> IngestionSummary {
    try await checkIdentity()
    var summary = IngestionSummary()
    let started = ContinuousClock.now
    try await ingest(source, request: request, context: context, progress: progress, into: &summary)
    summary.add(seconds: ["total": (ContinuousClock.now - started).seconds])
    return summary
  }

  /// Ingests single objects of a source. Tombstones hold, unless the object is the source's root.
  public func ingest(
    _ objects: [SourceObject], from source: any DocumentSource, context: RequestContext,
    progress: @escaping IngestionProgressHandler = { _ in }
  ) async throws -> IngestionSummary {
    try await checkIdentity()
    var summary = IngestionSummary()
    var known: [IndexedSource] = []
    for object in objects {
      if let source = try await index.source(at: object.uri, collection: object.collection) { known.append(source) }
    }
    let listing = SourceListing(objects: objects, isComplete: false, rootStamp: "")
    var plan = Reconciliation(listing: listing, root: source.root, known: known)
    plan.missing = []
    try await work(plan, source: source, context: context, progress: progress, into: &summary)
    let queue = JobQueue(jobs: jobs, settings: settings, now: now)
    for item in plan.unchanged {
      // Queued, and overtaken by events: the bytes are those indexed.
      if let job = try await queue.take(JobQueue.Key(item.object)) { try await queue.complete(job, seconds: [:]) }
    }
    return summary
  }

  /// Deletes a document, from every table and index.
  /// - Parameter tombstone: Whether its file stays and must not bring it back by itself.
  /// - Returns: Whether there was such a document.
  @discardableResult
  public func delete(_ id: DocumentID, tombstone: Bool, context: RequestContext) async throws -> Bool {
    guard let entry = try await index.entry(id) else { return false }
    try await delete(entry.document, tombstone: tombstone, context: context)
    return true
  }

  /// Deletes the document at `uri` because its object is gone for certain.
  /// - Returns: Whether there was one.
  @discardableResult
  public func objectVanished(_ uri: SourceURI, collection: CollectionName, context: RequestContext) async throws
    -> Bool
  {
    try await jobs.remove(uri, collection: collection)
    guard let known = try await index.source(at: uri, collection: collection), !known.isTombstone else { return false }
    try await delete(known.document, tombstone: false, context: context)
    return true
  }

  // MARK: - One source

  private func ingest(
    _ source: any DocumentSource, request: IngestionRequest, context: RequestContext,
    progress: @escaping IngestionProgressHandler, into summary: inout IngestionSummary
  ) async throws {
    let began = now()
    let known = try await index.sources(under: source.root, collection: source.collection)
    var listing: SourceListing
    var isRootMissing = false
    do {
      listing = try await source.list()
    } catch let error as any CategorizedError
      where request.deletesMissing && request.allowsMassDelete && error.category == .notFound && !known.isEmpty
    {
      // The user says that the source is gone for good.
      listing = SourceListing(objects: [], isComplete: true, rootStamp: "")
      isRootMissing = true
    }
    await progress(.found(root: source.root, objects: listing.objects.count, skipped: listing.skipped.count))
    for skipped in listing.skipped {
      summary.skipped.append(skipped)
      await progress(.skipped(skipped))
    }
    let listed = ContinuousClock.now
    let plan = Reconciliation(listing: listing, root: source.root, known: known)
    let moved = try await work(
      plan, source: source, mayMove: listing.isComplete, context: context, progress: progress, into: &summary)
    var gone = plan.missing.filter { !moved.contains($0.document.id) }
    if request.deletesMissing, !isRootMissing, !gone.isEmpty,
      (ContinuousClock.now - listed).seconds >= settings.staleListingSeconds
    {
      // The work may have taken hours: what was gone at its beginning has to be gone now.
      listing = try await source.list()
      let present = Set(listing.objects.map(\.uri))
      gone.removeAll { present.contains($0.document.uri) }
    }
    let isTrusted = try await reconcile(
      gone, plan: plan, listing: listing, isRootMissing: isRootMissing, source: source, request: request,
      context: context, progress: progress, into: &summary)
    if !isRootMissing {
      try await settleJobs(of: source, plan: plan, listing: listing, began: began)
      if isTrusted { try await remember(listing.rootStamp, of: source) }
    }
  }

  /// Deletes what is gone, if the request and the guard allow it. Returns whether the root may be taken as the
  /// one to compare the next scan with.
  private func reconcile(
    _ gone: [IndexedSource], plan: Reconciliation, listing: SourceListing, isRootMissing: Bool,
    source: any DocumentSource, request: IngestionRequest, context: RequestContext,
    progress: IngestionProgressHandler, into summary: inout IngestionSummary
  ) async throws -> Bool {
    guard request.deletesMissing, !gone.isEmpty else { return gone.isEmpty }
    let record = try await jobs.job(for: source.root, collection: source.collection)
    let verdict = DeletionGuard(
      isComplete: listing.isComplete, rootStamp: isRootMissing ? nil : listing.rootStamp,
      knownRootStamp: record?.stamp, known: plan.knownCount, missing: gone.count,
      isOverruled: request.allowsMassDelete)
    if let reason = verdict.refusal {
      summary.refusedDeletions.append(.init(root: source.root, count: gone.count, reason: reason))
      await progress(.deletionRefused(root: source.root, count: gone.count, reason: reason))
      return false
    }
    try await delete(gone, context: context, progress: progress, into: &summary)
    return true
  }

  /// Deletes documents whose objects are gone.
  func delete(
    _ gone: [IndexedSource], context: RequestContext, progress: IngestionProgressHandler,
    into summary: inout IngestionSummary
  ) async throws {
    for known in gone {
      try await delete(known.document, tombstone: false, context: context)
      try await jobs.remove(known.document.uri, collection: known.document.collection)
      summary.deleted += 1
      await progress(.deleted(known.document.uri))
    }
  }

  /// Remembers what identified the root, as a finished job of the root itself: the next scan's guard compares.
  private func remember(_ stamp: String, of source: any DocumentSource) async throws {
    let record = try await jobs.job(for: source.root, collection: source.collection)
    guard record?.stamp != stamp || record?.state != .done else { return }
    // A root that is a file has its own job, and no mount to lose.
    guard try await index.source(at: source.root, collection: source.collection) == nil else { return }
    let root = SourceObject(
      uri: source.root, collection: source.collection, byteCount: 0, modified: now(), stamp: stamp)
    try await jobs.enqueue([root], now: now())
    let queue = JobQueue(jobs: jobs, settings: settings, now: now)
    if let job = try await queue.take(JobQueue.Key(root)) { try await queue.complete(job, seconds: [:]) }
  }

  func delete(_ document: Document, tombstone: Bool, context: RequestContext) async throws {
    let chunks = try await index.delete(document.id, tombstone: tombstone, now: now())
    await telemetry.recordWhenRoom(
      chunks.map { .tombstone(TombstoneEvent(chunkID: $0, documentID: document.id)) }, context: context,
      collection: document.collection)
  }

  func checkIdentity() async throws {
    if let active = try await index.activeIdentity(), active != embedder.identity {
      throw IngestionError.identityMismatch(active: active, configured: embedder.identity)
    }
  }

  /// Whether an error concerns one source only, so that the other sources can go on.
  static func isOfSource(_ error: any CategorizedError) -> Bool {
    switch error.category {
    case .notFound, .forbidden, .invalidInput, .gone: true
    default: false
    }
  }
}
