public import Core
import FoundationEssentials

extension OpenSearchDocumentIndex {
  /// The chunks of these ids in the space that is searched.
  public func chunks(_ ids: [ChunkID]) async throws -> [ChunkID: StoredChunk] {
    let wanted = Array(Set(ids))
    guard !wanted.isEmpty else { return [:] }
    return try await cluster.withSnapshot { [self] state in
      guard let active = state.active else { return [:] }
      var bodies: [StoredChunkBody] = []
      for start in stride(from: 0, to: wanted.count, by: 500) {
        let part = wanted[start..<min(start + 500, wanted.count)]
        let snapshot = state.filters
        bodies += try await cluster.hits(
          StoredChunkBody.self, names.chunks(active),
          [
            "size": 1_000, "track_total_hits": false,
            "_source": ["includes": ["vn", "chunk", "document", "ordinal", "hash", "words", "record"]],
            "query": [
              "bool": [
                "filter": [snapshot.filter, ["terms": ["chunk": .strings(part.map(\.rawValue))]]],
                "must_not": .array(snapshot.mustNot),
              ]
            ],
          ], doing: "reading chunks"
        ).compactMap(\.source)
      }
      let records = try await documents(Set(bodies.map(\.document)))
      var found: [ChunkID: StoredChunk] = [:]
      for body in bodies {
        // The record is read after the state: a revision of the snapshot is in it, unless it was cleared away since.
        guard let record = records[body.document],
          let revision = record.revisions.first(where: { $0.vn == body.vn })
        else { continue }
        let id = ChunkID(rawValue: body.chunk)
        let document = record.document(revision)
        found[id] = StoredChunk(
          chunk: try body.chunk(id),
          document: DocumentReference(
            id: document.id, name: document.name, uri: document.uri, version: document.version,
            collection: document.collection, title: revision.metadata.title),
          textHash: TextHash(rawValue: body.hash))
      }
      return found
    }
  }

  func documents(_ ids: Set<String>) async throws -> [String: DocumentRecord] {
    guard !ids.isEmpty else { return [:] }
    return try await cluster.records(
      DocumentRecord.self, names.documents, ids.sorted(), leavingOut: ["record.revisions.outline"],
      doing: "reading documents"
    ).compactMapValues(\.record)
  }

  // MARK: Pages

  /// The revision of a document that readers see.
  private func shown(_ id: DocumentID, _ state: StoreState) async throws -> DocumentRecord.Revision? {
    try await documents([id.rawValue])[id.rawValue]?.shown(state)
  }

  /// One page of the version that is searched.
  public func page(_ number: Int, of id: DocumentID) async throws -> Page? {
    try await pages([number], of: id).first
  }

  /// Several pages of the version that is searched, by number; those that are not there are left out.
  public func pages(_ numbers: [Int], of id: DocumentID) async throws -> [Page] {
    guard !numbers.isEmpty else { return [] }
    return try await cluster.withSnapshot { [self] state in
      guard let revision = try await shown(id, state) else { return [] }
      struct Got: MultiGetItem {
        var source: StoredPageBody?
        var error: FailureCause?
        enum CodingKeys: String, CodingKey {
          case source = "_source"
          case error
        }
      }
      var pages: [Page] = []
      let wanted = Set(numbers).filter { $0 > 0 && $0 <= revision.pageCount }.sorted()
      for start in stride(from: 0, to: wanted.count, by: 50) {
        let part = wanted[start..<min(start + 50, wanted.count)]
        let got = try await cluster.multiGet(
          Got.self, names.pages, part.map { "\(revision.vn)-\($0)" }, doing: "reading pages")
        pages += try got.compactMap { try $0.source?.page() }
      }
      return pages
    }
  }

  /// The state of every page, by number.
  public func coverage(of id: DocumentID) async throws -> [PageState] {
    try await cluster.withSnapshot { [self] state in
      guard let revision = try await shown(id, state) else { return [] }
      var states: [PageState] = []
      try await forEachPage(of: revision, source: StoredPageBody.state, page: 5_000) { states.append($0.pageState) }
      return states
    }
  }

  func forEachPage(
    of revision: DocumentRecord.Revision, source: JSON, page: Int, _ visit: (StoredPageBody) throws -> Void
  ) async throws {
    try await cluster.forEachHit(
      StoredPageBody.self, names.pages, query: ["term": ["vn": .int(revision.vn)]], sort: ["number"], page: page,
      source: source, doing: "reading pages"
    ) { hit, _ in
      try visit(hit)
      return true
    }
  }

