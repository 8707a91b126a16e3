public import Core
import Glibc

/// What is measured of a question and its passages to judge whether they can answer it. All are 0 to 1,
/// cosines −1 to 1.
public struct RelevanceFeatures: Sendable, Hashable {
  /// The highest cosine of the passages.
  public var topSimilarity: Double
  /// The mean of the three highest cosines.
  public var meanSimilarity: Double
  /// The largest share of the question's content words that one passage has.
  public var bestCoverage: Double
  /// The share of them that all passages together have.
  public var unionCoverage: Double
  /// The largest share of the question's names and numbers that one passage has; 1 when it has none.
  public var specificCoverage: Double
  /// 1 when the first passage was found by more than one leg among its first five, else 0.
  public var agreement: Double

  /// The features in the order of ``RelevanceModel/weights``.
  public var values: [Double] {
    [topSimilarity, meanSimilarity, bestCoverage, unionCoverage, specificCoverage, agreement]
  }

  /// Their names, in the same order.
  public static let names = [
    "top_similarity", "mean_similarity", "best_coverage", "union_coverage", "specific_coverage", "agreement",
  ]

  /// Measures `passages` (best first) against `question`.
  public init(question: String, passages: [Passage]) {
    let similarities = passages.map { Double($0.similarity) }.sorted(by: >).prefix(3)
    topSimilarity = similarities.first ?? 0
    meanSimilarity = similarities.isEmpty ? 0 : similarities.reduce(0, +) / Double(similarities.count)

    let content = Set(Words.content(of: question))
    let specific = Self.specificWords(of: question)
    var union: Set<String> = []
    var best = 0.0
    var bestSpecific = 0.0
    for passage in passages {
      let words = Set(Words.content(of: passage.chunk.embeddedText))
      let found = content.intersection(words)
      union.formUnion(found)
      if !content.isEmpty { best = max(best, Double(found.count) / Double(content.count)) }
      if !specific.isEmpty {
        bestSpecific = max(bestSpecific, Double(specific.intersection(words).count) / Double(specific.count))
      }
    }
    bestCoverage = best
    unionCoverage = content.isEmpty ? 0 : Double(union.count) / Double(content.count)
    specificCoverage = specific.isEmpty ? 1 : bestSpecific
    let firstLegs = passages.first?.legs.values.filter { $0.rank <= 5 }.count ?? 0
    agreement = firstLegs > 1 ? 1 : 0
  }

  /// Words that name something in particular: numbers, and words with a capital that do not begin the question.
  static func specificWords(of question: String) -> Set<String> {
    var specific: Set<String> = []
    var isFirst = true
    for word in question.split(whereSeparator: { $0 == " " || $0 == "\n" || $0 == "\t" }) {
      let letters = word.drop { !$0.isLetter && !$0.isNumber }
      guard let first = letters.first else { continue }
      if letters.contains(where: \.isNumber) || (first.isUppercase && !isFirst) {
        specific.formUnion(Words.content(of: String(letters)))
      }
      isFirst = false
    }
    return specific
  }
}

/// A logistic model of whether the passages answer the question; its value is the confidence that is compared
/// with the refusal threshold.
public struct RelevanceModel: Sendable, Hashable {
  /// The constant term.
  public var bias: Double
  /// One weight for each feature, in the order of ``RelevanceFeatures/values``.
  public var weights: [Double]

  /// Creates a model.
  public init(bias: Double, weights: [Double]) {
    self.bias = bias
    self.weights = weights
  }

  /// The model fitted by `quarry evaluate refusal` on questions whose unanswerable ones are near misses; see
  /// docs/retrieval.md for data, cross-validation and ROC.
  public static let fitted = RelevanceModel(bias: -4, weights: [5, 0, 2, 0, 1, 0.5])

  /// The probability, 0 to 1, that the question is answerable from measured features.
  public func probability(_ features: RelevanceFeatures) -> Double {
    var sum = bias
    for (weight, value) in zip(weights, features.values) { sum += weight * value }
    return 1 / (1 + exp(-sum))
  }

  /// The confidence, 0 to 1, that `passages` answer `question`; 0 without passages.
  ///
  /// Cosines say nothing about a script that the embedding model does not read: then the share of the
  /// question's words found in one passage is the confidence.
  func confidence(question: String, passages: [Passage], denseReads: Bool) -> Double {
    guard !passages.isEmpty else { return 0 }
    let features = RelevanceFeatures(question: question, passages: passages)
    return denseReads ? probability(features) : features.bestCoverage
  }
}
