public import Core
import SQLite

extension SQLiteDocumentIndex {
  /// The candidates of all requested legs, from one snapshot, in one hop to a reader's thread.
  public func candidates(for request: CandidateRequest) async throws -> Candidates {
    let words = request.lexicalText.flatMap(LexicalQuery.words)
    let grams = request.trigramText.flatMap(LexicalQuery.grams)
    return try await database.read { [dense] connection in
      // Another reader may have followed a commit that this snapshot does not see yet; the next one does.
      for _ in 0..<100 {
        let found = try connection.transaction(.deferred) {
          try Search(request: request, words: words, grams: grams, dense: dense, connection: connection).run()
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
  let dense: DenseIndex
  let connection: Connection

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
    var segments: [Segment] = []
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
      guard let loaded = try dense.segments(of: space, version: version, connection) else { return nil }
      segments = loaded
    }
    let allowed = try allowedRevisions(space)
    var hits: [RetrievalLeg: [Hit]] = [:]
    if let embedding = request.embedding, request.searchesDense {
      let searched = allowed.map { allowed in segments.filter { allowed.contains($0.revision) } } ?? segments
      hits[.dense] = DenseSearch.nearest(to: embedding.vector, in: searched, depth: request.depth)
        .map { Hit(chunk: $0.chunk, score: Double($0.score)) }
    }
    if request.lexicalText != nil { hits[.lexical] = try fullText(space.words, words, allowed) }
    if request.trigramText != nil { hits[.trigram] = try fullText(space.grams, grams, allowed) }
    return try named(hits, segments: segments, version: version)
  }

  private var asked: [RetrievalLeg] {
    (request.embedding == nil || !request.searchesDense ? [] : [.dense])
      + (request.lexicalText == nil ? [] : [.lexical])
      + (request.trigramText == nil ? [] : [.trigram])
  }

  /// The revisions that pass the filter; nil when it lets everything pass.
  private func allowedRevisions(_ space: Space) throws -> Set<Int64>? {
    let filter = request.filter
    if filter.isEmpty { return nil }
    let collections = try filter.collections.map { try Stored.json($0.map(\.rawValue)) }
    let documents = try filter.documents.map { try Stored.json($0.map(\.rawValue)) }
    let keys = try connection.map(
      """
      SELECT r.key FROM revisions r JOIN documents d ON d.key = r.document JOIN collections c ON c.key = d.collection
      WHERE r.space = ?1 AND (?2 IS NULL OR c.name IN (SELECT value FROM json_each(?2)))
        AND (?3 IS NULL OR d.id IN (SELECT value FROM json_each(?3)))
        AND NOT EXISTS (SELECT 1 FROM json_each(?4) wanted WHERE NOT EXISTS (
          SELECT 1 FROM attributes a WHERE a.revision = r.key AND a.name = wanted.key AND a.value = wanted.value))
      """, space.key, collections, documents, Stored.json(filter.attributes)
    ) { $0.integer(0) }
    return Set(keys)
  }

  /// The best matches of a full-text table; FTS5's bm25 is better the lower it is.
  private func fullText(_ table: String, _ query: String?, _ allowed: Set<Int64>?) throws -> [Hit] {
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
    return try connection.map(sql, query, request.depth, Stored.json(allowed.sorted()), row: hit)
  }

  /// Puts ids and cosines to the hits.
  private func named(_ hits: [RetrievalLeg: [Hit]], segments: [Segment], version: Int64) throws -> Candidates {
    let sql = """
      SELECT c.id, d.id FROM chunks c JOIN revisions r ON r.key = c.revision JOIN documents d ON d.key = r.document
      WHERE c.key = ?
      """
    var names: [Int64: (chunk: ChunkID, document: DocumentID)] = [:]
    var similarities: [ChunkID: Float] = [:]
    try connection.withStatement(sql) { statement in
      for hit in hits.values.joined() where names[hit.chunk] == nil {
        try statement.bind(hit.chunk)
        guard try statement.step() else { throw StoreError.damaged("chunk \(hit.chunk) is indexed but not there") }
        let chunk = ChunkID(rawValue: statement.row.text(0))
        names[hit.chunk] = (chunk, DocumentID(rawValue: statement.row.text(1)))
        if let embedding = request.embedding {
          similarities[chunk] = DenseSearch.cosine(of: hit.chunk, to: embedding.vector, in: segments)
        }
      }
    }
    let legs = hits.mapValues { hits in
      hits.compactMap { hit in
        names[hit.chunk].map { Candidate(chunk: $0.chunk, document: $0.document, score: hit.score) }
      }
    }
    return Candidates(legs: legs, similarities: similarities, version: StoreVersion(version))
  }
}
