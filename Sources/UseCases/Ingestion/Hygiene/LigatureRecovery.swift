import Core

/// Finds ligatures that extraction reduced to a lone "f": the glyph keeps the width of the ligature.
///
/// Some fonts map the glyphs of fi and fl to "f", so that "first" is extracted as "frst". In each font the usual
/// width of f is known from hundreds of words; a much wider f is a ligature, and its word says which.
struct LigatureRecovery {
  /// What is learnt from all pages before any is repaired.
  struct Evidence {
    /// Widths of f, relative to the font size, by font; the first few thousand suffice.
    fileprivate var widths: [String: [Float]] = [:]

    /// Takes the widths of f of a page.
    mutating func add(_ page: ExtractedPage) {
      for font in page.fonts where font.size > 0 {
        for index in font.range where index < page.scalars.count && page.scalars[index] == "f" {
          guard let box = page.boxes[index] else { continue }
          if widths[font.name, default: []].count < 4_000 {
            widths[font.name, default: []].append(box.width / font.size)
          }
        }
      }
    }

    /// The usual relative width of f by font; nothing where there is too little to tell.
    func usualWidths() -> [String: Float] {
      widths.compactMapValues { $0.count < 8 ? nil : $0.sorted()[$0.count / 2] }
    }
  }

  let usualWidths: [String: Float]
  /// Words of the document that need no repair, with their counts.
  let vocabulary: Vocabulary

  /// The page with its ligatures put back: each letter gets its share of the glyph's box.
  func repaired(_ page: ExtractedPage) -> ExtractedPage {
    var wide: [Int] = []
    for font in page.fonts where font.size > 0 {
      guard let usual = usualWidths[font.name] else { continue }
      for index in font.range where index < page.scalars.count && page.scalars[index] == "f" {
        if let box = page.boxes[index], Self.isWide(box, size: font.size, usual: usual) { wide.append(index) }
      }
    }
    for index in page.scalars.indices where page.scalars[index] == "\u{FFFD}" { wide.append(index) }
    guard !wide.isEmpty else { return page }
    return expand(page, at: Set(wide))
  }

  /// Whether a box is that of a ligature: at least a third wider than f usually is. Fonts of one width have none.
  static func isWide(_ box: Box, size: Float, usual: Float) -> Bool { box.width / size > 1.33 * usual }

  private func expand(_ page: ExtractedPage, at places: Set<Int>) -> ExtractedPage {
    var scalars: [Unicode.Scalar] = []
    var boxes: [Box?] = []
    var newIndex: [Int] = []
    newIndex.reserveCapacity(page.scalars.count + 1)
    for (index, scalar) in page.scalars.enumerated() {
      newIndex.append(scalars.count)
      guard places.contains(index), let box = page.boxes[index], let ligature = ligature(at: index, in: page) else {
        scalars.append(scalar)
        boxes.append(page.boxes[index])
        continue
      }
      let letters = Array(ligature.unicodeScalars)
      let width = box.width / Float(letters.count)
      for (offset, letter) in letters.enumerated() {
        scalars.append(letter)
        let left = box.left + width * Float(offset)
        boxes.append(Box(left: left, top: box.top, right: left + width, bottom: box.bottom))
      }
    }
    newIndex.append(scalars.count)
    var result = page
    result.scalars = scalars
    result.boxes = boxes
    for index in result.fonts.indices {
      let range = page.fonts[index].range.clamped(to: 0..<page.scalars.count)
      result.fonts[index].range = newIndex[range.lowerBound]..<newIndex[range.upperBound]
    }
    return result
  }

  /// The ligature that makes a word of its surroundings; nil to leave it.
  private func ligature(at index: Int, in page: ExtractedPage) -> String? {
    var begin = index
    while begin > 0, page.scalars[begin - 1].properties.isAlphabetic { begin -= 1 }
    let before = DocumentFlow.text(page.scalars, begin..<index).lowercased()
    let after = Self.rest(of: page.scalars, from: index + 1).lowercased()
    let known = Self.candidates.map { (ligature: $0, count: vocabulary.count(of: before + $0 + after)) }
    if let best = known.max(by: { $0.count < $1.count }), best.count > 0 { return best.ligature }
    guard page.scalars[index] == "f" else { return nil }
    return Self.ligature(before: before, after: after)
  }

  /// The rest of a word, across a hyphen at the end of the line.
  private static func rest(of scalars: [Unicode.Scalar], from start: Int) -> String {
    var view = String.UnicodeScalarView()
    var index = start
    while index < scalars.count {
      if scalars[index].properties.isAlphabetic {
        view.append(scalars[index])
        index += 1
      } else if scalars[index] == "-", index + 1 < scalars.count, scalars[index + 1] == "\n" {
        index += 2
      } else {
        break
      }
    }
    return String(view)
  }

  private static let candidates = ["fi", "fl", "ff", "ffi", "ffl"]

  /// The ligature by the spelling of English when the document itself does not tell: after fl and ff comes a
  /// vowel (or ff ends the word), and the words that have them are few; everything else is fi.
  static func ligature(before: String, after: String) -> String {
    guard let next = after.unicodeScalars.first else { return "ff" }
    if next == "y" { return "fl" }
    guard "aeiou".unicodeScalars.contains(next) else { return "fi" }
    let word = before + "|" + after
    if flStems.contains(where: word.contains) { return "fl" }
    if before.isEmpty {
      return flStarts.contains(where: after.hasPrefix) ? "fl" : "fi"
    }
    if ffStems.contains(where: word.contains) { return "ff" }
    return "fi"
  }

  /// Beginnings after fl- at the start of a word.
  private static let flStarts = [
    "ag", "ak", "am", "an", "ap", "ar", "as", "at", "au", "aw", "ea", "ed", "ee", "esh", "ew", "ex", "ick", "ight",
    "ip", "irt", "oat", "ock", "ood", "oor", "op", "or", "oss", "ou", "ow", "uc", "ue", "uid", "uo", "ush", "ut", "ux",
  ]

  /// Places of fl inside words; the bar is the ligature.
  private static let flStems = [
    "con|ict", "in|ict", "af|ict", "in|at", "de|at", "re|at", "in|am", "in|ect", "de|ect", "re|ect", "re|ex", "in|ex",
    "in|ue", "in|ux", "ef|ue", "in|ow", "out|ow", "over|ow", "under|ow", "work|ow", "cash|ow", "air|ow", "lea|et",
    "butter|", "super|u", "camou|a", "snow|a", "wild|ow", "sun|ow", "may|ow", "per|u", "inter|ow", "bu|et", "in|or",
    "non|u", "counter|ow", "up|ow", "back|ow", "be|ow",
  ]

  /// Places of ff inside words.
  private static let ffStems = [
    "e|ect", "a|ect", "o|er", "o|end", "o|en", "su|er", "di|er", "bu|er", "co|ee", "e|ort", "a|ord", "a|air", "a|id",
    "o|i", "su|o", "sta|e", "tari|", "tra|i", "cha|e", "be|it", "ru|", "stu|", "proo|", "plainti|", "sheri|", "cuto|",
    "layo|", "playo|", "payo|", "|ea", "e|us", "di|us", "ba|", "su|u", "gri|", "she|", "je|er", "sa|ron", "chau|eur",
    "a|ili", "a|irm",
  ]
}
