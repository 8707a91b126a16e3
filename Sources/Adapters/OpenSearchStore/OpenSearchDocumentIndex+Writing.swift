import Concurrency
public import Core
public import FoundationEssentials

extension OpenSearchDocumentIndex {
  /// Writes one version of a document beside its earlier one, then shows it in its place with one write of the state.
  ///
  /// Killed at any step before that write, the earlier version stays whole; after it, the new one is. The rest is
  /// cleared away when the writer's time is over.
  @discardableResult
  public func commit(_ indexed: IndexedDocument) async throws -> StoreVersion {
    for chunk in indexed.chunks where chunk.embedding.vector.count != indexed.identity.dimension {
      throw OpenSearchError.wrongDimension(
        "the vector of chunk \(chunk.chunk.id)", chunk.embedding.vector.count, indexed.identity)
    }
    let document = indexed.document
    let doing = "indexing \(document.name)"
    let (lease, space) = try await write(indexed, doing: doing)
    let version = try await publisher.publish(.init(document: document, vn: lease.vn, space: space.key))
    try await cluster.changePlace(document.uri, document.collection, doing: doing) { place in
      guard place.tombstone != nil else { return false }
      place.tombstone = nil
      return true
    }
    try await cluster.pointAliasIfActive(space.key)
    await cluster.sweepIfDue()
    return version
  }

  /// Writes everything of a version, hidden.
  private func write(
    _ indexed: IndexedDocument, doing: String
  ) async throws -> (lease: WriteLease, space: StoreState.Space) {
    let document = indexed.document
    try await claim(document, doing: doing)
    let space = try await space(of: indexed.identity)
    let lease = try await WriteLease.take(for: document, space: space, in: cluster)
    do {
      let revision = Self.revision(of: indexed, vn: lease.vn, space: space.key)
      try await cluster.changeDocument(document.id, doing: doing) { record in
        var record = record ?? DocumentRecord(document)
        record.revisions.removeAll { $0.vn == lease.vn }
        record.revisions.append(revision)
        return record
      }
      let writer = BulkWriter(client: client) { try await lease.extendIfNeeded() }
      try await writer.write(pageItems(indexed, vn: lease.vn, space: space.key), doing: doing)
      try await writer.write(chunkItems(indexed, vn: lease.vn, space: space.key), doing: doing)
      try await lease.extendIfNeeded()
    } catch {
      // Best effort: else the next sweep finds it when its time is over.
      await lease.giveUp()
      throw error
    }
    return (lease, space)
  }

  /// Writes a version and leaves it there, as a worker does that is killed; its time is over at once. For tests.
  package func abandon(_ indexed: IndexedDocument) async throws {
    let (lease, _) = try await write(indexed, doing: "abandoning \(indexed.document.name)")
    await lease.giveUp()
  }

  /// Notes that a document is, or will be, at its URI.
  private func claim(_ document: Document, doing: String) async throws {
    let state = try await state()
    try await cluster.changePlace(document.uri, document.collection, doing: doing) { place in
      let others = place.claims.filter { $0 != document.id.rawValue }
      if let other = try await cluster.living(others, at: document.uri, in: state) {
        throw OpenSearchError.uriTaken(document.uri, by: other)
      }
      // Documents began where their generation says; one that was renamed began elsewhere.
      let began = try await self.document(document.id) == nil
      let next = began ? max(place.nextGeneration, document.generation + 1) : place.nextGeneration
      if place.claims.contains(document.id.rawValue), next == place.nextGeneration { return false }
      place.claims.append(document.id.rawValue)
      place.claims = Array(Set(place.claims)).sorted()
      place.nextGeneration = next
      return true
    }
  }

  /// The space of an identity, made when there is none.
  func space(of identity: EmbeddingIdentity) async throws -> StoreState.Space {
    let measure = cluster.configuration.chosenSpace
    let space = try await client.change(doing: "making the index of \(identity.summary)") { state in
      if let space = state.space(of: identity) { return Changed(state, space) }
      var state = state
      // Never a name that was used: records of an earlier space of this identity may still be about.
      let key = "\(RecordID.of(identity.canonical).prefix(8))-\(state.next)"
      let space = StoreState.Space(key: key, identity: identity, measure: measure.rawValue)
      state.next += 1
      state.spaces.append(space)
      return Changed(state, space)
    }
    guard let space else { throw OpenSearchError.noState(cluster.configuration.index) }
    try await cluster.makeChunks(space)
    return space
  }

  private static func revision(of indexed: IndexedDocument, vn: Int, space: String) -> DocumentRecord.Revision {
    DocumentRecord.Revision(
      vn: vn, space: space, uri: indexed.document.uri.rawValue, version: indexed.document.version.rawValue,
      stamp: indexed.sourceStamp, pipeline: indexed.pipeline.rawValue, metadata: indexed.metadata,
      pageCount: indexed.pageCount,
      coverage: indexed.pages.reduce(into: [:]) { $0[$1.coverage, default: 0] += 1 }, state: indexed.state,
      reason: indexed.reason, byteCount: indexed.byteCount, chunkCount: indexed.chunks.count,
      outline: indexed.outline, damage: indexed.damage, indexed: indexed.indexed)
  }

  private func pageItems(
    _ indexed: IndexedDocument, vn: Int, space: String
  ) -> some Sequence<BulkWriter.Item> {
    let index = names.pages
    return indexed.pages.lazy.map { page in
      .write(index, "\(vn)-\(page.number)") {
        PageBody(page: page, vn: vn, space: space, document: indexed.document.id).append(to: &$0)
      }
    }
  }

