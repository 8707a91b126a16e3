public import Core

extension InMemoryDocumentIndex {
  /// The revision that readers see: of the active space, else the newest.
  private func shown(_ known: Live) -> IndexedDocument? {
    active.flatMap { known.revisions[$0] } ?? known.revisions[known.latest]
  }

  private func passes(_ known: Live, _ revision: IndexedDocument, _ filter: SearchFilter) -> Bool {
    (filter.collections?.contains(known.document.collection) ?? true)
      && (filter.documents?.contains(known.document.id) ?? true)
      && filter.attributes.allSatisfy { revision.metadata.attributes[$0.key] == $0.value }
  }

  /// Candidates of all requested legs. The lexical score is the number of distinct question words in the chunk,
  /// the trigram score that of trigrams.
  public func candidates(for request: CandidateRequest) async throws -> Candidates {
    if let asked = request.identity, request.embedding != nil, let active, !live.isEmpty, asked != active {
      throw CoreError(
        code: "index.identity_mismatch", category: .conflict,
        message: "the index holds vectors of \(active.summary), not of \(asked.summary)",
        remedy: "Run `quarry ingest --rebuild`.")
    }
    let searched: [EmbeddedChunk] = live.values.flatMap { known -> [EmbeddedChunk] in
      guard let revision = active.flatMap({ known.revisions[$0] }), passes(known, revision, request.filter)
      else { return [] }
      return revision.chunks
    }
    func best(_ score: (EmbeddedChunk) -> Double?) -> [Candidate] {
      let found = searched.compactMap { chunk in
        score(chunk).map { Candidate(chunk: chunk.chunk.id, document: chunk.chunk.document, score: $0) }
      }
      return Array(found.sorted { ($1.score, $0.chunk) < ($0.score, $1.chunk) }.prefix(max(0, request.depth)))
    }
    var legs: [RetrievalLeg: [Candidate]] = [:]
    if let embedding = request.embedding, request.searchesDense {
      legs[.dense] = best { Double(embedding.cosine(to: $0.embedding)) }
    }
    func overlap(_ parts: Set<String>, _ text: String, _ split: (String) -> [String]) -> Double? {
      let count = parts.intersection(split(text)).count
      return count > 0 ? Double(count) : nil
    }
    if let text = request.lexicalText {
      let words = Set(FakeWords.words(of: text))
      legs[.lexical] = best { overlap(words, $0.chunk.embeddedText, FakeWords.words) }
    }
    if let text = request.trigramText {
      let trigrams = Set(FakeWords.trigrams(of: text))
      legs[.trigram] = best { overlap(trigrams, $0.chunk.embeddedText, FakeWords.trigrams) }
    }
    var similarities: [ChunkID: Float] = [:]
    if let embedding = request.embedding {
      let found = Set(legs.values.joined().map(\.chunk))
      for chunk in searched where found.contains(chunk.chunk.id) {
        similarities[chunk.chunk.id] = embedding.cosine(to: chunk.embedding)
      }
    }
    return Candidates(legs: legs, similarities: similarities, version: StoreVersion(storeVersion))
  }

  /// Chunks by id.
  public func chunks(_ ids: [ChunkID]) async throws -> [ChunkID: StoredChunk] {
    let wanted = Set(ids)
    var found: [ChunkID: StoredChunk] = [:]
    for known in live.values {
      guard let revision = active.flatMap({ known.revisions[$0] }) else { continue }
      let document = known.document
      let reference = DocumentReference(
        id: document.id, name: document.name, uri: document.uri, version: revision.document.version,
        collection: document.collection, title: revision.metadata.title)
      for chunk in revision.chunks where wanted.contains(chunk.chunk.id) {
        found[chunk.chunk.id] = StoredChunk(chunk: chunk.chunk, document: reference, textHash: chunk.textHash)
      }
    }
    return found
  }

  /// One page.
  public func page(_ number: Int, of id: DocumentID) async throws -> Page? {
    live[id].flatMap(shown)?.pages.first { $0.number == number }
  }

  /// Several pages, by number.
  public func pages(_ numbers: [Int], of id: DocumentID) async throws -> [Page] {
    let wanted = Set(numbers)
    return (live[id].flatMap(shown)?.pages ?? []).filter { wanted.contains($0.number) }.sorted { $0.number < $1.number }
  }

  /// Coverage of every page.
  public func coverage(of id: DocumentID) async throws -> [PageState] {
    (live[id].flatMap(shown)?.pages ?? []).map {
      PageState(
        page: $0.number, label: $0.label, coverage: $0.coverage, reason: $0.coverageReason,
        recognition: $0.recognition)
    }
  }

  /// Unreadable pages by document.
  public func unreadablePages(of ids: Set<DocumentID>) async throws -> [DocumentID: Int] {
    var counts: [DocumentID: Int] = [:]
    for id in ids {
      let count = (live[id].flatMap(shown)?.pages ?? []).count { $0.coverage.isUnreadable }
      if count > 0 { counts[id] = count }
    }
    return counts
  }

  /// One catalogue entry.
  public func entry(_ id: DocumentID) async throws -> CatalogueEntry? { live[id].flatMap(entry) }

  private func entry(_ known: Live) -> CatalogueEntry? {
    guard let revision = shown(known) else { return nil }
    let document = known.document
    let shownDocument = Document(
      id: document.id, collection: document.collection, uri: document.uri, generation: document.generation,
      version: revision.document.version)
    return CatalogueEntry(
      document: shownDocument, metadata: revision.metadata, state: revision.state, reason: revision.reason,
      pageCount: revision.pageCount, coverage: revision.pages.reduce(into: [:]) { $0[$1.coverage, default: 0] += 1 },
      chunkCount: revision.chunks.count, byteCount: revision.byteCount, pipeline: revision.pipeline,
      indexed: revision.indexed)
  }

  /// A page of the catalogue.
  public func catalogue(
    collections: Set<CollectionName>?, state: DocumentState?, limit: Int, after cursor: String?
  ) async throws -> CataloguePage {
    let entries = live.values.compactMap(entry).sorted { $0.document.id < $1.document.id }.filter { entry in
      (collections?.contains(entry.document.collection) ?? true) && (state == nil || entry.state == state)
        && (cursor.map { entry.document.id.rawValue > $0 } ?? true)
    }
    let page = Array(entries.prefix(min(max(1, limit), 1_000)))
    return CataloguePage(entries: page, next: entries.count > page.count ? page.last?.document.id.rawValue : nil)
  }

  /// Collections with their number of documents.
  public func collections() async throws -> [CollectionName: Int] {
    live.values.reduce(into: [:]) { $0[$1.document.collection, default: 0] += 1 }
  }

  /// Totals.
  public func totals(pipeline: CurrentPipeline, identity: EmbeddingIdentity) async throws -> IndexTotals {
    let revisions = live.values.compactMap(shown)
    return IndexTotals(
      documents: live.count, pages: revisions.reduce(0) { $0 + $1.pageCount },
      chunks: revisions.reduce(0) { $0 + $1.chunks.count },
      states: revisions.reduce(into: [:]) { $0[$1.state.rawValue, default: 0] += 1 },
      stale: live.values.count { known in
        guard let revision = known.revisions[identity] else { return true }
        let coverage = revision.pages.reduce(into: [:]) { $0[$1.coverage, default: 0] += 1 }
        return !pipeline.isCurrent(revision.pipeline, coverage: coverage)
      })
  }
}
