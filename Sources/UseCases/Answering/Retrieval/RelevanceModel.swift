public import Core
import Glibc

/// What is measured of a question and its passages to judge whether they can answer it: cosines −1 to 1, others 0
/// to 1. Each is made so that more of it never makes an answer less likely.
public struct RelevanceFeatures: Sendable, Hashable {
  /// The passages looked at, from the best: confidence must not depend on how many a question asks for.
  public static let depth = 5

  /// The highest cosine of the passages.
  public var topSimilarity: Double
  /// The largest share of the question's content words that one passage has.
  public var bestCoverage: Double
  /// The largest share of the question's names and numbers that one passage has; 1 when it has none.
  public var specificCoverage: Double
  /// Whether the sentences that match have the kind of thing asked for, such as a sum of money: the words matched by
  /// the best sentence that has one, as a share of those matched by the best sentence; 1 when no kind is known.
  public var expectedAnswer: Double

  /// The features in the order of ``RelevanceModel/weights``.
  public var values: [Double] { [topSimilarity, bestCoverage, specificCoverage, expectedAnswer] }

  /// Their names, in the same order.
  public static let names = ["top_similarity", "best_coverage", "specific_coverage", "expected_answer"]

  /// Measures the first ``depth`` of `passages` (best first) against `question`.
  public init(question: String, passages: [Passage]) {
    let passages = passages.prefix(Self.depth)
    topSimilarity = passages.map { Double($0.similarity) }.max() ?? 0

    let content = Set(Words.content(of: question))
    let specific = Self.specificWords(of: question)
    var best = 0.0
    var bestSpecific = 0.0
    for passage in passages {
      let words = Set(Words.content(of: passage.chunk.embeddedText))
      if !content.isEmpty { best = max(best, Double(content.intersection(words).count) / Double(content.count)) }
      if !specific.isEmpty {
        bestSpecific = max(bestSpecific, Double(specific.intersection(words).count) / Double(specific.count))
      }
    }
    bestCoverage = best
    specificCoverage = specific.isEmpty ? 1 : bestSpecific
    expectedAnswer = Self.expectedAnswer(question: question, content: content, passages: passages)
  }

  private static func expectedAnswer(question: String, content: Set<String>, passages: ArraySlice<Passage>) -> Double {
    guard let expected = ExpectedAnswer(askedBy: question) else { return 1 }
    let known = Set(Words.all(of: question))
    let splitter = SentenceSplitter()
    var best = 0
    var bestWithAnswer = -1
    for passage in passages {
      let scalars = Array(passage.chunk.text.unicodeScalars)
      for line in scalars.split(separator: "\n") {
        for range in splitter.sentences(of: scalars, in: line.startIndex..<line.endIndex) {
          var view = String.UnicodeScalarView()
          view.append(contentsOf: scalars[range])
          let sentence = String(view)
          let matched = content.intersection(Words.content(of: sentence)).count
          best = max(best, matched)
          if matched > bestWithAnswer, expected.isFound(in: sentence, besides: known) { bestWithAnswer = matched }
        }
      }
    }
    if best == 0 { return bestWithAnswer < 0 ? 0 : 1 }
    return Double(max(0, bestWithAnswer)) / Double(best)
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
  public static let fitted = RelevanceModel(bias: -4.299, weights: [5.317, 0.082, 1.771, 1.269])

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
