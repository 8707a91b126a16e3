import Concurrency
import Core
import FoundationEssentials
import Telemetry

/// The work on the objects of one source.
extension Ingester {
  /// What extraction found of an object.
  private enum Outcome: Sendable {
    /// Pages and chunks of a version to commit.
    case extracted(Prepared)
    /// The bytes are those indexed already.
    case same(IndexedSource)
    /// The bytes are those of a document whose file is gone.
    case renamed(IndexedSource)
    case failed(any CategorizedError)
  }

  /// A document before embedding.
  struct Prepared: Sendable {
    var document: Document
    var object: SourceObject
    var byteCount: Int
    var isNew: Bool
    var extraction: StoredExtraction
    /// What made pages and chunks; of pages that were taken over it may be an earlier one.
    var pipeline: PipelineVersion
    var chunks: [Chunk]
    var previous: IndexedSource?
    var seconds: [String: Double]
  }

  private struct Finished: Sendable {
    var job: IngestionJob
    var object: SourceObject
    var outcome: Outcome
  }

  /// Works on what a plan names. Returns the documents that turned out to be renamed.
  @discardableResult
  func work(
    _ plan: Reconciliation, source: any DocumentSource, mayMove: Bool = false, context: RequestContext,
    progress: @escaping IngestionProgressHandler, into summary: inout IngestionSummary
  ) async throws -> Set<DocumentID> {
    try await report(plan, progress: progress, into: &summary)
    let queue = JobQueue(jobs: jobs, settings: settings, now: now)
    var moved: Set<DocumentID> = []
    var changed = plan.changed
    if mayMove, source.stampsFollowRenames {
      (changed, moved) = try await moveByStamp(plan, progress: progress, into: &summary)
    }
    let items = try await enqueue(changed, source: source, progress: progress, into: &summary)
    let missing = plan.missing.filter { !moved.contains($0.document.id) }
    let gone = mayMove ? Dictionary(grouping: missing, by: \.document.version) : [:]
    var waiting = items.keys.sorted { $0.uri < $1.uri }[...]
    let held = HeldJobs()
    let holder = Task { await queue.keepHolding(held) }
    defer { holder.cancel() }

    try await withThrowingTaskGroup(of: Finished.self) { group in
      var running = 0
      /// Starts the next object that no other run holds; false when there is none.
      func startNext() async throws -> Bool {
        // Those that another run holds go to the back; a round without any is enough.
        for _ in 0..<min(waiting.count, 64) {
          let key = waiting.removeFirst()
          guard var item = items[key] else { continue }
          if let job = try await queue.take(key) {
            // Since the plan was made, another run may have done it, and then this one would make a second document.
            item.known = try await index.source(at: key.uri, collection: key.collection)
            if let known = item.known, !known.isTombstone, known.stamp == item.object.stamp {
              try await queue.complete(job, seconds: [:])
              summary.unchanged += 1
              await progress(.unchanged(key.uri))
              continue
            }
            await held.add(key)
            running += 1
            await progress(.started(job.uri))
            group.addTask { [item] in
              let outcome = await self.outcome(of: item, source: source, gone: gone, progress: progress)
              return Finished(job: job, object: item.object, outcome: outcome)
            }
            return true
          }
          switch try await endElsewhere(of: item.object) {
          case .none: waiting.append(key)
          case .done:
            summary.unchanged += 1
            await progress(.unchanged(item.object.uri))
          case .failed(let failure):
            summary.add(failure)
            await progress(.failed(failure))
          }
        }
        return false
      }
      do {
        while true {
          while running < settings.extractionWidth, try await startNext() {}
          if running > 0, let finished = try await group.next() {
            running -= 1
            if let id = try await finish(
              finished, queue: queue, moved: moved, context: context, progress: progress, into: &summary)
            {
              moved.insert(id)
            }
            await held.remove(JobQueue.Key(finished.job))
          } else if waiting.isEmpty {
            break
          } else {
            // Another run works on the rest: it finishes them, or its hold ends.
            try await Task.sleep(for: .milliseconds(500))
          }
        }
      } catch {
        // What was in work is due again at once for the next run.
        group.cancelAll()
        while let finished = try? await group.next() { await release(finished.job, queue: queue) }
        throw error
      }
    }
    return moved
  }

  private enum EndElsewhere {
    case done
    case failed(FailedObject)
  }

