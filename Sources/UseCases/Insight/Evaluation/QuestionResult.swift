/// What retrieval made of one question.
public struct QuestionResult: Sendable, Hashable {
  /// How a question counts.
  public enum Judgement: String, Sendable, Hashable {
    /// Answerable, and its evidence is in the index: it counts in hits.
    case answerable
    /// Not answerable: it counts in refusals.
    case unanswerable
    /// It names no evidence, or documents that are not in the index: it counts in nothing.
    case unjudged
  }

  /// The question's id.
  public var id: String
  /// The question.
  public var question: String
  /// Its kind.
  public var kind: String
  /// How it counts.
  public var judgement: Judgement
  /// The rank, from 1, of the first right page; nil when none was found.
  public var rank: Int?
  /// nDCG@10, 0 to 1.
  public var gain: Double
  /// The confidence of retrieval, 0 to 1.
  public var confidence: Double
  /// Whether the question would be refused.
  public var isRefused: Bool
}
