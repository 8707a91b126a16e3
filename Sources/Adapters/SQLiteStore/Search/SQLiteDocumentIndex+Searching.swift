import Concurrency
public import Core
import SQLite

extension SQLiteDocumentIndex {
  /// The candidates of all requested legs, from one snapshot, in one hop to a reader's thread.
  public func candidates(for request: CandidateRequest) async throws -> Candidates {
    let words = request.lexicalText.map(LexicalQuery.words)
    let grams = request.trigramText.map(LexicalQuery.grams)
    return try await database.read { [resident, searchers, frequencies, lexicalBudget] connection in
      // One core each under load; all of them for a query that is alone.
      let running = searchers.withLock { count -> Int in
        count += 1
        return count
      }
      defer { searchers.withLock { $0 -= 1 } }
      let width = running == 1 ? Self.searchWidth : 1
      // Another reader may have followed a commit that this snapshot does not see yet; the next one does.
      for _ in 0..<100 {
        let found = try connection.transaction(.deferred) {
          try Search(
            request: request, words: words, grams: grams, resident: resident, frequencies: frequencies,
            lexicalBudget: lexicalBudget, connection: connection, width: width
          ).run()
        }
        if let found { return found }
      }
      throw StoreError(
        code: "store.busy", category: .unavailable, message: "commits came faster than the query could follow",
        remedy: "Ask again.")
    }
  }
}

/// One query inside its read transaction.
private struct Search {
  let request: CandidateRequest
  let words: [String]?
  let grams: [String]?
  let resident: ResidentIndex
  let frequencies: TermFrequencies
  let lexicalBudget: Int
  let connection: Connection
  let width: Int

  /// nil when the vectors in memory are ahead of this transaction.
  func run() throws -> Candidates? {
    let version = try connection.storeVersion()
    guard let space = try Space.active(connection) else {
      return Candidates(legs: asked.reduce(into: [:]) { $0[$1] = [] }, similarities: [:], version: .init(version))
    }
    if let embedding = request.embedding {
      if let identity = request.identity, identity != space.identity {
        throw StoreError.identityMismatch(active: space.identity, asked: identity)
      }
      guard embedding.vector.count == space.identity.dimension else {
        throw StoreError(
          code: "index.wrong_dimension", category: .invalidInput,
          message: "the question's vector has \(embedding.vector.count) components; the index has vectors of "
            + "\(space.identity.summary)")
      }
    }
    guard let rows = try resident.rows(of: space, version: version, connection) else { return nil }
    let filter = try RevisionFilter(request.filter, space: space, connection)
    let selection = RowSelection(of: rows, filter: filter)
    var hits: [RetrievalLeg: [ScoredChunk]] = [:]
    if let embedding = request.embedding, request.searchesDense {
      let search = DenseSearch(
        query: embedding.vector, rows: rows, selection: selection, connection: connection, width: width)
      hits[.dense] = try search.nearest(request.depth)
    }
    for (leg, kind, phrases) in [(RetrievalLeg.lexical, .words, words), (.trigram, FullTextTable.Kind.grams, grams)] {
      guard let phrases else { continue }
      let search = LexicalSearch(
        table: FullTextTable(kind: kind, space: space.key), phrases: phrases, rows: rows, selection: selection,
        isFiltered: filter != nil, frequencies: frequencies, connection: connection,
        budget: lexicalBudget)
      hits[leg] = try search.best(request.depth)
    }
    return try named(hits, rows: rows, version: version)
  }

  private var asked: [RetrievalLeg] {
    (request.embedding == nil || !request.searchesDense ? [] : [.dense])
      + (request.lexicalText == nil ? [] : [.lexical])
      + (request.trigramText == nil ? [] : [.trigram])
  }

  /// Puts ids and cosines to the hits.
  private func named(_ hits: [RetrievalLeg: [ScoredChunk]], rows: ResidentRows, version: Int64) throws -> Candidates {
    let keys = Set(hits.values.joined().map(\.chunk)).sorted()
    var names: [Int64: (chunk: ChunkID, document: DocumentID)] = [:]
    var documents: [Int64: DocumentID] = [:]
    try connection.withStatement("SELECT id, revision FROM chunks WHERE key = ?") { statement in
      for key in keys {
        statement.reset()
        try statement.bind(key, at: 1)
        guard try statement.step() else { throw StoreError.damaged("chunk \(key) is indexed but not there") }
        let revision = statement.row.integer(1)
        let document = try documents[revision] ?? document(of: revision)
        documents[revision] = document
        names[key] = (ChunkID(rawValue: statement.row.text(0)), document)
      }
    }
    let cosines = try cosines(of: keys, known: hits[.dense] ?? [], rows: rows)
    let similarities = names.reduce(into: [ChunkID: Float](minimumCapacity: names.count)) { similarities, name in
      similarities[name.value.chunk] = cosines[name.key]
    }
    let legs = hits.mapValues { hits in
      hits.compactMap { hit in
        names[hit.chunk].map { Candidate(chunk: $0.chunk, document: $0.document, score: hit.score) }
      }
    }
    return Candidates(legs: legs, similarities: similarities, version: StoreVersion(version))
  }

  private func document(of revision: Int64) throws -> DocumentID {
    let id = try connection.first(
      "SELECT d.id FROM revisions r JOIN documents d ON d.key = r.document WHERE r.key = ?", revision
    ) { DocumentID(rawValue: $0.text(0)) }
    guard let id else { throw StoreError.damaged("chunks of revision \(revision) belong to no document") }
    return id
  }

  /// The cosine of each chunk, ascending; the dense leg has some already.
  private func cosines(of chunks: [Int64], known: [ScoredChunk], rows: ResidentRows) throws -> [Int64: Float] {
    guard let embedding = request.embedding else { return [:] }
    var cosines: [Int64: Float] = [:]
    for hit in known { cosines[hit.chunk] = Float(hit.score) }
    let missing = chunks.filter { cosines[$0] == nil }
    let products = try StoredVectors.products(of: embedding.vector, with: missing, connection)
    for (chunk, product) in zip(missing, products) { cosines[chunk] = product }
    return cosines
  }
}
