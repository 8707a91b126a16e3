public import Core
import FoundationEssentials
import IndexEncoding

extension OpenSearchDocumentIndex {
  /// The candidates of all requested legs, from one snapshot: one request for all legs, and one more for the cosines of
  /// what only words found.
  public func candidates(for request: CandidateRequest) async throws -> Candidates {
    try await cluster.withSnapshot { [self] state in
      let search = try LegSearch(request: request, state: state, cluster: cluster)
      return try await search.run()
    }
  }

  /// The nearest chunks by exact scores over all vectors: the measure of what the graph misses.
  func exactNeighbours(of embedding: Embedding, depth: Int) async throws -> [Candidate] {
    try await cluster.withSnapshot { [self] state in
      let request = CandidateRequest(
        embedding: embedding, identity: nil, lexicalText: nil, trigramText: nil, filter: .init(), depth: depth)
      return try await LegSearch(request: request, state: state, cluster: cluster).exact()
    }
  }
}

/// One query against one snapshot.
private struct LegSearch: Sendable {
  /// Longer questions are cut: OpenSearch takes 1,024 clauses at most, and each costs time.
  private static let maximumTerms = 64
  /// Filters that leave no more chunks than this are scored exactly: as fast as the graph, and nothing is missed.
  private static let exactLimit = 10_000

  let request: CandidateRequest
  let state: StoreState
  let cluster: OpenSearchCluster
  let space: StoreState.Space?

  init(request: CandidateRequest, state: StoreState, cluster: OpenSearchCluster) throws {
    self.request = request
    self.state = state
    self.cluster = cluster
    space = state.activeSpace
    guard let space, let embedding = request.embedding else { return }
    if let identity = request.identity, identity.canonical != space.identity.canonical {
      throw OpenSearchError.identityMismatch(active: space.identity, asked: identity)
    }
    guard embedding.vector.count == space.identity.dimension else {
      throw OpenSearchError.wrongDimension("the question's vector", embedding.vector.count, space.identity)
    }
  }

  private struct Hit: Sendable {
    var candidate: Candidate
    var score: Double
  }

  func run() async throws -> Candidates {
    let version = StoreVersion(Int64(state.version))
    let asked = legs
    guard let space, !asked.isEmpty else {
      return Candidates(
        legs: Dictionary(uniqueKeysWithValues: asked.map { ($0, []) }), similarities: [:], version: version)
    }
    let isExact = asked.contains(.dense) ? try await filterIsNarrow(space) : false
    var body = JSONText(capacity: 8_192)
    var sent: [RetrievalLeg] = []
    for leg in asked {
      guard let query = query(leg, isExact: isExact) else { continue }
      body.raw("{}\n")
      body.append(Self.ranking(query, size: max(1, request.depth)))
      body.raw("\n")
      sent.append(leg)
    }
    var legs: [RetrievalLeg: [Candidate]] = Dictionary(uniqueKeysWithValues: asked.map { ($0, []) })
    var similarities: [ChunkID: Float] = [:]
    guard !sent.isEmpty, request.depth > 0 else {
      return Candidates(legs: legs, similarities: similarities, version: version)
    }
    let found = try await multiSearch(body.bytes, count: sent.count)
    for (leg, hits) in zip(sent, found) {
      legs[leg] = hits.map(\.candidate)
      guard leg == .dense, request.embedding != nil else { continue }
      for hit in hits {
        let cosine = space.knn.cosine(ofScore: hit.score)
        similarities[hit.candidate.chunk] = cosine
      }
      // The local store's raw score of this leg is the cosine itself; here it is the service's own.
    }
    if request.embedding != nil {
      let without = Set(legs.values.joined().map(\.chunk)).filter { similarities[$0] == nil }
      for (chunk, cosine) in try await cosines(of: without, space) { similarities[chunk] = cosine }
    }
    return Candidates(legs: legs, similarities: similarities, version: version)
  }

