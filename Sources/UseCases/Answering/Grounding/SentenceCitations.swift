import Core

/// A sentence of an answer with the citations that belong to it.
struct CitedSentence {
  /// Half-open range of Unicode scalars of the answer's text, citations included.
  var range: Range<Int>
  /// Its words, without citations.
  var text: String
  /// Its citations in order; those that were rejected too.
  var marks: [CitationParser.Mark]

  /// The sentences of an answer.
  ///
  /// A citation stands after the full stop as often as before it: marks that stand before the first word of a sentence
  /// prove the one before.
  static func all(of parser: CitationParser) -> [CitedSentence] {
    let characters = Array(parser.text)
    let scalars = Array(parser.text.unicodeScalars)
    var characterOfScalar: [Int] = []
    var scalarOfCharacter: [Int] = []
    for (index, character) in characters.enumerated() {
      scalarOfCharacter.append(characterOfScalar.count)
      characterOfScalar.append(contentsOf: repeatElement(index, count: character.unicodeScalars.count))
    }
    scalarOfCharacter.append(scalars.count)

    var result: [CitedSentence] = []
    var taken = 0
    for range in SentenceSplitter().sentences(of: scalars, in: 0..<scalars.count) {
      let start = characterOfScalar[range.lowerBound]
      let end = characterOfScalar[range.upperBound - 1] + 1
      let marks = parser.marks[taken...].prefix { $0.offset < end }
      taken += marks.count
      let firstWord = firstWord(of: characters, in: start..<end, marks: marks, parser: parser)
      let opening = result.isEmpty ? [] : marks.prefix { $0.offset < firstWord ?? end }
      if !opening.isEmpty {
        result[result.count - 1].marks += opening
        let after = opening.map { $0.offset + (parser.isKnown($0.number) ? "[\($0.number)]".count : 0) }.max() ?? start
        result[result.count - 1].range = result[result.count - 1].range.lowerBound..<scalarOfCharacter[min(after, end)]
      }
      guard firstWord != nil || result.isEmpty else { continue }
      var begin = opening.isEmpty ? start : max(start, characterOfScalar[result[result.count - 1].range.upperBound])
      while begin < end, characters[begin].isWhitespace { begin += 1 }
      guard begin < end else { continue }
      var words = String(characters[begin..<end])
      for mark in marks {
        words = words.replacing(" [\(mark.number)]", with: "").replacing("[\(mark.number)]", with: "")
      }
      result.append(
        CitedSentence(
          range: scalarOfCharacter[begin]..<range.upperBound, text: trimmed(words),
          marks: Array(marks.dropFirst(opening.count))))
    }
    // What was rejected at the very end has no place in the text.
    if !result.isEmpty { result[result.count - 1].marks += parser.marks[taken...] }
    return result
  }

  /// The first character that is part of a word, and not of a citation.
  private static func firstWord(
    of characters: [Character], in range: Range<Int>, marks: ArraySlice<CitationParser.Mark>, parser: CitationParser
  ) -> Int? {
    range.first { place in
      (characters[place].isLetter || characters[place].isNumber)
        && !marks.contains { mark in
          parser.isKnown(mark.number) && (mark.offset..<(mark.offset + "[\(mark.number)]".count)).contains(place)
        }
    }
  }

  private static func trimmed(_ text: String) -> String {
    var slice = text[...].drop { $0.isWhitespace }
    while slice.last?.isWhitespace == true { slice.removeLast() }
    return String(slice)
  }
}
