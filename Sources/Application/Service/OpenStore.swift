import AWS
import Configuration
import Core
import FoundationEssentials
import HTTPClient
import Ingestion
import OpenSearchStore
import SQLiteStore

/// An opened store of either kind: the one place that knows both.
enum OpenStore: Sendable {
  case sqlite(SQLiteDatabase)
  case cluster(OpenSearchCluster)

  /// Opens the store that `settings` name.
  /// - Parameters:
  ///   - mustExist: Whether a missing one is an error; else it is made.
  ///   - migrates: Whether one of an earlier version is brought up to date.
  static func open(
    _ settings: Settings, remote: RemoteParts, environment: [String: String], mustExist: Bool = false,
    migrates: Bool = true
  ) async throws -> OpenStore {
    switch settings.store.kind {
    case .sqlite:
      .sqlite(try await SQLiteDatabase.open(settings.store.path, mustExist: mustExist, migrates: migrates))
    case .opensearch:
      .cluster(
        try await OpenSearchCluster.open(
          try await client(settings, remote: remote, environment: environment), mustExist: mustExist))
    }
  }

  /// A client of the configured cluster.
  static func client(
    _ settings: Settings, remote: RemoteParts, environment: [String: String]
  ) async throws -> OpenSearchClient {
    let cluster = settings.store.cluster
    let authentication: OpenSearchAuthentication
    if let service = cluster.signedService {
      let aws = try remote.aws()
      authentication = .signed(
        OpenSearchSigning(
          service: service, region: aws.region, credentials: { try await aws.credentials.credentials().credentials },
          forget: { await aws.credentials.forget($0) }))
    } else if let user = cluster.user {
      let password = try await cluster.password?.resolved(remote: remote, environment: environment).revealed ?? ""
      authentication = .basic(user: user, password: password)
    } else {
      authentication = .none
    }
    if let file = cluster.certificateAuthorities, !FileManager.default.isReadableFile(atPath: file) {
      throw CoreError(
        code: "opensearch.ca", category: .invalidConfiguration, message: "store.ca: \(file) cannot be read",
        remedy: "Name a PEM file.")
    }
    return try OpenSearchClient(
      OpenSearchConfiguration(
        endpoints: cluster.endpoints, authentication: authentication, index: cluster.index, engine: cluster.engine,
        space: cluster.space, graphDegree: cluster.graphDegree, constructionDepth: cluster.constructionDepth,
        searchDepth: cluster.searchDepth, shards: cluster.shards, replicas: cluster.replicas,
        languages: cluster.languages, timeout: cluster.timeout, grace: cluster.grace),
      http: HTTPClient(
        configuration: HTTPClientConfiguration(
          userAgent: "quarry/\(QuarryVersion.current)", connectionsPerHost: 64,
          certificateAuthorities: cluster.certificateAuthorities)))
  }

  var index: any DocumentIndex {
    switch self {
    case .sqlite(let database): SQLiteDocumentIndex(database)
    case .cluster(let cluster): OpenSearchDocumentIndex(cluster)
    }
  }

  /// The parts that move to another store.
  func side(embeddingCacheBytes: Int) -> StoreCopy.Side {
    let index: any StoreTransfer =
      switch self {
      case .sqlite(let database): SQLiteDocumentIndex(database)
      case .cluster(let cluster): OpenSearchDocumentIndex(cluster)
      }
    return StoreCopy.Side(index: index, cache: embeddingCache(maximumBytes: embeddingCacheBytes), keys: keys)
  }

  var jobs: any JobStore {
    switch self {
    case .sqlite(let database): SQLiteJobStore(database)
    case .cluster(let cluster): OpenSearchJobStore(cluster)
    }
  }

  var keys: any KeyStore {
    switch self {
    case .sqlite(let database): SQLiteKeyStore(database)
    case .cluster(let cluster): OpenSearchKeyStore(cluster)
    }
  }

  var conversations: any ConversationStore {
    switch self {
    case .sqlite(let database): SQLiteConversationStore(database)
    case .cluster(let cluster): OpenSearchConversationStore(cluster)
    }
  }

  /// - Parameter maximumBytes: Beyond which the least recently used embeddings go.
  func embeddingCache(maximumBytes: Int) -> any EmbeddingCache {
    switch self {
    case .sqlite(let database): SQLiteEmbeddingCache(database, maximumBytes: maximumBytes)
    case .cluster(let cluster): OpenSearchEmbeddingCache(cluster, maximumBytes: maximumBytes)
    }
  }

  func upkeep(embeddingCacheBytes: Int) -> any StoreUpkeep {
    switch self {
    case .sqlite(let database):
      SQLiteStoreUpkeep(database, cache: SQLiteEmbeddingCache(database, maximumBytes: embeddingCacheBytes))
    case .cluster(let cluster):
      OpenSearchStoreUpkeep(
        cluster, cache: OpenSearchEmbeddingCache(cluster, maximumBytes: embeddingCacheBytes))
    }
  }

  func close() async {
    if case .sqlite(let database) = self { await database.close() }
  }
}