  private var legs: [RetrievalLeg] {
    (request.embedding == nil || !request.searchesDense ? [] : [.dense])
      + (request.lexicalText == nil ? [] : [.lexical])
      + (request.trigramText == nil ? [] : [.trigram])
  }

  // MARK: - Queries

  /// What every leg must pass: the snapshot, and what the question may see.
  private func filter(adding more: [JSON] = []) -> JSON {
    let snapshot = state.filters
    var filters = [snapshot.filter] + more
    if let collections = request.filter.collections {
      filters.append(["terms": ["collection": .strings(collections.map(\.rawValue).sorted())]])
    }
    if let documents = request.filter.documents {
      filters.append(["terms": ["document": .strings(documents.map(\.rawValue).sorted())]])
    }
    for (name, value) in request.filter.attributes.sorted(by: { $0.key < $1.key }) {
      filters.append(["term": ["attributes": .string(IndexDesign.attribute(name, value))]])
    }
    return ["bool": ["filter": .array(filters), "must_not": .array(snapshot.mustNot)]]
  }

  private func query(_ leg: RetrievalLeg, isExact: Bool) -> JSON? {
    switch leg {
    case .dense:
      guard let embedding = request.embedding else { return nil }
      if isExact { return exactQuery(embedding, filter()) }
      return [
        "knn": [
          "vector": [
            "vector": Self.vector(embedding),
            "k": .int(min(10_000, max(cluster.configuration.searchDepth, request.depth))), "filter": filter(),
          ]
        ]
      ]
    case .lexical:
      guard let text = request.lexicalText else { return nil }
      let words = SearchWords.of(text, limit: Self.maximumTerms)
      return words.isEmpty ? nil : scored(wordsQuery(words.joined(separator: " ")))
    case .trigram:
      guard let text = request.trigramText else { return nil }
      switch ScriptGrams.query(of: text, limit: Self.maximumTerms) {
      case nil: return nil
      case .any(let grams): return scored(["match": ["grams": ["query": .string(grams.joined(separator: " "))]]])
      case .beginningWithAny(let letters):
        return scored(
          ["bool": ["should": .array(letters.map { ["prefix": ["grams": .string($0)]] })]])
      }
    }
  }

  private func wordsQuery(_ words: String) -> JSON {
    let languages = cluster.configuration.languages
    if languages.isEmpty { return ["match": ["words": ["query": .string(words)]]] }
    return [
      "multi_match": [
        "query": .string(words), "type": "best_fields",
        "fields": .strings(["words"] + languages.map { "words.\($0)" }),
      ]
    ]
  }

  private func scored(_ query: JSON) -> JSON {
    guard case .object(var members) = filter(), case .object(let inner) = members[0].1 else { return query }
    members[0].1 = .object([("must", [query])] + inner)
    return .object(members)
  }

  private static func vector(_ embedding: Embedding) -> JSON {
    var text = JSONText(capacity: embedding.vector.count * 12)
    text.append(embedding.vector)
    return .raw(text.bytes)
  }

  private func exactQuery(_ embedding: Embedding, _ filter: JSON) -> JSON {
    [
      "script_score": [
        "query": filter,
        "script": [
          "source": "knn_score", "lang": "knn",
          "params": [
            "field": "vector", "query_value": Self.vector(embedding),
            "space_type": .string(space?.measure ?? KNNSpace.cosine.rawValue),
          ],
        ],
      ]
    ]
  }

  /// Ranks on doc values: reading stored ids or text of hundreds of hits costs several times the search.
  private static func ranking(_ query: JSON, size: Int) -> JSON {
    [
      "size": .int(size), "track_total_hits": false, "stored_fields": "_none_",
      "docvalue_fields": ["chunk", "document"], "query": query,
    ]
  }

  /// Whether a filter of the question leaves so few chunks that each can be scored.
  private func filterIsNarrow(_ space: StoreState.Space) async throws -> Bool {
    if request.filter.isEmpty { return false }
    struct Answer: Decodable {
      struct All: Decodable { var total: Total }
      struct Total: Decodable { var value: Int }
      var hits: All
    }
    let answer = try await cluster.client.json(
      Answer.self, "POST", "/\(cluster.names.chunks(space.key))/_search",
      body: ["size": 0, "track_total_hits": .int(Self.exactLimit + 1), "query": filter()], doing: "searching")
    return answer.hits.total.value <= Self.exactLimit
  }

