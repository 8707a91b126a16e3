import Core

/// Repairs single characters: what a font's encoding or a writer's typography left behind.
///
/// Applied are the parts of NFKC that only undo presentation: Latin ligatures (U+FB00–FB06), Arabic presentation
/// forms, full-width letters and digits, mathematical alphabets, no-break spaces; and NFC for marks after Latin
/// letters. Not applied is what changes meaning: superscripts and subscripts ("10²" must not become "102"),
/// fractions, circled numbers, units.
struct CharacterRepair {
  let isOn: Bool

  /// The glyphs of a page, nil for a space, and the indexes before which the extractor ended a line.
  func glyphs(of page: ExtractedPage) -> (glyphs: [Glyph?], lineEnds: Set<Int>) {
    var glyphs: [Glyph?] = []
    glyphs.reserveCapacity(page.scalars.count)
    var lineEnds: Set<Int> = []
    var run = 0
    for (index, scalar) in page.scalars.enumerated() {
      while run < page.fonts.count, page.fonts[run].range.upperBound <= index { run += 1 }
      if scalar == "\n" || scalar == "\r" || scalar == "\u{2028}" {
        lineEnds.insert(glyphs.count)
        continue
      }
      guard let box = page.boxes[index] else {
        // Without a place a character cannot be cited; white space has none by nature.
        if scalar.properties.isWhitespace { glyphs.append(nil) }
        continue
      }
      if scalar == "\u{000C}", !hasNeighbours(page, index) {
        lineEnds.insert(glyphs.count)
        continue
      }
      let font = run < page.fonts.count && page.fonts[run].range.contains(index) ? page.fonts[run] : nil
      var style: GlyphStyle = []
      if font?.isBold == true { style.insert(.bold) }
      if font?.isItalic == true { style.insert(.italic) }
      if font?.isMonospaced == true { style.insert(.monospaced) }
      let size = font.map { $0.size > 0 ? $0.size : box.height } ?? box.height
      guard isOn else {
        glyphs.append(
          scalar.properties.isWhitespace ? nil : Glyph(scalar: scalar, box: box, size: size, style: style))
        continue
      }
      if Self.isMark(scalar), let last = glyphs.last, let base = last, let joined = Self.compose(base.scalar, scalar) {
        glyphs[glyphs.count - 1]?.scalar = joined
        continue
      }
      append(
        Self.repaired(scalar, isInWord: hasNeighbours(page, index)), box: box, size: size, style: style, to: &glyphs)
    }
    return (glyphs, lineEnds)
  }

  private func append(
    _ scalars: [Unicode.Scalar], box: Box, size: Float, style: GlyphStyle, to glyphs: inout [Glyph?]
  ) {
    let width = box.width / Float(max(1, scalars.count))
    for (offset, scalar) in scalars.enumerated() {
      if scalar.properties.isWhitespace {
        glyphs.append(nil)
        continue
      }
      var part = box
      if scalars.count > 1 {
        part.left = box.left + width * Float(offset)
        part.right = part.left + width
      }
      glyphs.append(Glyph(scalar: scalar, box: part, size: size, style: style))
    }
  }

  private func hasNeighbours(_ page: ExtractedPage, _ index: Int) -> Bool {
    let before = index > 0 && page.scalars[index - 1].properties.isAlphabetic
    let after = index + 1 < page.scalars.count && page.scalars[index + 1].properties.isAlphabetic
    return before || after
  }

