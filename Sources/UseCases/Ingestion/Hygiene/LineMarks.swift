/// What the beginning of a line says of it: list marker, caption, footnote mark.
enum LineMarks {
  /// Whether the line begins with a bullet.
  static func hasBullet(_ line: [Unicode.Scalar]) -> Bool {
    guard line.count > 2, let first = line.first else { return false }
    switch first {
    case "\u{2022}", "\u{2023}", "\u{25CF}", "\u{25E6}", "\u{25AA}", "\u{25A0}", "\u{25CB}", "\u{2043}", "\u{27A2}",
      "\u{25BA}", "\u{25B8}":
      return true
    case "-", "\u{2013}", "*", "\u{2014}": return line[1].properties.isWhitespace
    default: return false
    }
  }

  /// Whether the line begins with a number or letter of a list: `3.`, `(a)`, `iv)`.
  static func hasNumber(_ line: [Unicode.Scalar]) -> Bool {
    var index = 0
    let isOpen = line.first == "("
    if isOpen { index = 1 }
    let start = index
    while index < line.count, index - start < 4, isNumberPart(line[index]) { index += 1 }
    guard index > start, index + 1 < line.count else { return false }
    let isDigits = line[start..<index].allSatisfy { $0.properties.numericType != nil }
    let isRoman = line[start..<index].allSatisfy { "ivx".unicodeScalars.contains($0) }
    let isLetter = index - start == 1
    guard isDigits || isRoman || isLetter else { return false }
    // "A." is an initial more often than a marker; "U. S." always is.
    guard line[index] == ")" || (!isOpen && line[index] == "." && !line[start].properties.isUppercase) else {
      return false
    }
    return line[index + 1].properties.isWhitespace
  }

  private static func isNumberPart(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.numericType != nil || (("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar))
  }

  /// Whether the line begins a caption of a figure.
  static func isFigureCaption(_ line: [Unicode.Scalar]) -> Bool {
    let text = DocumentFlow.text(line, 0..<min(24, line.count))
    for word in ["Figure ", "Fig. ", "Abbildung ", "Abb. ", "Figura ", "FIGURE "] where text.hasPrefix(word) {
      let rest = text.dropFirst(word.count)
      let number = rest.prefix { $0.isNumber || $0 == "." || $0 == "-" || $0 == "\u{2013}" }
      guard let first = number.first, first.isNumber else { return false }
      let after = rest.dropFirst(number.count).first
      return after == ":" || number.last == "."
    }
    return false
  }

  /// Whether the line begins with the mark of a footnote.
  static func hasFootnoteMark(_ line: [Unicode.Scalar]) -> Bool {
    guard let first = line.first else { return false }
    if "*\u{2020}\u{2021}\u{00A7}".unicodeScalars.contains(first) { return true }
    return first.properties.numericType != nil
      && line.prefix(4).contains { !$0.properties.isWhitespace && $0.properties.numericType == nil }
  }

  /// Whether the text ends a sentence.
  static func endsSentence(_ line: [Unicode.Scalar]) -> Bool {
    var index = line.count - 1
    while index > 0,
      "\"')]\u{2019}\u{201D}\u{00BB}".unicodeScalars.contains(line[index])
        || line[index].properties.numericType == .digit && index > line.count - 3 && line.count > 3
          && line[index].value > 0xFF
    {
      index -= 1
    }
    guard index >= 0 else { return false }
    return ".!?:\u{3002}\u{FF01}\u{FF1F}\u{061F}\u{0964}".unicodeScalars.contains(line[index])
  }
}
