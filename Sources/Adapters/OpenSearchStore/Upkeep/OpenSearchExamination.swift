import Core

/// One thing that is looked at of a cluster, for people who must know why it does not do what it should.
public struct OpenSearchExamination: Sendable {
  /// What it came to.
  public struct Result: Sendable, Hashable {
    /// How it is.
    public enum Verdict: Sendable {
      /// As it should be.
      case ok
      /// Works, but somebody should look.
      case warning
      /// Does not work.
      case failed
    }

    /// How it is.
    public var verdict: Verdict
    /// What was found.
    public var message: String
    /// What to do about it.
    public var remedy: String?

    init(_ verdict: Verdict, _ message: String, remedy: String? = nil) {
      self.verdict = verdict
      self.message = message
      self.remedy = remedy
    }
  }

  /// What is looked at.
  public let name: String
  /// Looks.
  /// - Throws: A ``CategorizedError`` when it cannot.
  public let run: @Sendable (OpenSearchClient) async throws -> Result

  /// The one without which the others make no sense.
  public static let first = "cluster"

  /// All of them, in order.
  public static let all: [OpenSearchExamination] = [
    .init(name: first, run: version), .init(name: "cluster health", run: health),
    .init(name: "cluster plugins", run: plugins),
    .init(name: "cluster disks", run: disks), .init(name: "cluster index", run: index),
    .init(name: "cluster recall", run: recall),
  ]

  // MARK: - The cluster

  private static func version(_ client: OpenSearchClient) async throws -> Result {
    struct Root: Decodable {
      struct Version: Decodable {
        var number: String
        var distribution: String?
      }
      var version: Version
    }
    if case .signed(let signing) = client.configuration.authentication, signing.service == .serverless {
      throw OpenSearchError.serverless
    }
    let root = try await client.json(Root.self, "GET", "/", doing: "asking the cluster for its version")
    let number = root.version.number
    let parts = number.split(separator: ".").compactMap { Int($0) }
    guard root.version.distribution == "opensearch", parts.count >= 2 else {
      return Result(
        .failed, "this is no OpenSearch: version \(number)",
        remedy: "Elasticsearch has other vector fields; use OpenSearch.")
    }
    if (parts[0], parts[1]) < (2, 9) {
      return Result(
        .failed, "OpenSearch \(number) does not filter inside vector searches",
        remedy: "Use 2.9 or later; 2.19 is tested.")
    }
    if (parts[0], parts[1]) < (2, 19) {
      return Result(
        .warning, "OpenSearch \(number): vectors are stored twice there, 2.19 and later store them once",
        remedy: "Plan the upgrade; `quarry store reindex` makes use of it afterwards.")
    }
    return Result(.ok, "OpenSearch \(number)")
  }

  private static func health(_ client: OpenSearchClient) async throws -> Result {
    struct Health: Decodable {
      var status: String
      var nodes: Int
      var unassigned: Int
      enum CodingKeys: String, CodingKey {
        case status
        case nodes = "number_of_data_nodes"
        case unassigned = "unassigned_shards"
      }
    }
    let health = try await client.json(
      Health.self, "GET", "/_cluster/health", query: [("timeout", "5s")], accepted: [408],
      doing: "asking for the cluster's health")
    let said = "\(health.status), \(health.nodes) data node\(health.nodes == 1 ? "" : "s")"
    switch health.status {
    case "green":
      return health.nodes == 1
        ? Result(
          .warning, "\(said): no copy of the index anywhere", remedy: "Three nodes survive the loss of one.")
        : Result(.ok, said)
    case "yellow":
      return Result(
        .warning, "\(said), \(health.unassigned) shards without a place", remedy: "Look at _cluster/allocation/explain."
      )
    default:
      return Result(
        .failed, "\(said), \(health.unassigned) shards without a place",
        remedy: "Parts of an index are not there: look at _cluster/allocation/explain.")
    }
  }

  private static func plugins(_ client: OpenSearchClient) async throws -> Result {
    // The plugin's own address: what it is called among the plugins differs between distributions.
    let stats = try await client.send(
      "GET", "/_plugins/_knn/stats", accepted: [400, 404, 405], doing: "looking for the k-NN plugin")
    guard stats.status == 200 else {
      return Result(.failed, "the cluster has no k-NN plugin", remedy: "Install opensearch-knn on every node.")
    }
    return Result(.ok, "k-NN, engine \(client.configuration.engine.rawValue)")
  }

  private static func disks(_ client: OpenSearchClient) async throws -> Result {
    struct Disk: Decodable {
      var node: String?
      var percent: String?
      enum CodingKeys: String, CodingKey {
        case node
        case percent = "disk.percent"
      }
    }
    let found = try await client.json(
      [Disk].self, "GET", "/_cat/allocation", query: [("format", "json"), ("h", "node,disk.percent")],
      doing: "asking for the cluster's disks")
    let fullest = found.compactMap { disk in disk.percent.flatMap { Int($0) }.map { (disk.node ?? "?", $0) } }
      .max { $0.1 < $1.1 }
    guard let (node, percent) = fullest else { return Result(.warning, "no node says how full its disk is") }
    let said = "the fullest disk, of \(node), is \(percent) % full"
    if percent >= 90 {
      return Result(.failed, said, remedy: "At 95 % the cluster takes no writes any more: add or free space now.")
    }
    return percent >= 80 ? Result(.warning, said, remedy: "At 85 % no more shards go there.") : Result(.ok, said)
  }