  /// How another run ended the work on the object that this one waited for; nil while it has not.
  private func endElsewhere(of object: SourceObject) async throws -> EndElsewhere? {
    guard let job = try await jobs.job(for: object.uri, collection: object.collection), job.stamp == object.stamp else {
      return .done
    }
    switch job.state {
    case .done: return .done
    case .parked:
      return .failed(
        FailedObject(
          name: object.uri.rawValue, code: job.lastErrorCode ?? "ingest.parked",
          message: job.lastError ?? "another process gave it up", remedy: nil, willRetry: false))
    case .queued, .running, .retrying: return nil
    }
  }

  private func release(_ job: IngestionJob, queue: JobQueue) async {
    // In a task of its own: this one is cancelled, and the store refuses work of cancelled tasks.
    await Task {
      _ = try? await queue.fail(job, error: Self.categorized(CancellationError(), name: job.uri.name))
    }.value
  }

  // MARK: - Extraction, in parallel

  private func outcome(
    of item: Reconciliation.Item, source: any DocumentSource, gone: [ContentVersion: [IndexedSource]],
    progress: @escaping IngestionProgressHandler
  ) async -> Outcome {
    do {
      let copy = try await source.fetch(item.object)
      do {
        let outcome = try await outcome(of: item, copy: copy, gone: gone, progress: progress)
        if case .extracted = outcome { try await source.confirm(copy) }
        await source.discard(copy)
        return outcome
      } catch {
        await source.discard(copy)
        throw error
      }
    } catch {
      return .failed(Self.categorized(error, name: item.object.uri.name))
    }
  }

  private func outcome(
    of item: Reconciliation.Item, copy: LocalCopy, gone: [ContentVersion: [IndexedSource]],
    progress: @escaping IngestionProgressHandler
  ) async throws -> Outcome {
    let live = item.known.flatMap { $0.isTombstone ? nil : $0 }
    if let live, live.document.version == copy.version { return .same(live) }
    if live == nil, let known = gone[copy.version]?.first { return .renamed(known) }
    let document = try await document(for: item.object, live: live, version: copy.version)
    var seconds: [String: Double] = [:]
    let started = ContinuousClock.now
    let extraction: StoredExtraction
    let pipeline: PipelineVersion
    if let stored = try await storedExtraction(of: copy.version) {
      (extraction, pipeline) = stored
    } else {
      let fresh = try await readers.withPermit {
        try await self.extraction.extraction(of: copy, uri: item.object.uri, progress: progress)
      }
      extraction = fresh.pages
      pipeline = self.pipeline.version(after: fresh.recognition)
    }
    let extracted = ContinuousClock.now
    seconds["extract"] = (extracted - started).seconds
    let chunks = chunker.chunks(
      of: extraction.pages, document: document, metadata: extraction.metadata, pipeline: pipeline)
    seconds["chunk"] = (ContinuousClock.now - extracted).seconds
    return .extracted(
      Prepared(
        document: document, object: item.object, byteCount: copy.byteCount, isNew: live == nil,
        extraction: extraction, pipeline: pipeline, chunks: chunks, previous: live, seconds: seconds))
  }

  /// The id that the document at an object has or will get.
  func documentID(for object: SourceObject, live: IndexedSource?) async throws -> DocumentID {
    if let live { return live.document.id }
    let generation = try await index.nextGeneration(at: object.uri, collection: object.collection)
    return DocumentID(collection: object.collection, firstURI: object.uri, generation: generation)
  }

  /// The document of these bytes: the next version of the one there, else a new one of the next generation.
  func document(
    for object: SourceObject, live: IndexedSource?, version: ContentVersion
  ) async throws -> Document {
    if let known = live?.document {
      return Document(
        id: known.id, collection: known.collection, uri: known.uri, generation: known.generation, version: version)
    }
    let generation = try await index.nextGeneration(at: object.uri, collection: object.collection)
    return Document(
      id: DocumentID(collection: object.collection, firstURI: object.uri, generation: generation),
      collection: object.collection, uri: object.uri, generation: generation, version: version)
  }

  // MARK: - Embedding and commit, one after the other

