import Core

/// Finds the block of a page that a footnote belongs to: the only one with the footnote's mark at the end of a word.
enum FootnoteReference {
  /// The footnotes of a page by the position of the block in `body` that refers to them. Those without a mark go with
  /// the one before; those that none or several blocks refer to are left out.
  static func attached(
    _ notes: [TextBlock], to body: [TextBlock], in text: [Unicode.Scalar]
  ) -> [Int: [TextBlock]] {
    var result: [Int: [TextBlock]] = [:]
    var last: Int?
    for note in notes {
      if let mark = mark(of: text[note.range]) {
        let referring = body.indices.filter { refers(text[body[$0].range], to: mark) }
        last = referring.count == 1 ? referring[0] : nil
      }
      if let last { result[last, default: []].append(note) }
    }
    return result
  }

  /// What a footnote begins with: a number of at most three digits, or a symbol.
  private static func mark(of note: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]? {
    let digits = note.prefix { digit($0) != nil }.map(plain)
    if !digits.isEmpty { return digits.count <= 3 ? digits : nil }
    return note.first.flatMap { symbols.contains($0) ? [$0] : nil }
  }

  /// Whether a text has `mark` right behind a word, a sentence or a closing quote, and as no part of a number.
  private static func refers(_ text: ArraySlice<Unicode.Scalar>, to mark: [Unicode.Scalar]) -> Bool {
    guard text.count > mark.count else { return false }
    return (text.startIndex + 1...text.endIndex - mark.count).contains { start in
      let end = start + mark.count
      guard text[start..<end].elementsEqual(mark, by: { plain($0) == $1 }) else { return false }
      if end < text.endIndex, digit(text[end]) != nil || text[end].properties.isAlphabetic { return false }
      let before = text[start - 1]
      if before.properties.isAlphabetic { return true }
      guard closings.contains(before) else { return false }
      // "3.1" and "1,2" are numbers.
      return start - 2 < text.startIndex || digit(text[start - 2]) == nil || digit(mark[0]) == nil
    }
  }

  private static let symbols: Set<Unicode.Scalar> = ["*", "\u{2020}", "\u{2021}", "\u{00A7}"]
  private static let closings: Set<Unicode.Scalar> = [
    ".", ",", ";", ":", "!", "?", ")", "\"", "\u{2019}", "\u{201D}", "\u{00BB}", "\u{201C}",
  ]

  private static func digit(_ scalar: Unicode.Scalar) -> Int? {
    [.decimal, .digit].contains(scalar.properties.numericType) ? scalar.properties.numericValue.map { Int($0) } : nil
  }

  /// A raised digit as a plain one.
  private static func plain(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    digit(scalar).flatMap { Unicode.Scalar(0x30 + UInt32($0)) } ?? scalar
  }
}
