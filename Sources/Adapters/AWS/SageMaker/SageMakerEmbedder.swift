import AWSSigning
public import Core

/// Embeddings by a model behind an endpoint of SageMaker.
///
/// Longer texts than `limit` are refused, never cut silently: chunks are made to fit.
public struct SageMakerEmbedder: Embedder {
  /// What makes its vectors comparable. SageMaker names no revision of a model: the model's name stands for it, or
  /// else the endpoint, its component and the dialect.
  public let identity: EmbeddingIdentity
  private let client: AWSClient
  private let endpoint: SageMakerEndpoint
  private let dialect: SageMakerEmbeddingDialect
  private let pooling: TokenPooling
  private let callSize: Int
  private let characters: Int
  private let pace: RequestPace
  private let width: Int

  /// Creates an embedder.
  /// - Parameters:
  ///   - model: A name that stands for the model in the identity, so that another endpoint with it serves the same
  ///     index; nil for the endpoint's own.
  ///   - dimension: Nil where the dialect knows its model's.
  ///   - pooling: How vectors of tokens become one, where a container answers those.
  ///   - batchSize: Texts of one call; nil for the dialect's default.
  ///   - characterLimit: Characters that are certain to fit; nil for the dialect's default.
  ///   - pace: The rate and number in flight that calls keep to, shared by all embedders of the endpoint.
  ///   - width: Calls at one time, at least 1.
  /// - Throws: `aws.dimension` when nobody says a dimension; `aws.batch_size` for more texts than the dialect takes.
  public init(
    client: AWSClient, endpoint: SageMakerEndpoint, dialect: SageMakerEmbeddingDialect, model: String? = nil,
    dimension: Int? = nil, pooling: TokenPooling = .mean, batchSize: Int? = nil, characterLimit: Int? = nil,
    pace: RequestPace, width: Int = 8
  ) throws {
    guard let dimension = dimension ?? dialect.dimension else {
      throw AWSError(
        "aws.dimension", .invalidConfiguration,
        "the dimension of \(endpoint.resource) is not known: the dialect '\(dialect.name)' serves any model",
        remedy: "Set embedding.dimensions to the model's.")
    }
    let batchSize = batchSize ?? dialect.defaultBatchSize
    guard (1...dialect.maximumBatchSize).contains(batchSize) else {
      throw AWSError(
        "aws.batch_size", .invalidConfiguration,
        "the dialect '\(dialect.name)' takes at most \(dialect.maximumBatchSize) texts a call, not \(batchSize)",
        remedy: "Lower embedding.batchSize, or use a template with {{texts}}.")
    }
    self.client = client
    self.endpoint = endpoint
    self.dialect = dialect
    self.pooling = pooling
    callSize = batchSize
    characters = characterLimit ?? dialect.defaultCharacterLimit
    self.pace = pace
    self.width = max(1, width)
    let place = [endpoint.name, endpoint.inferenceComponent].compactMap { $0 }.joined(separator: "/")
    identity = EmbeddingIdentity(
      model: model ?? place, revision: "\(model ?? place):\(dialect.identity)", dimension: dimension,
      pooling: dialect.pools ? pooling.rawValue : "provider", truncation: "none", numericScheme: "provider")
  }

  /// A number of characters that is certain to fit.
  public var limit: EmbeddingLimit { .characters(characters) }

  /// Enough for all calls at one time.
  public var batchSize: Int { callSize * width }

  /// Embeds texts, in order, several calls at a time.
  /// - Throws: ``AWSError``; `CancellationError`.
  public func embed(_ texts: [String], as input: EmbeddingInput) async throws -> [Embedding] {
    if let long = texts.first(where: { $0.unicodeScalars.count > characters }) {
      throw AWSError(
        "aws.text_too_long", .tooLarge,
        "a text of \(long.unicodeScalars.count) characters is longer than the \(characters) that \(endpoint.resource) takes",
        remedy: "Shorten the question; for documents, raise embedding.maxCharacters as far as the model allows.")
    }
    return try await EmbeddingBatches.run(texts, size: callSize, width: width) { try await embedBatch($0) }
  }

  private func embedBatch(_ texts: [String]) async throws -> [Embedding] {
    let call = endpoint.call(try dialect.body(texts), contentType: dialect.contentType)
    // Four bytes a token is the usual English.
    let estimate = texts.reduce(0) { $0 + $1.utf8.count / 4 + 1 }
    let answer = try await client.bytes(call, limit: 64 << 20, pace: pace, tokens: estimate)
    func mismatch(_ problem: String) -> AWSError {
      endpoint.mismatch("embedding.dialect", dialect: dialect.name, answer: answer, problem)
    }
    guard let vectors = dialect.vectors(answer, count: texts.count, pooling: pooling) else {
      throw mismatch("there are no vectors of \(texts.count) texts in it")
    }
    return try vectors.map { vector in
      guard vector.count == identity.dimension else {
        throw AWSError(
          "aws.dimension", .conflict,
          "\(endpoint.resource) answers vectors of \(vector.count) dimensions; \(identity.dimension) are configured",
          remedy: "Set embedding.dimensions to the model's, or embedding.dialect to the container's.")
      }
      guard let embedding = Embedding(normalising: vector) else { throw mismatch("a vector has no direction") }
      return embedding
    }
  }
}
