import AWSSigning
public import Core
import FoundationEssentials

/// Embeddings by Amazon Bedrock: Titan v1 and v2, Cohere v3 and v4.
///
/// Longer texts than the model takes are refused by it, never cut silently: chunks are made to fit `limit`.
public struct BedrockEmbedder: Embedder {
  /// What makes its vectors comparable. Bedrock names no revision of a model's weights: the id stands for it.
  public let identity: EmbeddingIdentity
  private let client: AWSClient
  private let id: String
  private let model: BedrockEmbeddingModel
  private let pace: RequestPace
  private let width: Int

  /// Creates an embedder.
  /// - Parameters:
  ///   - model: A model id, an inference profile's id or an ARN of either.
  ///   - dimension: One of the model's; nil for its default.
  ///   - pace: The rate that calls keep to, shared by all embedders of the account's quota.
  ///   - width: Calls at one time, at least 1.
  /// - Throws: `aws.model_unknown` for a family that it cannot ask; `aws.dimension` for a dimension it does not have.
  public init(client: AWSClient, model id: String, dimension: Int? = nil, pace: RequestPace, width: Int = 8) throws {
    guard let model = BedrockEmbeddingModel(id: id) else {
      throw AWSError(
        "aws.model_unknown", .invalidConfiguration, "'\(id)' is no embedding model of Bedrock that Quarry can ask",
        remedy: "Use amazon.titan-embed-text-v1 or v2:0, cohere.embed-english-v3, -multilingual-v3 or -v4:0.")
    }
    let dimension = dimension ?? model.dimensions[0]
    guard model.dimensions.contains(dimension) else {
      let known = model.dimensions.map(String.init).joined(separator: ", ")
      throw AWSError(
        "aws.dimension", .invalidConfiguration, "'\(id)' makes no vectors of \(dimension) dimensions",
        remedy: "Use \(known).")
    }
    self.client = client
    self.id = id
    self.model = model
    self.pace = pace
    self.width = max(1, width)
    identity = EmbeddingIdentity(
      model: id, revision: id, dimension: dimension, pooling: "provider", truncation: "none", numericScheme: "provider")
  }

  /// A number of characters that is certain to fit.
  public var limit: EmbeddingLimit { .characters(model.characterLimit) }

  /// Enough for all calls at one time.
  public var batchSize: Int { model.batchSize * width }

  /// Whether the model was trained on a script.
  public func reads(_ script: Script) -> Bool { model.reads(script, id: id) }

  /// Embeds texts, in order, several calls at a time.
  /// - Throws: ``AWSError``; `CancellationError`.
  public func embed(_ texts: [String], as input: EmbeddingInput) async throws -> [Embedding] {
    try await EmbeddingBatches.run(texts, size: model.batchSize, width: width) { try await embedBatch($0, as: input) }
  }

  private func embedBatch(_ texts: [String], as input: EmbeddingInput) async throws -> [Embedding] {
    let body = try model.body(texts, as: input, dimension: identity.dimension)
    // Four characters a token is the usual English; the answer's own count corrects the pace.
    let estimate = texts.reduce(0) { $0 + $1.utf8.count / 4 + 1 }
    let call = AWSCall(
      .bedrock, "InvokeModel", on: "model \(id)", path: URIEncoding.path(segments: ["model", id, "invoke"]),
      headers: [.init("Content-Type", "application/json"), .init("Accept", "application/json")], body: body)
    let answer = try await client.bytes(call, pace: pace, tokens: estimate)
    guard let (vectors, _) = try? model.vectors(answer) else {
      throw AWSError(
        "aws.answer_malformed", .unavailable, "model \(id) answers in no form that is known",
        remedy: "Check that the id is of an embedding model.")
    }
    guard vectors.count == texts.count, vectors.allSatisfy({ $0.count == identity.dimension }) else {
      throw AWSError(
        "aws.dimension", .conflict,
        "model \(id) answers \(vectors.count) vectors of \(vectors.first?.count ?? 0) dimensions to \(texts.count) texts; "
          + "\(identity.dimension) dimensions are configured", remedy: "Set the model's own dimension.")
    }
    return try vectors.map { vector in
      guard let embedding = Embedding(normalising: vector) else {
        throw AWSError("aws.answer_malformed", .unavailable, "model \(id) answers a vector without direction")
      }
      return embedding
    }
  }
}