  /// How many unreadable pages each of these documents has; those without any are left out.
  public func unreadablePages(of ids: Set<DocumentID>) async throws -> [DocumentID: Int] {
    guard !ids.isEmpty else { return [:] }
    return try await cluster.withSnapshot { [self] state in
      var counts: [DocumentID: Int] = [:]
      for (id, record) in try await documents(Set(ids.map(\.rawValue))) {
        let coverage = record.shown(state)?.coverage ?? [:]
        let count = coverage.reduce(0) { $0 + ($1.key.isUnreadable ? $1.value : 0) }
        if count > 0 { counts[DocumentID(rawValue: id)] = count }
      }
      return counts
    }
  }

  /// The extraction of equal bytes under the same pipeline version; the newest, if there are several.
  public func extraction(of version: ContentVersion, pipeline: PipelineVersion) async throws -> StoredExtraction? {
    try await cluster.withSnapshot { [self] state in
      struct Hit: Decodable { var record: DocumentRecord }
      let hits = try await cluster.hits(
        Hit.self, names.documents,
        ["size": 100, "query": ["term": ["content": .string(version.rawValue)]]], doing: "looking for equal bytes")
      let revision = hits.compactMap(\.source).flatMap { $0.record.visible(state) }
        .filter { $0.version == version.rawValue && $0.pipeline == pipeline.rawValue }
        .max { $0.vn < $1.vn }
      guard let revision else { return nil }
      var metadata = revision.metadata
      metadata.attributes = [:]
      var extraction = StoredExtraction(
        metadata: metadata, pageCount: revision.pageCount, pages: [], outline: revision.outline ?? [],
        damage: revision.damage)
      try await forEachPage(of: revision, source: true, page: 50) { extraction.pages.append(try $0.page()) }
      return extraction
    }
  }

  // MARK: Catalogue

  private func entry(_ record: DocumentRecord, _ state: StoreState) -> CatalogueEntry? {
    guard let revision = record.shown(state) else { return nil }
    // The place is the newest commit's, the rest what is searched.
    var document = record.document(revision)
    if let newest = record.visible(state).last, newest.uri != revision.uri {
      document = Document(
        id: document.id, collection: document.collection, uri: SourceURI(rawValue: newest.uri),
        generation: document.generation, version: document.version)
    }
    return CatalogueEntry(
      document: document, metadata: revision.metadata, state: revision.state, reason: revision.reason,
      pageCount: revision.pageCount, coverage: revision.coverage, chunkCount: revision.chunkCount,
      byteCount: revision.byteCount, pipeline: PipelineVersion(rawValue: revision.pipeline), indexed: revision.indexed)
  }

  /// One document of the catalogue.
  public func entry(_ id: DocumentID) async throws -> CatalogueEntry? {
    let state = try await state()
    return try await documents([id.rawValue])[id.rawValue].flatMap { entry($0, state) }
  }

  /// Documents by id, `limit` (1 to 1,000) a page.
  public func catalogue(
    collections: Set<CollectionName>?, state wanted: DocumentState?, limit: Int, after cursor: String?
  ) async throws -> CataloguePage {
    let limit = min(max(1, limit), 1_000)
    let state = try await state()
    let query: JSON =
      collections.map { ["terms": ["collection": .strings($0.map(\.rawValue))]] } ?? ["match_all": .object([])]
    var entries: [CatalogueEntry] = []
    try await forEachDocument(query: query, after: cursor, page: limit + 1, doing: "listing documents") { record in
      if let entry = entry(record, state), wanted.map({ entry.state == $0 }) ?? true { entries.append(entry) }
      return entries.count <= limit
    }
    guard entries.count > limit else { return CataloguePage(entries: entries, next: nil) }
    entries.removeLast()
    return CataloguePage(entries: entries, next: entries.last?.document.id.rawValue)
  }

  /// The collections that have documents, with how many.
  public func collections() async throws -> [CollectionName: Int] {
    let counts = try await state().collections
    return Dictionary(uniqueKeysWithValues: counts.map { (CollectionName(rawValue: $0), $1) })
  }

  /// Totals over what readers see.
  public func totals(pipeline: CurrentPipeline, identity: EmbeddingIdentity) async throws -> IndexTotals {
    let state = try await state()
    let space = state.space(of: identity)?.key
    var totals = IndexTotals(documents: 0, pages: 0, chunks: 0, states: [:], stale: 0)
    try await forEachDocument(doing: "counting documents") { record in
      guard let revision = record.shown(state) else { return true }
      totals.documents += 1
      totals.pages += revision.pageCount
      totals.chunks += revision.chunkCount
      totals.states[revision.state.rawValue, default: 0] += 1
      let isCurrent = record.visible(state).contains {
        $0.space == space
          && pipeline.isCurrent(PipelineVersion(rawValue: $0.pipeline), coverage: $0.coverage)
      }
      if !isCurrent { totals.stale += 1 }
      return true
    }
    return totals
  }
}
