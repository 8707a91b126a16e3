import Core

/// Measures how much of a sentence the cited text supports: the share of its content words and numbers found
/// there.
///
/// Lexical support is a floor, not a proof: a paraphrase may fall below the limit and is then flagged for the
/// reader, never removed.
enum SupportCheck {
  /// The least share of content words that counts as supported.
  static let threshold = 0.5

  /// The share, 0 to 1, of the content words of `sentence` that `evidence` has; 1 for a sentence without any.
  static func support(of sentence: String, by evidence: [String]) -> Double {
    let words = Set(Words.content(of: sentence))
    guard !words.isEmpty else { return 1 }
    var found: Set<String> = []
    for text in evidence { found.formUnion(words.intersection(Words.content(of: text))) }
    return Double(found.count) / Double(words.count)
  }
}
