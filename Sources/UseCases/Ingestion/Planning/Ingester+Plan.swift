public import Core

/// `ingest --plan`: what an ingestion would do, from real extraction where that is affordable.
extension Ingester {
  private struct Candidate: Sendable {
    var item: Reconciliation.Item
    var source: any DocumentSource
    var gone: [ContentVersion: [IndexedSource]]
  }

  /// A new or changed document as planned.
  private struct Planned: Sendable {
    var isNew: Bool
    var byteCount: Int
    var pages: Int
    var recognizable: Int
    var texts: [String]
  }

  private enum Finding: Sendable {
    case same(isStale: Bool)
    case renamed
    case read(Planned)
    case failed(FailedObject)
  }

  /// Says what ``ingest(_:request:context:progress:)`` would do with `sources`. Reads the index and the files and
  /// writes nothing; documents are read `extractionWidth` at a time, their texts one document at a time.
  /// - Throws: `index.identity_mismatch`; cancellation, and failures of the store. What fails of single documents
  ///   and sources is in the plan.
  public func plan(
    _ sources: [any DocumentSource], request: PlanningRequest = .init(),
    progress: @escaping IngestionProgressHandler = { _ in }
  ) async throws -> IngestionPlan {
    try await checkIdentity()
    var plan = IngestionPlan()
    let all = try await candidates(of: sources, into: &plan)
    plan.candidates = all.count
    let chosen = Self.chosen(all, sample: request.sample)
    await progress(.found(root: sources.first?.root ?? SourceURI(rawValue: ""), objects: chosen.count, skipped: 0))
    let sampler = PlanSampler(ingester: self, request: request)
    let started = ContinuousClock.now
    var bytes = 0
    try await withThrowingTaskGroup(of: (SourceURI, Int, Finding).self) { group in
      var waiting = chosen[...]
      func startNext() {
        guard let candidate = waiting.popFirst() else { return }
        group.addTask {
          let object = candidate.item.object
          return (object.uri, object.byteCount, try await finding(of: candidate, sampler: sampler, progress: progress))
        }
      }
      for _ in 0..<settings.extractionWidth { startNext() }
      while let (uri, size, finding) = try await group.next() {
        bytes += size
        switch finding {
        case .same(let isStale):
          plan.unchanged += 1
          plan.stale += isStale ? 1 : 0
          plan.read += 1
          await progress(.unchanged(uri))
        case .renamed:
          plan.renamed += 1
          plan.read += 1
          await progress(.unchanged(uri))
        case .read(let document):
          let count = try await sampler.count(document.texts)
          plan.chunks += document.texts.count
          plan.reusedEmbeddings += count.reused
          plan.tokens += count.tokens
          plan.areTokensCounted = plan.areTokensCounted && count.areTokensCounted
          if document.isNew { plan.new += 1 } else { plan.changed += 1 }
          plan.read += 1
          plan.pages += document.pages
          plan.recognizedPages += document.recognizable
          await progress(.planned(uri, pages: document.pages, chunks: document.texts.count))
        case .failed(let failure):
          plan.failed.append(failure)
          await progress(.failed(failure))
        }
        startNext()
      }
    }
    let lookedAt = await sampler.recognitionTime
    plan.readingSeconds = max(0, (ContinuousClock.now - started - lookedAt).seconds)
    if chosen.count < all.count {
      let total = all.reduce(0) { $0 + $1.item.object.byteCount }
      plan.extrapolate(by: bytes > 0 ? Double(total) / Double(bytes) : Double(all.count) / Double(chosen.count))
      let rest = Set(all.map(\.item.object.uri)).subtracting(chosen.map(\.item.object.uri))
      for candidate in all where rest.contains(candidate.item.object.uri) {
        if candidate.item.known.map({ !$0.isTombstone }) == true { plan.changed += 1 } else { plan.new += 1 }
      }
    }
    return try await sampler.measured(plan)
  }

