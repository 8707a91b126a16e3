import Configuration

extension Settings {
  /// Which reranker orders passages anew.
  public enum RerankKind: String, Sendable, CaseIterable {
    /// None: the fused order stands.
    case none
    /// A model of Amazon Bedrock.
    case bedrock
  }

  /// The reranker. How many candidates it gets and how long it may take are settings of retrieval.
  public struct Rerank: Sendable {
    /// Which kind.
    public var kind: RerankKind
    /// The model's id; empty only without one.
    public var model: String
  }
}

extension Settings.Rerank {
  init(_ reader: ConfigurationReader) {
    kind = reader.value(
      "kind", .oneOf(), default: Settings.RerankKind.none,
      doc: "Which reranker orders the passages of the search anew: `none`, or `bedrock`.")
    model =
      reader.optional(
        "model", .nonEmptyString,
        doc: "The id or ARN of a reranker of Bedrock: `cohere.rerank-v3-5:0` or `amazon.rerank-v1:0`.") ?? ""
    if kind != .none, model.isEmpty { reader.reject("model", "must name the reranker") }
  }
}
