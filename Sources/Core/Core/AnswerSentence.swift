/// Why a sentence of an answer is not supported by what it cites.
public enum UnsupportedReason: String, Sendable, Codable, CaseIterable {
  /// It cites nothing.
  case uncited
  /// It cites only numbers that are no passages.
  case unknownCitation = "unknown_citation"
  /// It has a number that the cited text does not have.
  case number
  /// It has a name that the cited text does not have.
  case name
  /// The cited text has too few of its words, and no sentence that means much the same.
  case words
}

/// One sentence of an answer, held against the text it cites.
public struct AnswerSentence: Sendable, Hashable, Codable {
  /// First Unicode scalar of the answer's text.
  public var start: Int
  /// One past the last; the citations that belong to the sentence are inside.
  public var end: Int
  /// The numbers of the passages it cites, ascending; only such as are passages.
  public var citations: [Int]
  /// The share of its content words that the cited text has, 0 to 1; 1 when it has none.
  public var coverage: Double
  /// Why it is not supported; nil when it is.
  public var reason: UnsupportedReason?
  /// The numbers or names that the cited text lacks, in the order of the sentence.
  public var missing: [String]

  /// Whether the cited text supports it, as far as words tell.
  public var isSupported: Bool { reason == nil }

  /// Creates a sentence.
  public init(
    start: Int, end: Int, citations: [Int], coverage: Double, reason: UnsupportedReason? = nil, missing: [String] = []
  ) {
    self.start = start
    self.end = end
    self.citations = citations
    self.coverage = coverage
    self.reason = reason
    self.missing = missing
  }
}
