import Concurrency
public import Core
import SQLite

extension SQLiteDocumentIndex {
  /// The candidates of all requested legs, from one snapshot, in one hop to a reader's thread.
  public func candidates(for request: CandidateRequest) async throws -> Candidates {
    let words = request.lexicalText.flatMap(LexicalQuery.words)
    let grams = request.trigramText.flatMap(LexicalQuery.grams)
    return try await database.read { [resident, searchers] connection in
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
            request: request, words: words, grams: grams, resident: resident, connection: connection, width: width
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
  let words: String?
  let grams: String?
  let resident: ResidentIndex
  let connection: Connection
  let width: Int

  private struct Hit {
    var chunk: Int64
    var score: Double
  }

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
    var hits: [RetrievalLeg: [Hit]] = [:]
    if let embedding = request.embedding, request.searchesDense {
      let search = DenseSearch(
        query: embedding.vector, rows: rows, selection: selection, connection: connection, width: width)
      hits[.dense] = try search.nearest(request.depth).map { Hit(chunk: $0.chunk, score: Double($0.score)) }
    }
    let allowed = filter == nil ? nil : selection.revisions(in: rows)
    if request.lexicalText != nil { hits[.lexical] = try fullText(space.words, words, allowed) }
    if request.trigramText != nil { hits[.trigram] = try fullText(space.grams, grams, allowed) }
    return try named(hits, rows: rows, version: version)
  }

  private var asked: [RetrievalLeg] {
    (request.embedding == nil || !request.searchesDense ? [] : [.dense])
      + (request.lexicalText == nil ? [] : [.lexical])
      + (request.trigramText == nil ? [] : [.trigram])
  }

  /// The best matches of a full-text table; FTS5's bm25 is better the lower it is.
  private func fullText(_ table: String, _ query: String?, _ allowed: [Int64]?) throws -> [Hit] {
    guard let query, request.depth > 0, allowed?.isEmpty != true else { return [] }
    // "+rowid" keeps SQLite from asking the full-text table once for each allowed chunk.
    let filter =
      allowed == nil
      ? "" : "AND +rowid IN (SELECT key FROM chunks WHERE revision IN (SELECT value FROM json_each(?3)))"
    let sql = """
      SELECT rowid, bm25(\(table)) AS score FROM \(table) WHERE \(table) MATCH ?1 \(filter)
      ORDER BY score, rowid LIMIT ?2
      """
    func hit(_ row: Row) -> Hit { Hit(chunk: row.integer(0), score: -row.double(1)) }
    guard let allowed else { return try connection.map(sql, query, request.depth, row: hit) }
    return try connection.map(sql, query, request.depth, Stored.json(allowed), row: hit)
  }

  /// Puts ids and cosines to the hits.
  private func named(_ hits: [RetrievalLeg: [Hit]], rows: ResidentRows, version: Int64) throws -> Candidates {
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
  private func cosines(of chunks: [Int64], known: [Hit], rows: ResidentRows) throws -> [Int64: Float] {
    guard let embedding = request.embedding else { return [:] }
    var cosines: [Int64: Float] = [:]
    for hit in known { cosines[hit.chunk] = Float(hit.score) }
    let missing = chunks.filter { cosines[$0] == nil }
    let products = try StoredVectors.products(of: embedding.vector, with: missing, connection)
    for (chunk, product) in zip(missing, products) { cosines[chunk] = product }
    return cosines
  }
}
