public import Configuration
import Core
public import OpenSearchStore

extension Settings {
  /// An OpenSearch cluster and the index in it.
  public struct Cluster: Sendable {
    /// URLs of nodes or of a load balancer; the first that answers is asked.
    public var endpoints: [String]
    /// What the names of all indices begin with.
    public var index: String
    /// The user of the security plugin; nil for none.
    public var user: String?
    /// That user's password.
    public var password: SecretSetting?
    /// How requests are signed.
    public var signing: Signing
    /// PEM file of the roots to trust; nil for the system's.
    public var certificateAuthorities: String?
    /// The library for vectors.
    public var engine: KNNEngine
    /// The measure of nearness; nil for the engine's best.
    public var space: KNNSpace?
    /// Neighbours of a node of the graph.
    public var graphDegree: Int
    /// Candidates looked at when a node is added.
    public var constructionDepth: Int
    /// Candidates looked at by a search.
    public var searchDepth: Int
    /// Shards of the index of chunks.
    public var shards: Int
    /// Copies beside the first; nil to let the cluster choose.
    public var replicas: Int?
    /// Analyzers of languages.
    public var languages: [String]
    /// The longest wait for an answer.
    public var timeout: Duration
    /// How long replaced versions stay readable.
    public var grace: Duration
  }

  /// How requests to a cluster are signed.
  public enum Signing: String, Sendable, CaseIterable {
    /// As the host's name says: those of Amazon's services are signed.
    case auto
    /// Not at all.
    case none
    /// For a managed domain.
    case es
    /// For a Serverless collection.
    case aoss
  }
}

extension Settings.Cluster {
  init(_ reader: ConfigurationReader, isUsed: Bool) {
    let url = reader.optional(
      "url", .nonEmptyString,
      doc: "The URL of an OpenSearch node or of a load balancer, such as `https://search.example.com:9200`; several, "
        + "separated by commas, are asked in turn when one does not answer.")
    if isUsed, url == nil { reader.reject("kind", "needs store.url too: the address of an OpenSearch node") }
    endpoints = (url ?? "").split(separator: ",").map {
      String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    index = reader.value(
      "index", .nonEmptyString, default: "quarry",
      doc: "What the name of every index in OpenSearch begins with, and the alias of the chunks that are searched.")
    user = reader.optional("user", .nonEmptyString, doc: "The user for OpenSearch with the security plugin.")
    password = reader.optional(
      "password", .anySecret, doc: "That user's password: \(ValueKind<SecretSetting>.secretForms).")
    if password != nil, user == nil { reader.reject("user", "is needed with store.password") }
    signing = reader.value(
      "signing", .oneOf(), default: Settings.Signing.auto,
      doc:
        "How requests to OpenSearch are signed: `es` for a managed domain, `aoss` for a Serverless collection, `none`, "
        + "or `auto`, which goes by the host's name.")
    certificateAuthorities = reader.optional(
      "ca", .nonEmptyString, doc: "A PEM file of the roots to trust for OpenSearch instead of the system's.")
    engine = reader.value(
      "knnEngine", .oneOf(), default: KNNEngine.faiss,
      doc: "The library for vectors in OpenSearch; `lucene` where nodes have no native library.")
    space = reader.optional(
      "knnSpace", .oneOf(KNNSpace.self),
      doc:
        "The measure of nearness of a new index: `cosinesimil`, `innerproduct` or `l2`, which all give the cosine of "
        + "vectors of unit length; by default the inner product for Faiss and the cosine for Lucene.")
    graphDegree = reader.value(
      "knnM", .int(in: 2...100), default: 16, doc: "Neighbours of a node of a new index's graph.")
    constructionDepth = reader.value(
      "knnConstruction", .int(in: 2...2_000), default: 256,
      doc: "Candidates looked at when a node is added to a new index's graph (`ef_construction`).")
    searchDepth = reader.value(
      "knnDepth", .int(in: 10...10_000), default: 200,
      doc: "Candidates that a vector search in OpenSearch looks at: more find more and take longer.")
    shards = reader.value("shards", .int(in: 1...1_024), default: 1, doc: "Shards of a new index of chunks.")
    replicas = reader.optional(
      "replicas", .int(in: 0...20),
      doc:
        "Copies of every shard of new indices beside the first; by default one where there are two nodes, none on one.")
    languages = reader.value(
      "languages", .list(of: .nonEmptyString), default: [],
      doc:
        "Analyzers of OpenSearch for a new index, such as `german`, beside the common one, which lowers case and takes "
        + "off diacritics and English endings.")
    timeout = reader.value(
      "timeout", .duration(in: .seconds(1)...(.seconds(600))), default: .seconds(30),
      doc: "The longest wait for an answer of OpenSearch.")
    grace = reader.value(
      "grace", .duration(in: .seconds(1)...(.seconds(86_400))), default: .seconds(120),
      doc: "How long a replaced version stays in OpenSearch for queries that began before: longer than any query.")
  }

  /// The service that requests are signed for; nil for none.
  var signedService: OpenSearchSigning.Service? {
    switch signing {
    case .none: return nil
    case .es: return .domain
    case .aoss: return .serverless
    case .auto:
      guard user == nil,
        let host = endpoints.first?.split(separator: "/").dropFirst().first?.split(separator: ":").first
      else { return nil }
      if host.hasSuffix(".es.amazonaws.com") || host.hasSuffix(".es.amazonaws.com.cn") { return .domain }
      return host.hasSuffix(".aoss.amazonaws.com") ? .serverless : nil
    }
  }
}
