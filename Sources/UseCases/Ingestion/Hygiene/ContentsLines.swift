/// Recognises lines of contents pages and indexes.
struct ContentsLines {
  /// The rows of a column that are contents matter.
  static func indexes(in rows: [TextLine]) -> Set<Int> {
    var leaders: [Int] = []
    var endings: [Int] = []
    for (index, row) in rows.enumerated() {
      if isLeader(row.scalars) { leaders.append(index) }
      if endsInPageNumbers(row.scalars) { endings.append(index) }
    }
    // A lone dotted line may belong to a form; three or more in a neighbourhood are a table of contents.
    var result: Set<Int> = []
    for (position, index) in leaders.enumerated() {
      let near = leaders[max(0, position - 2)..<min(leaders.count, position + 3)].filter { abs($0 - index) <= 4 }
      if near.count >= 3 { result.insert(index) }
    }
    if endings.count >= 10, endings.count * 10 >= rows.count * 6 { result.formUnion(rows.indices) }
    // Entries that take two lines: what stands between two contents lines belongs to them.
    if result.count * 2 > rows.count {
      for index in rows.indices where result.contains(index - 1) && result.contains(index + 1) { result.insert(index) }
    }
    return result
  }

  /// A title, at least four dots, a page number.
  static func isLeader(_ line: [Unicode.Scalar]) -> Bool {
    guard let last = line.last, last.properties.numericType != nil || "ivxlc".unicodeScalars.contains(last),
      line.first(where: { $0.properties.isAlphabetic }) != nil
    else { return false }
    var end = line.count
    while end > 0, isPageNumberPart(line[end - 1]) { end -= 1 }
    guard line.count - end <= 8 else { return false }
    var dots = 0
    while end > 0, line[end - 1] == "." || line[end - 1].properties.isWhitespace {
      if line[end - 1] == "." { dots += 1 }
      end -= 1
    }
    return dots >= 4
  }

  private static func isPageNumberPart(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.numericType != nil || "ivxlcA-".unicodeScalars.contains(scalar)
  }

  /// A term and its pages, as in an index: `hyphen, 12, 15–17`.
  private static func endsInPageNumbers(_ line: [Unicode.Scalar]) -> Bool {
    guard let last = line.last, last.properties.numericType != nil,
      line.first?.properties.isAlphabetic == true
    else { return false }
    var end = line.count
    while end > 0, line[end - 1].properties.numericType != nil || "-\u{2013} ".unicodeScalars.contains(line[end - 1]) {
      end -= 1
    }
    return end > 0 && (line[end - 1] == "," || line[end - 1] == "\t")
      && line.lazy.filter { $0 == "\t" }.count <= 1
  }

  /// The line with runs of leader dots cut to three: dots carry no meaning and would fill chunks.
  static func withoutLeaders(_ line: TextLine) -> TextLine {
    var result = line
    result.scalars = []
    result.boxes = []
    var dots = 0
    for (index, scalar) in line.scalars.enumerated() {
      if scalar == "." {
        dots += 1
        if dots > 3 { continue }
      } else if scalar == " ", dots >= 3, index + 1 < line.scalars.count, line.scalars[index + 1] == "." {
        continue
      } else if scalar != " " || dots == 0 || (index + 1 < line.scalars.count && line.scalars[index + 1] != ".") {
        dots = 0
      }
      result.scalars.append(scalar)
      result.boxes.append(line.boxes[index])
    }
    return result
  }
}
