import Core
import Telemetry

/// The last stages, shared by ingestion and rebuild.
extension Ingester {
  /// Embeds the chunks of a document, commits it and tells telemetry. `alive` is called between batches.
  func embedAndCommit(
    _ prepared: Prepared, seconds: inout [String: Double], context: RequestContext,
    progress: IngestionProgressHandler, alive: () async throws -> Void
  ) async throws -> IndexedDocument {
    let document = prepared.document
    let started = ContinuousClock.now
    let chunks = try await embedding.embedded(prepared.chunks) { done in
      try await alive()
      await progress(.embedded(document.uri, chunks: done, of: prepared.chunks.count))
    }
    let embedded = ContinuousClock.now
    let (state, reason) = DocumentState.judged(by: prepared.extraction.pages, damage: prepared.extraction.damage)
    var metadata = prepared.extraction.metadata
    metadata.attributes.merge(settings.attributes) { _, given in given }
    let indexed = IndexedDocument(
      document: document, metadata: metadata, sourceStamp: prepared.object.stamp, byteCount: prepared.byteCount,
      pageCount: prepared.extraction.pageCount, pages: prepared.extraction.pages,
      outline: prepared.extraction.outline, damage: prepared.extraction.damage, chunks: chunks,
      identity: embedder.identity, pipeline: prepared.pipeline, state: state, reason: reason, indexed: now())
    let replaced = try await replacedChunks(of: prepared, by: indexed)
    try await index.commit(indexed)
    seconds["embed"] = (embedded - started).seconds
    seconds["commit"] = (ContinuousClock.now - embedded).seconds
    await record(indexed, replaced: replaced, seconds: seconds, context: context)
    return indexed
  }

  /// The chunks of the version that a commit replaces: ids follow from their parts, so they need not be read.
  private func replacedChunks(of prepared: Prepared, by indexed: IndexedDocument) async throws -> [ChunkID] {
    guard let previous = prepared.previous,
      previous.document.version != indexed.document.version || previous.pipeline != indexed.pipeline,
      let entry = try await index.entry(previous.document.id)
    else { return [] }
    return (0..<entry.chunkCount).map {
      ChunkID(
        document: entry.document.id, version: entry.document.version, pipeline: entry.pipeline, ordinal: $0)
    }
  }

  private func record(
    _ indexed: IndexedDocument, replaced: [ChunkID], seconds: [String: Double], context: RequestContext
  ) async {
    let document = indexed.document
    var events: [EventPayload] = replaced.map {
      .tombstone(TombstoneEvent(chunkID: $0, documentID: document.id))
    }
    let identity = indexed.identity.canonical
    events += indexed.chunks.map { chunk in
      .embedding(
        EmbeddingEvent(
          chunkID: chunk.chunk.id, documentID: document.id, version: document.version,
          pages: Array(Set(chunk.chunk.pages.map(\.page))).sorted(), embeddingIdentity: identity,
          vector: chunk.embedding.vector, reused: chunk.isReused))
    }
    await telemetry.recordWhenRoom(events, context: context, collection: document.collection)
    telemetry.metric(
      MetricName.documents, 1, unit: .count, dimensions: [DimensionName.outcome: indexed.state.rawValue])
    for (stage, value) in seconds {
      telemetry.metric(
        MetricName.stageSeconds, value, unit: .seconds, dimensions: [DimensionName.stage: "ingest.\(stage)"])
    }
  }
}

extension CommittedDocument {
  init(_ indexed: IndexedDocument, isNew: Bool) {
    self.init(
      id: indexed.document.id, uri: indexed.document.uri, isNew: isNew, state: indexed.state, reason: indexed.reason,
      pages: indexed.pageCount, chunks: indexed.chunks.count)
  }
}

extension IngestionSummary {
  /// Counts a committed document.
  mutating func add(_ indexed: IndexedDocument, isNew: Bool) {
    if isNew { new += 1 } else { updated += 1 }
    for page in indexed.pages { pages[page.coverage, default: 0] += 1 }
    recognizedPages += indexed.pages.count { $0.recognition != nil }
    if indexed.state != .ready { states[indexed.state, default: 0] += 1 }
    chunks += indexed.chunks.count
    let reused = indexed.chunks.lazy.filter(\.isReused).count
    embeddingsReused += reused
    embeddingsComputed += indexed.chunks.count - reused
  }
}