  private func chunkItems(
    _ indexed: IndexedDocument, vn: Int, space: String
  ) -> some Sequence<BulkWriter.Item> {
    let index = names.chunks(space)
    return indexed.chunks.lazy.map { chunk in
      .write(index, "\(vn)-\(chunk.chunk.ordinal)") {
        ChunkBody(
          source: chunk, vn: vn, collection: indexed.document.collection, attributes: indexed.metadata.attributes
        ).append(to: &$0)
      }
    }
  }

  // MARK: - Deletion

  /// Removes a document from what readers see, in every space, with one write; its records are cleared away later.
  @discardableResult
  public func delete(_ id: DocumentID, tombstone: Bool, now: Date) async throws -> [ChunkID] {
    let doing = "deleting document \(id)"
    let state = try await state()
    guard let record = try await document(id), let newest = record.visible(state).last else { return [] }
    let uri = SourceURI(rawValue: newest.uri)
    let collection = CollectionName(rawValue: record.collection)
    if tombstone, let space = state.spaces.first(where: { $0.key == newest.space }) {
      try await cluster.changePlace(uri, collection, doing: doing) { place in
        place.tombstone = .init(
          document: id.rawValue, generation: record.generation, version: newest.version, stamp: newest.stamp,
          pipeline: newest.pipeline, identity: space.identity, deleted: now)
        return true
      }
    }
    let chunks = try await chunkIDs(of: record.visible(state), doing: doing)
    let retires = try await cluster.retirement()
    try await client.change(doing: doing) { (state) -> Changed<Void>? in
      guard let record = try await self.document(id) else { return nil }
      let visible = record.visible(state)
      guard !visible.isEmpty else { return nil }
      var state = state
      state.hidden += visible.map {
        .init(vn: $0.vn, document: id.rawValue, space: $0.space, kind: .retired, until: retires)
      }
      state.count(-1, in: record.collection)
      state.version += 1
      if state.documents == 0 {
        // An empty index has no identity: the next commit chooses.
        state.active = nil
        state.dropped += state.spaces.map(\.key)
        state.spaces = []
      }
      return Changed(state)
    }
    if !tombstone {
      try await cluster.changePlace(uri, collection, doing: doing) { place in
        guard place.tombstone != nil else { return false }
        place.tombstone = nil
        return true
      }
    }
    await cluster.sweepIfDue()
    return chunks
  }

  private func chunkIDs(of revisions: [DocumentRecord.Revision], doing: String) async throws -> [ChunkID] {
    struct Chunk: Decodable { var chunk: String }
    var ids = Set<ChunkID>()
    for revision in revisions where revision.chunkCount > 0 {
      try await cluster.forEachHit(
        Chunk.self, names.chunks(revision.space), query: ["term": ["vn": .int(revision.vn)]], sort: ["ordinal"],
        page: 5_000, source: ["includes": ["chunk"]], doing: doing
      ) { hit, _ in
        ids.insert(ChunkID(rawValue: hit.chunk))
        return true
      }
    }
    return ids.sorted()
  }

  // MARK: - The end of a rebuild

  /// Searches `identity` from now on and drops the other spaces.
  public func activate(_ identity: EmbeddingIdentity) async throws {
    let doing = "switching to \(identity.summary)"
    for _ in 0..<50 {
      guard let read = try await client.state() else {
        throw OpenSearchError.noState(cluster.configuration.index)
      }
      var state = read.state
      let space = state.space(of: identity)
      if let space, state.active == space.key, state.spaces.count == 1 { return }
      let missing = try await documentsMissing(from: space, state, doing: doing)
      guard missing == 0 else {
        throw OpenSearchError(
          "index.rebuild_incomplete", .conflict,
          "\(missing) documents have no vectors of \(identity.summary) in their newest version yet",
          remedy: "Run `quarry ingest --rebuild` again; it goes on where it stopped.")
      }
      guard let space else { return }
      state.dropped += state.spaces.filter { $0.key != space.key }.map(\.key)
      state.spaces = [space]
      state.active = space.key
      state.version += 1
      // Whoever committed meanwhile may have brought a document that the new space has not.
      if try await client.replace(read, with: state, doing: doing) {
        try await cluster.pointAlias(at: space.key)
        await cluster.sweepIfDue(force: true)
        return
      }
    }
    throw OpenSearchError(
      "store.busy", .unavailable, "\(doing): documents came faster than they could be looked at",
      remedy: "Run it again when ingestion has finished.")
  }

  private func documentsMissing(
    from space: StoreState.Space?, _ state: StoreState, doing: String
  ) async throws -> Int {
    var missing = 0
    try await forEachDocument(doing: doing) { record in
      let visible = record.visible(state)
      guard let newest = visible.last else { return true }
      if !visible.contains(where: { $0.space == space?.key && $0.version == newest.version }) { missing += 1 }
      return true
    }
    return missing
  }

  /// Every record of a document, by id, without outlines.
  func forEachDocument(
    query: JSON = ["match_all": .object([])], after: String? = nil, page: Int = 1_000, doing: String,
    _ visit: (DocumentRecord) async throws -> Bool
  ) async throws {
    struct Document: Decodable { var record: DocumentRecord }
    try await cluster.forEachHit(
      Document.self, names.documents, query: query, sort: ["id"], page: page, after: after.map { [.text($0)] },
      source: ["includes": ["record"], "excludes": ["record.revisions.outline"]], doing: doing
    ) { hit, _ in try await visit(hit.record) }
  }
}
