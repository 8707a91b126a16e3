import Core

/// Reads Chinese and Japanese set from top to bottom in columns from right to left.
enum VerticalText {
  /// The columns of a vertical page as lines, in reading order; nil when the page is not vertical. The lines' own
  /// boxes say how the lines follow each other, one below the other, as if the page were turned; the glyphs keep
  /// theirs.
  static func lines(of page: [Glyph?]) -> [TextLine]? {
    let glyphs = page.compactMap { $0 }
    guard isVertical(glyphs) else { return nil }
    let size = glyphs[glyphs.count / 2].size
    var columns: [[Glyph]] = []
    for glyph in glyphs.sorted(by: { $0.box.midX > $1.box.midX }) {
      if let first = columns.last?.first, first.box.midX - glyph.box.midX < 0.6 * size {
        columns[columns.count - 1].append(glyph)
      } else {
        columns.append([glyph])
      }
    }
    return columns.enumerated().map { index, column in
      let ordered = column.sorted { $0.box.midY < $1.box.midY }
      var line = TextLine(glyphs: ordered, spaces: [])
      let top = Float(index) * 1.2 * size
      line.box = Box(left: line.box.top, top: top, right: line.box.bottom, bottom: top + size)
      return line
    }
  }

  /// Whether most glyphs have the next one below, as close as in a line, and hardly any has one beside it.
  private static func isVertical(_ glyphs: [Glyph]) -> Bool {
    let wide = glyphs.filter { Script.hasNoSpaces($0.scalar) }
    guard wide.count >= 20, wide.count * 10 >= glyphs.count * 8 else { return false }
    let size = max(1, wide[wide.count / 2].size)
    struct Cell: Hashable {
      var x: Int
      var y: Int
    }
    func cell(_ x: Float, _ y: Float) -> Cell? {
      guard x.isFinite, y.isFinite, abs(x) < 1e6, abs(y) < 1e6 else { return nil }
      return Cell(x: Int((x / size).rounded(.down)), y: Int((y / size).rounded(.down)))
    }
    var cells: [Cell: [Box]] = [:]
    for glyph in wide {
      if let cell = cell(glyph.box.midX, glyph.box.midY) { cells[cell, default: []].append(glyph.box) }
    }
    var below = 0
    var beside = 0
    for glyph in wide {
      guard let home = cell(glyph.box.midX, glyph.box.midY) else { continue }
      var hasBelow = false
      var hasBeside = false
      for x in -1...2 {
        for y in -1...2 {
          for box in cells[Cell(x: home.x + x, y: home.y + y)] ?? [] {
            let across = abs(box.midX - glyph.box.midX)
            let down = box.midY - glyph.box.midY
            if across < 0.3 * size, down > 0.6 * size, down < 1.5 * size { hasBelow = true }
            if abs(down) < 0.3 * size, box.midX - glyph.box.midX > 0.6 * size, across < 1.25 * size {
              hasBeside = true
            }
          }
        }
      }
      if hasBelow { below += 1 }
      if hasBeside { beside += 1 }
    }
    return below * 10 >= wide.count * 7 && beside * 5 < wide.count
  }
}
