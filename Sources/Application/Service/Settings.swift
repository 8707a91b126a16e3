public import Answering
public import Configuration
public import Core
public import Ingestion
public import Telemetry

/// Everything that configuration decides, validated.
public struct Settings: Sendable {
  /// The application's name, in events, metrics and logs.
  public var app: String
  /// The environment's name, such as `production`.
  public var environment: String
  /// Where Quarry keeps its data.
  public var dataDirectory: String
  /// The index.
  public var store: Store
  /// Where documents come from when a command names no path.
  public var sources: [Source]
  /// The embedding model.
  public var embedding: EmbeddingModel
  /// The text model.
  public var generation: Generation
  /// Amazon Web Services.
  public var aws: AWS
  /// Where metrics go.
  public var metrics: Metrics
  /// How pages are cut.
  public var chunking: ChunkingSettings
  /// How passages are found.
  public var retrieval: RetrievalSettings
  /// What orders passages anew.
  public var rerank: Rerank
  /// How questions are answered.
  public var answering: QuestionAnswering.Settings
  /// How text models are prompted.
  public var prompting: Prompting
  /// Limits of reading PDFs.
  public var pdf: PDF
  /// Reading pages that are images.
  public var ocr: OCR
  /// How sources are watched.
  public var watch: Watch
  /// The HTTP service.
  public var server: Server
  /// Documents uploaded by HTTP.
  public var uploads: Uploads
  /// The event log.
  public var events: Events
  /// The log.
  public var log: Log

  /// USD for 1,000 input and output tokens by model id; zero is a price, a model that is missing has an unknown one.
  public var prices: [String: QuestionAnswering.TokenPrice] { answering.prices }

  /// Which backend holds the index.
  public enum StoreKind: String, Sendable, CaseIterable {
    /// The embedded store: one file.
    case sqlite
    /// An OpenSearch cluster.
    case opensearch
  }

  /// The index.
  public struct Store: Sendable {
    /// Which backend.
    public var kind: StoreKind
    /// The file of the SQLite store.
    public var path: String
    /// Most bytes of cached embeddings; the least recently used go beyond that.
    public var embeddingCacheBytes: Int
    /// The cluster, when that is the backend.
    public var cluster: Cluster
  }

  /// A place documents come from.
  public struct Source: Sendable, Hashable {
    /// A directory or file, or `s3://bucket/prefix`.
    public var uri: String
    /// The collection of what is found there.
    public var collection: CollectionName
    /// Patterns of paths that are taken; empty for every PDF.
    public var include: [String]
    /// Patterns of paths that are left out.
    public var exclude: [String]
    /// The URL or ARN of the SQS queue of a prefix's object events; nil when there is none.
    public var queue: String?

    /// Creates a source.
    public init(
      uri: String, collection: CollectionName = .default, include: [String] = [], exclude: [String] = [],
      queue: String? = nil
    ) {
      self.uri = uri
      self.collection = collection
      self.include = include
      self.exclude = exclude
      self.queue = queue
    }
  }

  /// Which embedding model.
  public enum EmbeddingKind: String, Sendable, CaseIterable {
    /// all-MiniLM-L6-v2 on this machine's CPU.
    case local
    /// A model of Amazon Bedrock.
    case bedrock
    /// A model behind an endpoint of SageMaker.
    case sagemaker
  }

  /// What the local model computes with; part of the embedding identity.
  public enum NumericScheme: String, Sendable, CaseIterable {
    /// 32-bit floats.
    case fp32
    /// Factors rounded to bfloat16.
    case bf16
    /// Factors as bytes.
    case int8
  }

  /// The embedding model.
  public struct EmbeddingModel: Sendable {
    /// Which model.
    public var kind: EmbeddingKind
    /// What the local model computes with.
    public var numericScheme: NumericScheme
    /// The folder of the model's files; nil for the cache folder that `make setup` fills.
    public var directory: String?
    /// Threads; nil for as many as there are cores.
    public var threads: Int?
    /// The model's id at Bedrock; for SageMaker a name that stands for the model in the embedding identity.
    public var model: String
    /// An endpoint of SageMaker.
    public var endpoint: Endpoint
    /// How the endpoint's container is asked.
    public var dialect: EmbeddingDialect
    /// How vectors of tokens become one.
    public var pooling: Pooling
    /// Texts of one call; nil for the dialect's default.
    public var batchSize: Int?
    /// Characters of a text that are certain to fit; nil for the dialect's default.
    public var maxCharacters: Int?
    /// The dimensions to ask for; nil for the model's default.
    public var dimensions: Int?
    /// Calls a minute; nil for no limit.
    public var requestsPerMinute: Double?
    /// Tokens a minute; nil for no limit.
    public var tokensPerMinute: Double?
    /// Calls at one time.
    public var concurrency: Int
  }

  /// Limits of reading PDFs; a document that breaks one is refused with a named reason.
  public struct PDF: Sendable {
    /// Most pages.
    public var maxPages: Int
    /// Address space of the reader, bytes.
    public var memory: Int
    /// CPU time for one document.
    public var cpuTime: Duration
    /// CPU time for one page.
    public var pageCpuTime: Duration
    /// Wall time for one document.
    public var wallTime: Duration
    /// Most bytes that the reader may send for one document.
    public var outputBytes: Int
    /// Most characters on one page.
    public var pageCharacters: Int
    /// Documents read at the same time.
    public var readers: Int
    /// User passwords tried on encrypted documents.
    public var passwords: [SecretSetting]
    /// The reader program; nil for the one beside `quarry`.
    public var reader: String?
  }

  /// How sources are watched.
  public struct Watch: Sendable {
    /// Time between two listings of everything.
    public var interval: Duration
    /// Time for which a file must stay as it is before it counts as completely written.
    public var settleTime: Duration
    /// A pause that ends a burst of changes.
    public var debounce: Duration
  }

  /// The HTTP service.
  public struct Server: Sendable {
    /// The address to listen on.
    public var host: String
    /// The port; 0 for any free one.
    public var port: Int
    /// PEM file of the certificate chain; TLS is on when it is given.
    public var tlsCertificate: String?
    /// PEM file of the private key.
    public var tlsKey: String?
    /// Most bytes of a request's body.
    public var maxBodyBytes: Int
    /// Most connections.
    public var maxConnections: Int
    /// Most requests served at once; more get 503.
    public var maxConcurrentRequests: Int
    /// Time a request may take, arrival and answer.
    public var requestTimeout: Duration
    /// Time a connection may be idle.
    public var idleTimeout: Duration
    /// Time requests get to finish at shutdown.
    public var drainTimeout: Duration
  }

  /// Documents uploaded by HTTP.
  public struct Uploads: Sendable {
    /// Most bytes of one document.
    public var maxBodyBytes: Int
    /// Most bytes of all uploads kept.
    public var maximumBytes: Int
    /// Most uploads taken at once.
    public var maxConcurrent: Int
  }

  /// The log.
  public struct Log: Sendable {
    /// The lowest level written.
    public var level: LogLevel
    /// How lines look; nil for JSON in `serve` and text elsewhere.
    public var format: LogFormat?
  }
}