  private func candidates(
    of sources: [any DocumentSource], into plan: inout IngestionPlan
  ) async throws -> [Candidate] {
    var candidates: [Candidate] = []
    for source in sources {
      do {
        let known = try await index.sources(under: source.root, collection: source.collection)
        let listing = try await source.list()
        let found = Reconciliation(listing: listing, root: source.root, known: known)
        plan.unchanged += found.unchanged.count
        plan.stale += found.unchanged.count { $0.known.map(isStale) ?? false }
        plan.skipped += listing.skipped
        plan.skipped += found.tombstoned.map {
          SkippedObject(
            name: $0.object.uri.rawValue, code: "ingest.tombstone",
            reason: "it was deleted from the index while its file stayed; ingest it by name to bring it back")
        }
        let gone = listing.isComplete ? Dictionary(grouping: found.missing, by: \.document.version) : [:]
        candidates += found.changed.map { Candidate(item: $0, source: source, gone: gone) }
      } catch let error as any CategorizedError where Self.isOfSource(error) {
        plan.failed.append(Self.failure(error, name: source.root.rawValue))
      }
    }
    return candidates
  }

  /// All, or `sample` of them, evenly over their sizes.
  private static func chosen(_ all: [Candidate], sample: Int?) -> [Candidate] {
    guard let sample, sample < all.count else { return all }
    let bySize = all.sorted {
      ($0.item.object.byteCount, $0.item.object.uri) < ($1.item.object.byteCount, $1.item.object.uri)
    }
    return (0..<sample).map { bySize[(2 * $0 + 1) * bySize.count / (2 * sample)] }
  }

  private func finding(
    of candidate: Candidate, sampler: PlanSampler, progress: @escaping IngestionProgressHandler
  ) async throws -> Finding {
    let object = candidate.item.object
    await progress(.started(object.uri))
    do {
      let copy = try await candidate.source.fetch(object)
      let result: Result<Finding, any Error>
      do {
        result = .success(try await finding(of: candidate, copy: copy, sampler: sampler, progress: progress))
      } catch { result = .failure(error) }
      await candidate.source.discard(copy)
      return try result.get()
    } catch {
      let known = Self.categorized(error, name: object.uri.name)
      if known.category == .cancelled || Task.isCancelled { throw CancellationError() }
      return .failed(Self.failure(known, name: object.uri.rawValue))
    }
  }

  private func finding(
    of candidate: Candidate, copy: LocalCopy, sampler: PlanSampler, progress: @escaping IngestionProgressHandler
  ) async throws -> Finding {
    let object = candidate.item.object
    let live = candidate.item.known.flatMap { $0.isTombstone ? nil : $0 }
    if let live, live.document.version == copy.version { return .same(isStale: isStale(live)) }
    if live == nil, candidate.gone[copy.version] != nil { return .renamed }
    let stored = try await storedExtraction(of: copy.version)?.0
    let pages: StoredExtraction
    var needy: [Int] = []
    if let stored {
      pages = stored
    } else {
      let extraction = DocumentExtraction(
        reader: reader, hygiene: PageHygiene(), passwords: settings.passwords, recognition: nil)
      pages = try await extraction.extraction(of: copy, uri: object.uri, progress: progress).pages
      needy = recognition?.pages(of: pages.pages) ?? []
      if let first = needy.first, let page = pages.pages.first(where: { $0.number == first }) {
        try await sampler.recognize(page, path: copy.path)
      }
    }
    let document = try await document(for: object, live: live, version: copy.version)
    let chunks = chunker.chunks(
      of: pages.pages, document: document, metadata: pages.metadata, pipeline: pipeline.base)
    return .read(
      Planned(
        isNew: live == nil, byteCount: copy.byteCount, pages: pages.pageCount,
        recognizable: min(needy.count, recognition?.settings.pagesPerDocument ?? 0),
        texts: chunks.map(\.embeddedText)))
  }

  private static func failure(_ error: any CategorizedError, name: String) -> FailedObject {
    FailedObject(name: name, code: error.code, message: error.message, remedy: error.remedy, willRetry: false)
  }
}
