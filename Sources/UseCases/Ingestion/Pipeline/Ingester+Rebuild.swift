public import Core

/// `ingest --rebuild`: every document by the current pipeline and embedding model, with the old answers in
/// service until the new ones are complete.
extension Ingester {
  /// Renews every document that another pipeline or model made, then searches the new embeddings.
  ///
  /// Pages come from the original bytes where those can be had, else from the stored pages; the latter keep
  /// their old pipeline version and stay marked stale. A run that is cut short goes on where it was. Documents
  /// that cannot be renewed are in the summary, and then the old embeddings stay in service.
  /// - Parameter bytes: Where original bytes are found; nil to use stored pages only.
  public func rebuild(
    bytes: (any DocumentBytes)?, context: RequestContext, progress: @escaping IngestionProgressHandler = { _ in }
  ) async throws -> IngestionSummary {
    var summary = IngestionSummary()
    var cursor: String?
    repeat {
      let page = try await index.catalogue(collections: nil, state: nil, limit: 100, after: cursor)
      for entry in page.entries {
        try Task.checkCancellation()
        try await rebuild(entry, bytes: bytes, context: context, progress: progress, into: &summary)
      }
      cursor = page.next
    } while cursor != nil
    if summary.failed.isEmpty, let active = try await index.activeIdentity(), active != embedder.identity {
      try await index.activate(embedder.identity)
    }
    return summary
  }

  private func rebuild(
    _ entry: CatalogueEntry, bytes: (any DocumentBytes)?, context: RequestContext,
    progress: @escaping IngestionProgressHandler, into summary: inout IngestionSummary
  ) async throws {
    let uri = entry.document.uri
    guard let known = try await index.source(at: uri, collection: entry.document.collection), !known.isTombstone
    else { return }
    if known.identity == embedder.identity, !isStale(known) {
      summary.unchanged += 1
      await progress(.unchanged(uri))
      return
    }
    await progress(.started(uri))
    do {
      var seconds: [String: Double] = [:]
      let started = ContinuousClock.now
      let (extraction, pipeline) = try await renewed(entry, known: known, bytes: bytes, progress: progress)
      if pipeline == known.pipeline, known.identity == embedder.identity {
        // Its original is gone, and its pages were cut anew already: nothing would change.
        summary.unchanged += 1
        summary.stale += 1
        await progress(.unchanged(uri))
        return
      }
      let chunks = chunker.chunks(
        of: extraction.pages, document: known.document, metadata: extraction.metadata, pipeline: pipeline)
      seconds["extract"] = (ContinuousClock.now - started).seconds
      let object = SourceObject(
        uri: uri, collection: entry.document.collection, byteCount: entry.byteCount, modified: now(),
        stamp: known.stamp)
      var prepared = Prepared(
        document: known.document, object: object, byteCount: entry.byteCount, isNew: false, extraction: extraction,
        pipeline: pipeline, chunks: chunks, previous: known, seconds: seconds)
      prepared.extraction.metadata.attributes = entry.metadata.attributes
      let indexed = try await embedAndCommit(
        prepared, seconds: &seconds, context: context, progress: progress
      ) {}
      summary.add(seconds: seconds)
      summary.add(indexed, isNew: false)
      if !self.pipeline.isCurrent(pipeline, coverage: extraction.coverage) { summary.stale += 1 }
      await progress(.committed(CommittedDocument(indexed, isNew: false)))
    } catch {
      let problem = Self.categorized(error, name: uri.name)
      if problem.category == .cancelled || problem.category == .storageFull { throw problem }
      let failure = FailedObject(
        name: uri.rawValue, code: problem.code, message: problem.message, remedy: problem.remedy, willRetry: false)
      summary.add(failure)
      await progress(.failed(failure))
    }
  }

  /// The pages of a document by the current pipeline, else the stored ones with the pipeline that made them.
  private func renewed(
    _ entry: CatalogueEntry, known: IndexedSource, bytes: (any DocumentBytes)?,
    progress: @escaping IngestionProgressHandler
  ) async throws -> (StoredExtraction, PipelineVersion) {
    let version = known.document.version
    if let stored = try await storedExtraction(of: version) { return stored }
    if !isStale(known), let stored = try await index.extraction(of: version, pipeline: known.pipeline) {
      // Recognition is off now, and its text is kept.
      return (stored, known.pipeline)
    }
    if let bytes {
      do {
        let path = try await bytes.file(for: version, uri: known.document.uri)
        let copy = LocalCopy(path: path, version: version, byteCount: entry.byteCount, isTemporary: false)
        let fresh = try await extraction.extraction(of: copy, uri: known.document.uri, progress: progress)
        return (fresh.pages, pipeline.version(after: fresh.recognition))
      } catch let error as any CategorizedError where error.category == .gone || error.category == .notFound {
        // The stored pages are all there is.
      }
    }
    guard let stored = try await index.extraction(of: version, pipeline: known.pipeline) else {
      throw IngestionError(
        code: "ingest.pages_missing", category: .corrupt,
        message: "the stored pages of \(known.document.name) cannot be read", remedy: "Ingest the file again")
    }
    return (stored, known.pipeline.rechunked(by: chunker.version))
  }
}
