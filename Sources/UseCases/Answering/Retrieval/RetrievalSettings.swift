public import Core

/// How the legs' results become one ranking.
public enum FusionMethod: String, Sendable, CaseIterable {
  /// Weighted sum of scores, each relative to the question's best.
  case convex
  /// Weighted sum of reciprocal ranks.
  case reciprocalRank = "reciprocal_rank"
}

/// How passages are found.
public struct RetrievalSettings: Sendable, Hashable {
  /// Passages returned when a question names no number, 1 to ``largestTopK``.
  public var topK: Int
  /// Candidates taken from each leg before fusion.
  public var depth: Int
  /// How the legs are fused.
  public var fusion: FusionMethod
  /// The constant of reciprocal rank fusion.
  public var fusionK: Double
  /// Weights of the legs; a leg of weight 0 does not take part.
  public var weights: [RetrievalLeg: Double]
  /// What a passage that has all of the question's phrases gets on top of its score; one with a share, that share.
  /// In units of the fused score, so it is meant for convex fusion.
  public var phraseWeight: Double
  /// Passages given to the reranker, where there is one; at least as many as are returned.
  public var rerankCandidates: Int
  /// The longest wait for the reranker; the fused order then stands.
  public var rerankTimeout: Duration
  /// The lowest cosine a passage may have; nil for none.
  public var minimumSimilarity: Float?
  /// What the fused score of contents and index matter is multiplied by, 0 to 1.
  public var lowValueFactor: Double

  /// The weights used unless others are configured.
  public static let defaultWeights: [RetrievalLeg: Double] = [.dense: 0.6, .lexical: 0.4, .trigram: 0.4]

  /// The largest top-k a question may ask for.
  public static let largestTopK = 100

  /// Creates settings; the defaults were chosen on Quarry's own corpus (docs/retrieval.md).
  public init(
    topK: Int = 5, depth: Int = 100, fusion: FusionMethod = .convex, fusionK: Double = 60,
    weights: [RetrievalLeg: Double] = RetrievalSettings.defaultWeights, phraseWeight: Double = 0.2,
    rerankCandidates: Int = 50, rerankTimeout: Duration = .seconds(5), minimumSimilarity: Float? = nil,
    lowValueFactor: Double = 0.7
  ) {
    self.rerankCandidates = rerankCandidates
    self.rerankTimeout = rerankTimeout
    self.topK = topK
    self.depth = depth
    self.fusion = fusion
    self.fusionK = fusionK
    self.weights = weights
    self.phraseWeight = phraseWeight
    self.minimumSimilarity = minimumSimilarity
    self.lowValueFactor = lowValueFactor
  }
}
