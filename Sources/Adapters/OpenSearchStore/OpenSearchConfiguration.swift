public import AWSSigning

/// The library that holds vectors in a cluster.
public enum KNNEngine: String, Sendable, CaseIterable {
  /// Needs the k-NN plugin's native library, which every published distribution has.
  case faiss
  /// Runs in the JVM.
  case lucene
}

/// The measure of nearness of an index's vectors, which are of unit length. Those named here can give the cosine.
public enum KNNSpace: String, Sendable, CaseIterable {
  /// The cosine itself.
  case cosine = "cosinesimil"
  /// The inner product: the cosine of unit vectors.
  case innerProduct = "innerproduct"
  /// The Euclidean distance: of unit vectors, the square root of 2 − 2·cosine.
  case euclidean = "l2"

  /// The cosine that a hit's score stands for. Source: the formulas of the k-NN plugin,
  /// https://docs.opensearch.org/docs/2.19/search-plugins/knn/approximate-knn/#spaces
  func cosine(ofScore score: Double) -> Float {
    let cosine =
      switch self {
      case .cosine: 2 * score - 1
      case .innerProduct: score >= 1 ? score - 1 : 1 - 1 / score
      case .euclidean: 1 - (1 / score - 1) / 2
      }
    return Float(min(1, max(-1, cosine)))
  }
}

/// Who asks.
public enum OpenSearchAuthentication: Sendable {
  /// Nobody says.
  case none
  /// A user of the security plugin.
  case basic(user: String, password: String)
  /// An AWS identity, by signature version 4.
  case signed(OpenSearchSigning)
}

/// Signing of requests to Amazon OpenSearch Service.
public struct OpenSearchSigning: Sendable {
  /// What is signed for.
  public enum Service: String, Sendable, CaseIterable {
    /// A managed domain.
    case domain = "es"
    /// A Serverless collection.
    case serverless = "aoss"
  }

  /// The kind of service.
  public var service: Service
  /// The region, such as `eu-central-1`.
  public var region: String
  /// The keys now.
  public var credentials: @Sendable () async throws -> AWSCredentials
  /// Told of keys that the service calls expired.
  public var forget: @Sendable (AWSCredentials) async -> Void

  /// Creates a description.
  public init(
    service: Service, region: String, credentials: @escaping @Sendable () async throws -> AWSCredentials,
    forget: @escaping @Sendable (AWSCredentials) async -> Void = { _ in }
  ) {
    self.service = service
    self.region = region
    self.credentials = credentials
    self.forget = forget
  }
}

/// Where the cluster is and how the index in it is made.
public struct OpenSearchConfiguration: Sendable {
  /// URLs of nodes or of a load balancer, `http` or `https`; the first that answers is asked.
  public var endpoints: [String]
  /// Who asks.
  public var authentication: OpenSearchAuthentication
  /// What every index's name begins with.
  public var index: String
  /// The library for vectors.
  public var engine: KNNEngine
  /// The measure of nearness; nil for the engine's own best: the inner product for Faiss, the cosine for Lucene.
  public var space: KNNSpace?
  /// Neighbours of a node of the graph, 2…100.
  public var graphDegree: Int
  /// Candidates looked at when a node is added, 2…2,000. Measured: 100, the engine's default, recalls less at any `searchDepth`.
  public var constructionDepth: Int
  /// Candidates looked at by a search, 10…10,000.
  public var searchDepth: Int
  /// Shards of the index of chunks.
  public var shards: Int
  /// Copies of every shard beside the first; nil for one where there are two nodes and none on a single node.
  public var replicas: Int?
  /// Analyzers of OpenSearch for the languages of the documents, such as `german`, beside the common one, which lowers
  /// case and takes off diacritics and English endings.
  public var languages: [String]
  /// Bytes of a bulk request.
  public var bulkBytes: Int
  /// Bulk requests of one document under way.
  public var bulkConcurrency: Int
  /// The longest wait for an answer.
  public var timeout: Duration
  /// How long a replaced version stays readable for queries that began before: longer than any query.
  public var grace: Duration

  /// Creates a configuration with the defaults that docs/opensearch.md explains.
  public init(
    endpoints: [String], authentication: OpenSearchAuthentication = .none, index: String = "quarry",
    engine: KNNEngine = .faiss, space: KNNSpace? = nil, graphDegree: Int = 16, constructionDepth: Int = 256,
    searchDepth: Int = 200, shards: Int = 1, replicas: Int? = nil, languages: [String] = [],
    bulkBytes: Int = 1_500_000, bulkConcurrency: Int = 2, timeout: Duration = .seconds(30),
    grace: Duration = .seconds(120)
  ) {
    self.endpoints = endpoints
    self.authentication = authentication
    self.index = index
    self.engine = engine
    self.space = space
    self.graphDegree = graphDegree
    self.constructionDepth = constructionDepth
    self.searchDepth = searchDepth
    self.shards = shards
    self.replicas = replicas
    self.languages = languages
    self.bulkBytes = bulkBytes
    self.bulkConcurrency = bulkConcurrency
    self.timeout = timeout
    self.grace = grace
  }

  /// The measure that a new index gets.
  var chosenSpace: KNNSpace { space ?? (engine == .faiss ? .innerProduct : .cosine) }
}
