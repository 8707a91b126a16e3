public import Core

/// How passages are found.
public struct RetrievalSettings: Sendable, Hashable {
  /// Passages returned when a question names no number, 1 to ``largestTopK``.
  public var topK: Int
  /// Candidates taken from each leg before fusion.
  public var depth: Int
  /// The constant of reciprocal rank fusion.
  public var fusionK: Double
  /// Weights of the legs; a leg of weight 0 does not take part.
  public var weights: [RetrievalLeg: Double]
  /// The lowest cosine a passage may have; nil for none.
  public var minimumSimilarity: Float?
  /// What the fused score of contents and index matter is multiplied by, 0 to 1.
  public var lowValueFactor: Double

  /// The largest top-k a question may ask for.
  public static let largestTopK = 100

  /// Creates settings; the defaults were chosen on Quarry's own corpus (docs/retrieval.md).
  public init(
    topK: Int = 5, depth: Int = 100, fusionK: Double = 60, weights: [RetrievalLeg: Double] = [:],
    minimumSimilarity: Float? = nil, lowValueFactor: Double = 0.7
  ) {
    self.topK = topK
    self.depth = depth
    self.fusionK = fusionK
    self.weights = weights
    self.minimumSimilarity = minimumSimilarity
    self.lowValueFactor = lowValueFactor
  }
}
