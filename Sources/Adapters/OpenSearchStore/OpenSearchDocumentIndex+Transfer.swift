public import Core
import FoundationEssentials

extension OpenSearchDocumentIndex: StoreTransfer {
  /// The version that is searched, from one snapshot.
  public func exported(_ id: DocumentID) async throws -> IndexedDocument? {
    try await cluster.withSnapshot { [self] state in
      guard let record = try await document(id), let revision = record.shown(state),
        let space = state.spaces.first(where: { $0.key == revision.space })
      else { return nil }
      var pages: [Page] = []
      try await forEachPage(of: revision, source: true, page: 50) { pages.append(try $0.page()) }
      var chunks: [EmbeddedChunk] = []
      try await cluster.forEachHit(
        StoredChunkBody.self, names.chunks(space.key), query: ["term": ["vn": .int(revision.vn)]], sort: ["ordinal"],
        page: 200, doing: "reading chunks"
      ) { body, _ in
        guard let vector = body.vector, vector.count == space.identity.dimension else {
          throw OpenSearchError.damaged("chunk \(body.chunk) has no vector")
        }
        chunks.append(
          EmbeddedChunk(
            chunk: try body.chunk(ChunkID(rawValue: body.chunk)), textHash: TextHash(rawValue: body.hash),
            embedding: Embedding(unit: vector, norm: body.record.norm ?? 1), isReused: true))
        return true
      }
      guard chunks.count == revision.chunkCount, pages.count == revision.coverage.values.reduce(0, +) else {
        // Replaced and cleared away while it was read, or damaged: `verify` tells which.
        throw OpenSearchError.damaged("document \(id) lacks pages or chunks")
      }
      return IndexedDocument(
        document: record.document(revision), metadata: revision.metadata, sourceStamp: revision.stamp,
        byteCount: revision.byteCount, pageCount: revision.pageCount, pages: pages, outline: revision.outline ?? [],
        damage: revision.damage, chunks: chunks, identity: space.identity,
        pipeline: PipelineVersion(rawValue: revision.pipeline), state: revision.state, reason: revision.reason,
        indexed: revision.indexed)
    }
  }

  private struct Place: Decodable { var record: PlaceRecord }

  /// Every place that documents began at or were deleted at.
  public func placeHistories() async throws -> [PlaceHistory] {
    try await cluster.refresh([names.places])
    var places: [PlaceHistory] = []
    try await cluster.forEachHit(
      Place.self, names.places, query: ["match_all": .object([])], sort: ["collection", "uri"], doing: "reading places"
    ) { hit, _ in
      let record = hit.record
      places.append(
        PlaceHistory(
          collection: CollectionName(rawValue: record.collection), uri: SourceURI(rawValue: record.uri),
          nextGeneration: record.nextGeneration, tombstone: source(record), deleted: record.tombstone?.deleted))
      return true
    }
    return places
  }

  /// Takes over what another index knew of a place.
  public func restore(_ place: PlaceHistory) async throws {
    let state = try await state()
    try await cluster.changePlace(place.uri, place.collection, doing: "taking over \(place.uri)") { record in
      let before = record
      record.nextGeneration = max(record.nextGeneration, place.nextGeneration)
      if let stone = place.tombstone, record.tombstone == nil,
        try await cluster.living(record.claims, at: place.uri, in: state) == nil
      {
        record.tombstone = .init(
          document: stone.document.id.rawValue, generation: stone.document.generation,
          version: stone.document.version.rawValue, stamp: stone.stamp, pipeline: stone.pipeline.rawValue,
          identity: stone.identity, deleted: place.deleted ?? Date())
      }
      return record.nextGeneration != before.nextGeneration || record.tombstone?.document != before.tombstone?.document
    }
  }
}