  /// Ends the work on an object. Returns the document when it was a rename.
  private func finish(
    _ finished: Finished, queue: JobQueue, moved: Set<DocumentID>, context: RequestContext,
    progress: @escaping IngestionProgressHandler, into summary: inout IngestionSummary
  ) async throws -> DocumentID? {
    let job = finished.job
    do {
      switch finished.outcome {
      case .same(let known):
        try await index.updateStamp(known.document.id, stamp: finished.object.stamp)
        try await queue.complete(job, seconds: [:])
        summary.unchanged += 1
        if isStale(known) { summary.stale += 1 }
        await progress(.unchanged(finished.object.uri))
      case .renamed(let known) where !moved.contains(known.document.id):
        try await index.move(known.document.id, to: finished.object.uri, stamp: finished.object.stamp)
        try await jobs.remove(known.document.uri, collection: known.document.collection)
        try await queue.complete(job, seconds: [:])
        summary.moved += 1
        await progress(.moved(from: known.document.uri, to: finished.object.uri))
        return known.document.id
      case .renamed(let known):
        // Two new files with the bytes of one that is gone: the second is a copy, read from the stored pages.
        let copied = try await copy(of: known, at: finished.object)
        try await store(copied, job: job, queue: queue, context: context, progress: progress, into: &summary)
      case .extracted(let prepared):
        try await store(prepared, job: job, queue: queue, context: context, progress: progress, into: &summary)
      case .failed(let error):
        throw error
      }
    } catch {
      try await fail(finished, error: error, queue: queue, context: context, progress: progress, into: &summary)
    }
    return nil
  }

  private func copy(of known: IndexedSource, at object: SourceObject) async throws -> Prepared {
    let version = known.document.version
    var found = try await storedExtraction(of: version)
    if found == nil, let stored = try await index.extraction(of: version, pipeline: known.pipeline) {
      // Pages of an earlier pipeline make a document of that pipeline, which a rebuild will renew.
      found = (stored, known.pipeline.rechunked(by: chunker.version))
    }
    guard let (stored, pipeline) = found else {
      throw IngestionError(
        code: "ingest.copy_unreadable", category: .unavailable,
        message: "the pages of \(known.document.name) are gone from the index", remedy: "Run the command again")
    }
    let document = try await document(for: object, live: nil, version: version)
    let chunks = chunker.chunks(of: stored.pages, document: document, metadata: stored.metadata, pipeline: pipeline)
    return Prepared(
      document: document, object: object, byteCount: object.byteCount, isNew: true, extraction: stored,
      pipeline: pipeline, chunks: chunks, previous: nil, seconds: [:])
  }

  private func store(
    _ prepared: Prepared, job: IngestionJob, queue: JobQueue, context: RequestContext,
    progress: @escaping IngestionProgressHandler, into summary: inout IngestionSummary
  ) async throws {
    var seconds = prepared.seconds
    let indexed = try await embedAndCommit(
      prepared, seconds: &seconds, context: context, progress: progress
    ) {
      try await queue.extend(job)
    }
    try await queue.complete(job, seconds: seconds)
    summary.add(seconds: seconds)
    summary.add(indexed, isNew: prepared.isNew)
    if !pipeline.isCurrent(prepared.pipeline, coverage: prepared.extraction.coverage) { summary.stale += 1 }
    await progress(.committed(CommittedDocument(indexed, isNew: prepared.isNew)))
  }

  private func fail(
    _ finished: Finished, error: any Error, queue: JobQueue, context: RequestContext,
    progress: IngestionProgressHandler, into summary: inout IngestionSummary
  ) async throws {
    let known = Self.categorized(error, name: finished.object.uri.name)
    if known.category == .cancelled || Task.isCancelled {
      await release(finished.job, queue: queue)
      throw CancellationError()
    }
    let willRetry = try await queue.fail(finished.job, error: known)
    let failure = FailedObject(
      name: finished.object.uri.rawValue, code: known.code, message: known.message, remedy: known.remedy,
      willRetry: willRetry)
    summary.add(failure)
    await progress(.failed(failure))
    telemetry.metric(
      MetricName.documents, 1, unit: .count,
      dimensions: [DimensionName.outcome: "failed", DimensionName.code: known.code])
    if known.category == .storageFull { throw known }
  }

  static func categorized(_ error: any Error, name: String) -> any CategorizedError {
    if let error = error as? any CategorizedError { return error }
    if error is CancellationError {
      return IngestionError(
        code: "ingest.cancelled", category: .cancelled, message: "ingestion of \(name) was interrupted")
    }
    return IngestionError(
      code: "ingest.failed", category: .internal, message: "\(name): \(error)", underlying: error)
  }
}
