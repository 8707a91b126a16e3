/// Finds sentences by rules, without a locale: terminators, closing quotes, abbreviations, initials, numbers and
/// the full stops of scripts without spaces. The rules follow the spirit of Unicode UAX #29 SB6–SB11, with
/// abbreviations added because libraries of reports and rulings are full of them.
public struct SentenceSplitter: Sendable {
  /// Creates a splitter.
  public init() {}

  /// The half-open ranges of the sentences of `range` of `text`, without the white space between them.
  public func sentences(of text: [Unicode.Scalar], in range: Range<Int>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start = Self.skipSpace(text, range.lowerBound, range.upperBound)
    var index = start
    while index < range.upperBound {
      let scalar = text[index]
      guard Self.isTerminator(scalar) || Self.isWideTerminator(scalar) else {
        index += 1
        continue
      }
      let mark = index
      var end = index + 1
      while end < range.upperBound, Self.isTerminator(text[end]) || Self.isWideTerminator(text[end]) { end += 1 }
      while end < range.upperBound, Self.isCloser(text[end]) { end += 1 }
      index = end
      let next = Self.skipSpace(text, end, range.upperBound)
      guard next < range.upperBound else { break }
      let isBoundary =
        Self.isWideTerminator(text[mark])
        || (next > end && Self.mayStart(text, next, range.upperBound)
          && !(scalar == "." && end == mark + 1 && Self.isAbbreviation(text, mark, start, next: text[next])))
      if isBoundary {
        result.append(start..<end)
        start = next
        index = next
      }
    }
    var end = range.upperBound
    while end > start, text[end - 1].properties.isWhitespace { end -= 1 }
    if end > start { result.append(start..<end) }
    return result
  }

  private static func skipSpace(_ text: [Unicode.Scalar], _ from: Int, _ end: Int) -> Int {
    var index = from
    while index < end, text[index].properties.isWhitespace { index += 1 }
    return index
  }

  private static func isTerminator(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case ".", "!", "?", "\u{2026}", "\u{061F}", "\u{06D4}", "\u{0964}", "\u{0965}", "\u{1362}": true
    default: false
    }
  }

  /// Full stops after which no space is written.
  private static func isWideTerminator(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\u{3002}", "\u{FF01}", "\u{FF1F}", "\u{FF0E}", "\u{FF61}": true
    default: false
    }
  }

  private static func isCloser(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\"", "'", ")", "]", "}", "\u{2019}", "\u{201D}", "\u{00BB}", "\u{300D}", "\u{300F}", "\u{FF09}": true
    default: false
    }
  }

  /// Whether a sentence may begin at `index`: anything but a lower-case letter or punctuation that continues.
  private static func mayStart(_ text: [Unicode.Scalar], _ index: Int, _ end: Int) -> Bool {
    var index = index
    while index < end, isOpener(text[index]) { index += 1 }
    guard index < end else { return false }
    let scalar = text[index]
    switch scalar.properties.generalCategory {
    case .lowercaseLetter, .dashPunctuation, .otherPunctuation, .closePunctuation: return scalar == "\u{2022}"
    default: return true
    }
  }

  private static func isOpener(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\"", "'", "(", "[", "\u{2018}", "\u{201C}", "\u{00AB}", "\u{00BF}", "\u{00A1}": true
    default: false
    }
  }

  /// Whether the full stop at `mark` ends an abbreviation, initial or number rather than a sentence.
  private static func isAbbreviation(
    _ text: [Unicode.Scalar], _ mark: Int, _ start: Int, next: Unicode.Scalar
  ) -> Bool {
    var begin = mark
    while begin > start, !text[begin - 1].properties.isWhitespace, !isOpener(text[begin - 1]) { begin -= 1 }
    guard begin < mark else { return true }
    var word = String.UnicodeScalarView()
    word.append(contentsOf: text[begin..<mark])
    let token = String(word).lowercased()
    let isNextDigit = next.properties.numericType != nil
    if token.unicodeScalars.allSatisfy({ $0.properties.numericType != nil }) {
      // "3." that opens a sentence numbers a list item; elsewhere it ends a sentence.
      return begin == start && mark - begin <= 3
    }
    if mark - begin == 1, text[begin].properties.isUppercase { return true }  // J. Smith, U. S.
    if alwaysAbbreviated.contains(token) { return true }
    if isNextDigit, beforeNumbers.contains(token) { return true }
    // e.g. i.e. U.S. D.C. Ph.D: single letters between full stops, unless a sentence clearly starts.
    if token.contains("."), token.split(separator: ".").allSatisfy({ $0.unicodeScalars.count <= 2 }) { return true }
    return false
  }

  /// Abbreviations that a capital follows without ending a sentence.
  private static let alwaysAbbreviated: Set<String> = [
    "mr", "mrs", "ms", "dr", "prof", "rev", "hon", "gen", "gov", "sen", "rep", "capt", "col", "lt", "sgt", "st",
    "messrs", "jr", "sr", "vs", "v", "cf", "al", "viz", "ca", "approx", "e.g", "i.e", "eg", "ie", "inc", "ltd",
    "corp", "fig", "figs", "eq", "eqs", "sec", "ch", "pp", "ed", "eds", "dept", "univ", "assn", "ann", "rev",
    "stat", "art", "bzw", "z.b", "d.h", "u.a", "vgl", "abb", "nr", "bspw", "ggf", "sog", "ing", "mme", "mlle",
    "sra", "srta", "ud", "jan", "feb", "aug", "sept", "oct", "nov", "dec",
  ]

  /// Abbreviations only when a number follows.
  private static let beforeNumbers: Set<String> = [
    "no", "nos", "p", "vol", "vols", "table", "tab", "app", "para", "paras", "rule", "cl", "mar", "apr", "jun",
    "jul", "sep", "item", "ex", "bd", "kap", "s", "n", "pt",
  ]
}