  // MARK: - The index

  private static func index(_ client: OpenSearchClient) async throws -> Result {
    guard let state = try await client.state()?.state else {
      return Result(.warning, "there is no index \(client.configuration.index) yet", remedy: "Run: quarry ingest PATH")
    }
    let cluster = try await OpenSearchCluster.open(client, mustExist: true)
    guard let active = state.activeSpace else { return Result(.ok, "\(client.configuration.index) is empty") }
    if let problem = try await cluster.mappingProblem(of: active) {
      return Result(
        .failed, problem, remedy: "Choose another store.index, or remove that index and run `quarry ingest` again.")
    }
    struct Settings: Decodable {
      struct Flat: Decodable {
        var interval: String?
        var replicas: String?
        var blocked: String?
        enum CodingKeys: String, CodingKey {
          case interval = "index.refresh_interval"
          case replicas = "index.number_of_replicas"
          case blocked = "index.blocks.read_only_allow_delete"
        }
      }
      var settings: Flat
    }
    let name = client.names.chunks(active.key)
    let settings = try await client.json(
      [String: Settings].self, "GET", "/\(name)/_settings", query: [("flat_settings", "true")],
      doing: "looking at the settings of \(name)"
    ).values.first?.settings
    if settings?.blocked == "true" {
      return Result(
        .failed, "\(name) takes no writes: a disk went above the flood-stage watermark",
        remedy: "Free space; the cluster lifts the block by itself below the high watermark.")
    }
    if settings?.interval == "-1" {
      return Result(
        .warning, "\(name) is never refreshed by itself: merged segments stay on disk",
        remedy: "Set its index.refresh_interval to 1s.")
    }
    let hidden = state.hidden.count
    return Result(
      .ok,
      "\(state.documents) documents, searched in \(name), \(settings?.replicas ?? "?") copies, "
        + "\(hidden) versions hidden")
  }

  /// Questions made of stored vectors, answered by the graph and by looking at every vector.
  private static func recall(_ client: OpenSearchClient) async throws -> Result {
    guard try await client.state()?.state.active != nil else { return Result(.ok, "nothing to search yet") }
    let cluster = try await OpenSearchCluster.open(client, mustExist: true)
    guard let recall = try await OpenSearchDocumentIndex(cluster).recall(questions: 20, depth: 10) else {
      return Result(.ok, "nothing to search yet")
    }
    let said = "of the true ten nearest chunks, vector search finds \(percent(recall)) % (20 questions)"
    return recall >= 0.97
      ? Result(.ok, said)
      : Result(.warning, said, remedy: "Raise store.knnDepth, or rebuild with a higher store.knnConstruction.")
  }

  private static func percent(_ share: Double) -> String {
    let tenths = Int((share * 1_000).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension OpenSearchDocumentIndex {
  /// The share of the `depth` truly nearest chunks that the graph finds, over questions made of stored vectors; nil when
  /// there are none.
  func recall(questions: Int, depth: Int) async throws -> Double? {
    try await cluster.withSnapshot { [self] state in
      guard let space = state.activeSpace else { return nil }
      struct Hit: Decodable { var vector: [Float] }
      let snapshot = state.filters
      let hits = try await cluster.hits(
        Hit.self, names.chunks(space.key),
        [
          "size": .int(questions), "track_total_hits": false, "_source": ["includes": ["vector"]],
          "query": [
            "function_score": [
              "query": ["bool": ["filter": [snapshot.filter], "must_not": .array(snapshot.mustNot)]],
              "random_score": .object([]),
            ]
          ],
        ], doing: "choosing vectors")
      let vectors = hits.compactMap { $0.source?.vector }
      guard !vectors.isEmpty else { return nil }
      var found = 0
      var wanted = 0
      for (position, vector) in vectors.enumerated() {
        // Between two stored vectors: a stored one is its own nearest, which the graph never misses.
        let other = vectors[(position + 1) % vectors.count]
        guard let question = Embedding(normalising: zip(vector, other).map { 0.7 * $0 + 0.3 * $1 }) else { continue }
        let request = CandidateRequest(
          embedding: question, identity: nil, lexicalText: nil, trigramText: nil, filter: .init(), depth: depth)
        let near = Set(try await candidates(for: request).legs[.dense]?.map(\.chunk) ?? [])
        let exact = try await exactNeighbours(of: question, depth: depth).map(\.chunk)
        wanted += exact.count
        found += exact.count { near.contains($0) }
      }
      return wanted == 0 ? nil : Double(found) / Double(wanted)
    }
  }
}
