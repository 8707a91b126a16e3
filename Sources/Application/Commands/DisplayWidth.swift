/// How wide text is on a terminal.
package enum DisplayWidth {
  /// Columns of a text: most characters take one, those of East Asia and emoji two, marks none.
  package static func of(_ text: String) -> Int { text.reduce(0) { $0 + of($1) } }

  /// The text, or its beginning with an ellipsis when it takes more than so many columns.
  package static func fit(_ text: String, _ columns: Int) -> String {
    guard of(text) > columns else { return text }
    var width = 0
    var kept = ""
    for character in text {
      width += of(character)
      if width >= columns { break }
      kept.append(character)
    }
    return columns < 1 ? "" : kept + "…"
  }

  private static func of(_ character: Character) -> Int {
    guard let first = character.unicodeScalars.first else { return 0 }
    if first.properties.generalCategory == .nonspacingMark || first.properties.generalCategory == .control { return 0 }
    return character.unicodeScalars.contains(where: isWide) ? 2 : 1
  }

  /// Wide and full-width blocks. Source: Unicode Standard Annex 11, in ranges rather than one by one.
  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F000...0x1FAFF, 0x20000...0x3FFFD, 0xFE0F:
      true
    default: false
    }
  }
}
