public import Core
import FoundationEssentials

/// Jobs as people and services look at them.
extension OpenSearchJobStore {
  /// The job of one object.
  public func job(for uri: SourceURI, collection: CollectionName) async throws -> IngestionJob? {
    struct Got: Decodable {
      var found: Bool?
      var source: Source?
      enum CodingKeys: String, CodingKey {
        case found
        case source = "_source"
      }
    }
    return try await cluster.client.json(
      Got.self, "GET", "/\(index)/_doc/\(RecordID.place(uri, collection))", accepted: [404],
      doing: "looking at the job of \(uri.name)"
    ).source?.job
  }

  private func found(_ query: JSON, sort: JSON, limit: Int) async throws -> [IngestionJob] {
    guard limit > 0 else { return [] }
    try await cluster.refresh([index])
    return try await cluster.hits(
      Source.self, index,
      ["size": .int(min(limit, 10_000)), "track_total_hits": false, "query": query, "sort": sort], doing: "listing jobs"
    ).compactMap { $0.source?.job }
  }

  private static let everything: JSON = ["match_all": .object([])]
  private static let newestFirst: JSON = [["updated": "desc"], ["uri": "asc"], ["collection": "asc"]]

  private static func all(_ filters: [JSON]) -> JSON { ["bool": ["filter": .array(filters)]] }
  private static func states(_ states: some Sequence<JobState>) -> JSON {
    ["terms": ["state": .strings(states.map(\.rawValue).sorted())]]
  }
  private static func collections(_ names: Set<CollectionName>?) -> [JSON] {
    names.map { [["terms": ["collection": .strings($0.map(\.rawValue).sorted())]]] } ?? []
  }

  /// Jobs by state, newest change first.
  public func jobs(in state: JobState?, limit: Int) async throws -> [IngestionJob] {
    try await found(
      state.map { Self.states([$0]) } ?? Self.everything, sort: Self.newestFirst, limit: limit)
  }

  /// The job of a document that changed last.
  public func job(of document: DocumentID) async throws -> IngestionJob? {
    try await found(["term": ["document": .string(document.rawValue)]], sort: Self.newestFirst, limit: 1).first
  }

  /// Jobs that are not ended below a root, the soonest due first.
  public func waiting(under root: SourceURI, limit: Int) async throws -> [IngestionJob] {
    try await found(
      Self.all([Self.states([.queued, .running, .retrying]), OpenSearchDocumentIndex.below(root)]),
      sort: .strings(["due"] + Self.order), limit: limit)
  }

  /// The jobs at or below `root` that are not done, by URI.
  public func unfinished(under root: SourceURI, collection: CollectionName) async throws -> [IngestionJob] {
    try await cluster.refresh([index])
    var jobs: [IngestionJob] = []
    try await cluster.forEachHit(
      Source.self, index,
      query: Self.all([
        Self.states(JobState.allCases.filter { $0 != .done }), OpenSearchDocumentIndex.below(root),
        ["term": ["collection": .string(collection.rawValue)]],
      ]), sort: ["uri"], doing: "listing jobs"
    ) { source, _ in
      jobs.append(source.job)
      return true
    }
    return jobs
  }

  /// A page of jobs, in the order they were first queued.
  public func jobs(
    in states: Set<JobState>, collections: Set<CollectionName>?, limit: Int, after cursor: String?
  ) async throws -> JobPage {
    let after = try cursor.map(Self.place)
    let limit = min(max(1, limit), 1_000)
    try await cluster.refresh([index])
    var body: [(String, JSON)] = [
      ("size", .int(limit + 1)), ("track_total_hits", false), ("sort", .strings(Self.order)),
      ("query", Self.all([Self.states(states)] + Self.collections(collections))),
    ]
    if let after { body.append(("search_after", .array(after.map(\.json)))) }
    let hits = try await cluster.hits(Source.self, index, .object(body), doing: "listing jobs")
    let page = hits.prefix(limit)
    let next = hits.count > limit ? try page.last?.sort.map(Self.cursor) : nil
    return JobPage(jobs: page.compactMap { $0.source?.job }, next: next)
  }

  private static func cursor(_ place: [SortValue]) throws -> String {
    Data(try JSONText.encode(place)).base64EncodedString()
  }

  private static func place(_ cursor: String) throws -> [SortValue] {
    guard let bytes = Data(base64Encoded: cursor),
      let place = try? JSONText.decode([SortValue].self, [UInt8](bytes)), place.count == order.count
    else {
      throw OpenSearchError(
        "store.invalid_cursor", .invalidInput, "the cursor is not one of a list of jobs",
        remedy: "Pass the cursor that the list before ended with.")
    }
    return place
  }

  /// What the jobs below a root say together.
  public func summary(under root: SourceURI?, collections: Set<CollectionName>?) async throws -> JobSummary {
    struct Answer: Decodable {
      struct Value: Decodable { var value: Double? }
      struct Bucket: Decodable {
        var key: JobState
        var count: Int
        var oldest: Value
        var newest: Value
        enum CodingKeys: String, CodingKey {
          case key
          case count = "doc_count"
          case oldest
          case newest
        }
      }
      struct States: Decodable { var buckets: [Bucket] }
      struct All: Decodable { var states: States }
      var aggregations: All
    }
    let filters = (root.map { [OpenSearchDocumentIndex.below($0)] } ?? []) + Self.collections(collections)
    try await cluster.refresh([index])
    let answer = try await cluster.client.json(
      Answer.self, "POST", "/\(index)/_search",
      body: [
        "size": 0, "query": Self.all(filters),
        "aggs": [
          "states": [
            "terms": ["field": "state", "size": 10],
            "aggs": ["oldest": ["min": ["field": "updated"]], "newest": ["max": ["field": "updated"]]],
          ]
        ],
      ], doing: "counting jobs")
    var summary = JobSummary()
    for bucket in answer.aggregations.states.buckets {
      summary.counts[bucket.key] = bucket.count
      let oldest = bucket.oldest.value.map { Date(timeIntervalSince1970: $0) }
      switch bucket.key {
      case .queued, .retrying:
        if let oldest { summary.oldestWaiting = min(summary.oldestWaiting ?? oldest, oldest) }
      case .done: summary.lastDone = bucket.newest.value.map { Date(timeIntervalSince1970: $0) }
      case .running, .parked: break
      }
    }
    summary.lastFailure = try await found(
      Self.all([Self.states([.parked, .retrying])] + filters), sort: Self.newestFirst, limit: 1
    ).first
    return summary
  }
}
