import Core

/// Says how much of a page could be read, from what the extractor delivered.
enum CoverageJudge {
  /// The state of a page and why it is not `text`. `hasBody` tells whether anything is left once headers,
  /// footers and page numbers are gone.
  static func coverage(of page: ExtractedPage, hasBody: Bool) -> (state: PageCoverage, reason: String?) {
    let visible = page.scalars.indices.lazy.filter { !page.scalars[$0].properties.isWhitespace }
    let total = visible.count
    let images = Int((page.imageCoverage * 100).rounded())
    if total == 0 || !hasBody {
      if page.imageCoverage >= 0.05, total == 0 || page.imageCoverage >= 0.4 {
        return (.imageOnly, "no text; images cover \(images)% of the page")
      }
      return total == 0 ? (.empty, "nothing on the page") : (.empty, "nothing but headers, footers or page number")
    }
    if total < 12, page.imageCoverage >= 0.6 {
      return (.imageOnly, "\(total) characters of text; images cover \(images)% of the page")
    }
    var unmapped = 0
    var letters = 0
    var neutral = 0
    for index in visible {
      let scalar = page.scalars[index]
      if isUnmapped(scalar) { unmapped += 1 }
      // Leader dots and numbers say nothing of the encoding of letters.
      if scalar == "." || scalar.properties.numericType != nil { neutral += 1 }
      if scalar.properties.isAlphabetic { letters += 1 }
    }
    if unmapped * 5 > total {
      return (.garbled, "\(unmapped * 100 / total)% of the characters have no Unicode mapping")
    }
    let telling = total - neutral
    if telling >= 150, letters * 4 < telling {
      return (.garbled, "only \(letters * 100 / telling)% of the characters are letters")
    }
    let words = wordLetters(page)
    if words.all >= 150, words.common * 100 < words.all * 43 {
      return (.garbled, "implausible letters: the commonest eight make up \(words.common * 100 / words.all)%")
    }
    return (.text, nil)
  }

  /// Lower-case Latin letters in words of at least three, and how many of them are among e, a, i, o, n, t, r, s
  /// or accented. In European languages these are 50% to 70%; shifted or substituted alphabets fall far below.
  /// Part numbers and abbreviations are in capitals or have digits and do not count.
  private static func wordLetters(_ page: ExtractedPage) -> (all: Int, common: Int) {
    var all = 0
    var common = 0
    var run: ArraySlice<Unicode.Scalar> = []
    func close() {
      guard run.count >= 3 else { return }
      all += run.count
      common += run.lazy.filter { $0.value >= 0xC0 || "eaiontrs".unicodeScalars.contains($0) }.count
    }
    var start = page.scalars.startIndex
    for index in page.scalars.indices {
      let scalar = page.scalars[index]
      if scalar.value < 0x250, scalar.properties.isLowercase { continue }
      let isJoined = scalar.properties.numericType != nil
      run = page.scalars[start..<index]
      if !isJoined { close() }
      start = index + 1
    }
    run = page.scalars[start...]
    close()
    return (all, common)
  }

  /// Whether an extractor writes this character where a font has no mapping.
  private static func isUnmapped(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0xFFFD, 0x00...0x08, 0x0E...0x1F, 0x7F...0x9F, 0xF0000...0x10FFFF: true
    case 0xE000...0xF8FF: CharacterRepair.repaired(scalar, isInWord: false).isEmpty
    default: false
    }
  }
}