  /// The cosines of chunks that only words found.
  private func cosines(of chunks: Set<ChunkID>, _ space: StoreState.Space) async throws -> [(ChunkID, Float)] {
    guard let embedding = request.embedding, !chunks.isEmpty else { return [] }
    let query = exactQuery(embedding, filter(adding: [["terms": ["chunk": .strings(chunks.map(\.rawValue).sorted())]]]))
    var body = JSONText(capacity: 8_192)
    body.raw("{}\n")
    body.append(Self.ranking(query, size: chunks.count))
    body.raw("\n")
    return try await multiSearch(body.bytes, count: 1)[0].map {
      ($0.candidate.chunk, space.knn.cosine(ofScore: $0.score))
    }
  }

  /// The nearest chunks, each vector looked at.
  func exact() async throws -> [Candidate] {
    guard space != nil, let embedding = request.embedding else { return [] }
    var body = JSONText(capacity: 8_192)
    body.raw("{}\n")
    body.append(Self.ranking(exactQuery(embedding, filter()), size: request.depth))
    body.raw("\n")
    return try await multiSearch(body.bytes, count: 1)[0].map(\.candidate)
  }

  // MARK: - Answers

  private struct Answer: Decodable {
    struct Response: Decodable {
      struct All: Decodable { var hits: [RankedHit] }
      struct Shards: Decodable {
        var total: Int
        var successful: Int
      }
      var status: Int?
      var error: FailureCause?
      var hits: All?
      var shards: Shards?
      var timedOut: Bool?
      enum CodingKeys: String, CodingKey {
        case status
        case error
        case hits
        case shards = "_shards"
        case timedOut = "timed_out"
      }
    }
    var responses: [Response]
  }

  private struct RankedHit: Decodable {
    struct Fields: Decodable {
      var chunk: [String]
      var document: [String]
    }
    var score: LenientScore
    var fields: Fields?
    enum CodingKeys: String, CodingKey {
      case score = "_score"
      case fields
    }
  }

  /// A score is a number, or the text "Infinity", or null, for vectors that should not be there.
  private struct LenientScore: Decodable {
    var value: Double?
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      value = try? container.decode(Double.self)
    }
  }

  private func multiSearch(_ body: [UInt8], count: Int) async throws -> [[Hit]] {
    let doing = "searching"
    guard let space else { return [] }
    let response = try await cluster.client.send(
      "POST", "/\(cluster.names.chunks(space.key))/_msearch", query: [("max_concurrent_searches", "\(count)")],
      body: body, contentType: "application/x-ndjson", doing: doing)
    let answer: Answer
    do { answer = try JSONText.decode(Answer.self, response.body) } catch {
      throw OpenSearchError.badResponse(doing, error)
    }
    guard answer.responses.count == count else { throw OpenSearchError.badResponse(doing) }
    return try answer.responses.map { response in
      if let cause = response.error {
        throw OpenSearchFailure(cause, status: response.status ?? 500).error(doing)
      }
      guard let hits = response.hits?.hits, let shards = response.shards else {
        throw OpenSearchError.badResponse(doing)
      }
      guard shards.successful == shards.total, response.timedOut != true else {
        throw OpenSearchError.partial(doing, shards.successful, shards.total)
      }
      return try hits.compactMap { hit in
        guard let chunk = hit.fields?.chunk.first, let document = hit.fields?.document.first else {
          throw OpenSearchError.damaged("a chunk has no id")
        }
        guard let score = hit.score.value, score.isFinite else { return nil }
        return Hit(
          candidate: Candidate(
            chunk: ChunkID(rawValue: chunk), document: DocumentID(rawValue: document), score: score), score: score)
      }
    }
  }
}