  /// What stands for `scalar`: itself, several characters, a space, or nothing.
  static func repaired(_ scalar: Unicode.Scalar, isInWord: Bool) -> [Unicode.Scalar] {
    let value = scalar.value
    switch value {
    case 0x21...0x7E: return [scalar]
    case 0x20, 0x09, 0xA0, 0x1680, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: return [" "]
    case 0x0B...0x0F where isInWord: return Array(ligatures[Int(value - 0x0B)].unicodeScalars)  // TeX OT1
    case 0x1B...0x1F where isInWord: return Array(ligatures[Int(value - 0x1B)].unicodeScalars)  // TeX T1
    case 0x00...0x1F, 0x7F: return []
    case 0x80...0x9F: return windows1252[Int(value - 0x80)].unicodeScalars.map { $0 }
    case 0x200B, 0x200E, 0x200F, 0x202A...0x202E, 0x2060...0x2064, 0x2066...0x2069, 0xFEFF: return []
    case 0xFB00...0xFB04: return Array(ligatures[Int(value - 0xFB00)].unicodeScalars)
    case 0xFB05, 0xFB06: return ["s", "t"]
    case 0xFE80...0xFEFC: return arabicForms[Int(value - 0xFE80)]
    case 0xFF10...0xFF19, 0xFF21...0xFF3A, 0xFF41...0xFF5A: return [Unicode.Scalar(value - 0xFEE0) ?? scalar]
    case 0x1D400...0x1D6A3:
      let letter = (value - 0x1D400) % 52
      return [Unicode.Scalar(letter < 26 ? 0x41 + letter : 0x61 + letter - 26) ?? scalar]
    case 0x1D7CE...0x1D7FF: return [Unicode.Scalar(0x30 + (value - 0x1D7CE) % 10) ?? scalar]
    case 0xE000...0xF8FF: return privateUse(value)
    case 0xF0000...0x10FFFF: return []
    default: return [scalar]
    }
  }

  /// Private-use characters that fonts of word processors use with known meaning; others are dropped.
  private static func privateUse(_ value: UInt32) -> [Unicode.Scalar] {
    switch value {
    case 0xF0A7, 0xF0B7, 0xF0D8, 0xF0FC, 0xF076, 0xF06E: ["\u{2022}"]  // Symbol and Wingdings bullets
    case 0xF730...0xF739: [Unicode.Scalar(value - 0xF700) ?? "0"]  // Adobe old-style digits
    case 0xF761...0xF77A: [Unicode.Scalar(value - 0xF720) ?? "A"]  // Adobe small capitals
    case 0xF020...0xF07E: [Unicode.Scalar(value - 0xF000) ?? "?"]  // symbol-encoded ASCII
    default: []
    }
  }

  private static let ligatures = ["ff", "fi", "fl", "ffi", "ffl"]

  /// Windows-1252 where Latin-1 has controls; empty where it has nothing either.
  private static let windows1252 = [
    "€", "", "‚", "ƒ", "„", "…", "†", "‡", "ˆ", "‰", "Š", "‹", "Œ", "", "Ž", "", "", "‘", "’", "“", "”", "•", "–",
    "—", "˜", "™", "š", "›", "œ", "", "ž", "Ÿ",
  ]

  /// NFKC of U+FE80…FEFC: runs of the 1, 2 or 4 forms of each letter (Unicode, Arabic Presentation Forms-B).
  private static let arabicForms: [[Unicode.Scalar]] = {
    let runs: [(ClosedRange<UInt32>, Int)] = [
      (0x621...0x621, 1), (0x622...0x625, 2), (0x626...0x626, 4), (0x627...0x627, 2), (0x628...0x628, 4),
      (0x629...0x629, 2), (0x62A...0x62E, 4), (0x62F...0x632, 2), (0x633...0x63A, 4), (0x641...0x647, 4),
      (0x648...0x649, 2), (0x64A...0x64A, 4),
    ]
    var forms: [[Unicode.Scalar]] = []
    for (letters, count) in runs {
      for letter in letters { forms += Array(repeating: [Unicode.Scalar(letter) ?? "\u{FFFD}"], count: count) }
    }
    for alef: Unicode.Scalar in ["\u{622}", "\u{623}", "\u{625}", "\u{627}"] {
      forms += [["\u{644}", alef], ["\u{644}", alef]]
    }
    return forms
  }()

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool { (0x300...0x36F).contains(scalar.value) }

  /// The single character for a Latin letter and a mark; nil when there is none. String equality is canonical
  /// equivalence, so that a dictionary keyed by the composed form finds the decomposed one.
  private static func compose(_ base: Unicode.Scalar, _ mark: Unicode.Scalar) -> Unicode.Scalar? {
    var view = String.UnicodeScalarView()
    view.append(base)
    view.append(mark)
    return composed[String(view)]
  }

  private static let composed: [String: Unicode.Scalar] = {
    var table: [String: Unicode.Scalar] = [:]
    for range in [0xC0...0x24F, 0x1E00...0x1EFF] as [ClosedRange<UInt32>] {
      for value in range {
        if let scalar = Unicode.Scalar(value) { table[String(Character(scalar))] = scalar }
      }
    }
    return table
  }()
}
