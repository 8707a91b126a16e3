import Core

/// How many of a question's phrases a passage has: pairs of neighbouring content words.
///
/// Neither leg looks at the order of words; "air gap" in a passage says more than "air" and "gap" apart.
struct PhraseMatch {
  private let phrases: Set<[String]>

  init(question: String) { phrases = Self.pairs(in: question) }

  /// The share of the question's phrases that stand in `chunk` or its headings, 0 to 1; 0 when it has none.
  func share(in chunk: Chunk) -> Double {
    guard !phrases.isEmpty else { return 0 }
    var found = Self.pairs(in: chunk.text).intersection(phrases)
    for heading in chunk.headingPath where found.count < phrases.count {
      found.formUnion(Self.pairs(in: heading).intersection(phrases))
    }
    return Double(found.count) / Double(phrases.count)
  }

  private static func pairs(in text: String) -> Set<[String]> {
    let words = Words.content(of: text)
    return Set(zip(words, words.dropFirst()).map { [$0, $1] })
  }
}
