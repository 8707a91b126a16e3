import Core

/// Finds columns by geometry and reads them one after the other.
///
/// A gutter is a vertical line near which pieces of text begin and that few pieces cross. The crossing ones
/// (titles, wide tables) cut the page into zones; inside a zone the left side is read before the right one (after
/// it where most lines run from right to left), and each side is searched for gutters again. Sides of a gutter must look like running text, else the pieces are
/// cells of a table and belong together row by row. (After the idea of whitespace covers in T. Breuel, "Two
/// geometric algorithms for layout analysis", DAS 2002.)
struct ColumnOrder {
  /// `columnOrder` and `rightToLeft` matter here.
  let rules: Set<HygieneRule>

  /// The columns of a page in reading order.
  func columns(of lines: [TextLine]) -> [Column] {
    guard !lines.isEmpty else { return [] }
    let isRightToLeft =
      rules.contains(.rightToLeft) && lines.lazy.filter(\.isRightToLeft).count * 2 > lines.count
    return order(lines, depth: 0, isRightToLeft: isRightToLeft).map { Self.column($0, isRightToLeft: isRightToLeft) }
  }

  private func order(_ lines: [TextLine], depth: Int, isRightToLeft: Bool) -> [[TextLine]] {
    guard rules.contains(.columnOrder), depth < 8, lines.count >= 6 else { return [lines] }
    if let gutter = bestGutter(of: lines) {
      return split(lines, at: gutter, depth: depth, isRightToLeft: isRightToLeft)
    }
    if let starts = Self.periodicStarts(of: lines) {
      let groups = Self.splitPeriodic(lines, starts: starts)
      return isRightToLeft ? groups.reversed() : groups
    }
    return [lines]
  }

  // MARK: - Gutters

  private struct Zone {
    var left: [Int] = []
    var right: [Int] = []
    var crossing: [Int] = []
  }

  private func bestGutter(of lines: [TextLine]) -> Float? {
    var edges: [Float] = []
    for line in lines.sorted(by: { $0.box.left < $1.box.left }) {
      if let last = edges.last, line.box.left - last < 1.5 { continue }
      edges.append(line.box.left)
    }
    let leftmost = edges.first ?? 0
    let rightmost = lines.lazy.map(\.box.right).max() ?? 0
    var best: (score: Int, edge: Float)?
    for edge in edges where edge - leftmost > 0.12 * (rightmost - leftmost) {
      let crossing = lines.lazy.filter { $0.box.left < edge - 3 && $0.box.right > edge - 3 }.count
      guard crossing * 2 < lines.count else { continue }
      var score = 0
      for zone in zones(of: lines, at: edge) where isColumnar(zone, lines) {
        score += zone.left.count + zone.right.count
      }
      if score >= 8, score * 3 > lines.count, score > best?.score ?? 0 { best = (score, edge) }
    }
    return best?.edge
  }

  /// Cuts the lines into zones between those that cross `edge`, from top to bottom.
  private func zones(of lines: [TextLine], at edge: Float) -> [Zone] {
    var zones: [Zone] = [Zone()]
    for index in lines.indices.sorted(by: { lines[$0].box.midY < lines[$1].box.midY }) {
      let box = lines[index].box
      let last = zones.count - 1
      if box.right <= edge - 3 {
        if !zones[last].crossing.isEmpty { zones.append(Zone(left: [index])) } else { zones[last].left.append(index) }
      } else if box.left >= edge - 3 {
        if !zones[last].crossing.isEmpty { zones.append(Zone(right: [index])) } else { zones[last].right.append(index) }
      } else if zones[last].left.isEmpty, zones[last].right.isEmpty {
        zones[last].crossing.append(index)
      } else {
        zones.append(Zone(crossing: [index]))
      }
    }
    return zones
  }

  private func isColumnar(_ zone: Zone, _ lines: [TextLine]) -> Bool {
    zone.left.count >= 4 && zone.right.count >= 4 && isText(zone.left, lines, leastCharacters: 14)
      && isText(zone.right, lines, leastCharacters: 14)
  }

  /// Whether a side reads like running text: enough characters a line, and lines that fill the side.
  private func isText(_ side: [Int], _ lines: [TextLine], leastCharacters: Int) -> Bool {
    guard !side.isEmpty else { return true }
    let left = side.lazy.map { lines[$0].box.left }.min() ?? 0
    let right = side.lazy.map { lines[$0].box.right }.max() ?? 0
    var all = 0
    var running = 0
    for index in side {
      let count = lines[index].scalars.count
      all += count
      if count >= leastCharacters, lines[index].box.width >= 0.3 * (right - left) { running += count }
    }
    // Counted by characters, so that a small table in a column does not hide the text below it.
    return running * 10 >= all * 6
  }

  private func split(_ lines: [TextLine], at edge: Float, depth: Int, isRightToLeft: Bool) -> [[TextLine]] {
    var result: [[TextLine]] = []
    var wide: [TextLine] = []
    func flush() {
      if !wide.isEmpty { result += order(wide, depth: depth + 1, isRightToLeft: isRightToLeft) }
      wide = []
    }
    for zone in zones(of: lines, at: edge) {
      let hasSides = !zone.left.isEmpty && !zone.right.isEmpty
      // Short zones follow the gutter that longer ones have proved, unless they look like a table.
      if hasSides, isText(zone.left, lines, leastCharacters: 12), isText(zone.right, lines, leastCharacters: 12) {
        flush()
        for side in isRightToLeft ? [zone.right, zone.left] : [zone.left, zone.right] {
          result += order(side.map { lines[$0] }, depth: depth + 1, isRightToLeft: isRightToLeft)
        }
      } else if zone.crossing.isEmpty, !hasSides, zone.left.count + zone.right.count >= 4 {
        flush()
        result += order(
          (zone.left + zone.right).map { lines[$0] }, depth: depth + 1, isRightToLeft: isRightToLeft)
      } else {
        wide += (zone.crossing + zone.left + zone.right).map { lines[$0] }
      }
    }
    flush()
    return result
  }

  // MARK: - Tables side by side

  /// The left edges at which a table printed several times side by side begins anew, such as a tax table; nil
  /// when the left edges do not repeat with one period.
  private static func periodicStarts(of lines: [TextLine]) -> [Float]? {
    var edges: [(left: Float, count: Int)] = []
    for line in lines.sorted(by: { $0.box.left < $1.box.left }) {
      if let last = edges.last, line.box.left - last.left < 3 {
        edges[edges.count - 1].count += 1
      } else {
        edges.append((line.box.left, 1))
      }
    }
    let most = edges.lazy.map(\.count).max() ?? 0
    let strong = edges.filter { $0.count >= 8 && $0.count * 2 > most }.map(\.left)
    for groups in [2, 3, 4, 5] where strong.count % groups == 0 && strong.count / groups >= 2 {
      let width = strong.count / groups
      let period = strong[width] - strong[0]
      let repeats = strong.indices.dropLast(width).allSatisfy { abs(strong[$0 + width] - strong[$0] - period) < 4 }
      let distances = zip(strong.dropFirst(), strong).map { $0 - $1 }.prefix(width)
      // Evenly spaced cells repeat too: they are one table.
      let isEven = (distances.max() ?? 0) - (distances.min() ?? 0) < 4
      if repeats, !isEven { return (0..<groups).map { strong[$0 * width] } }
    }
    return nil
  }

  private static func splitPeriodic(_ lines: [TextLine], starts: [Float]) -> [[TextLine]] {
    let width = starts[1] - starts[0]
    var wide: [TextLine] = []
    var groups: [[TextLine]] = Array(repeating: [], count: starts.count)
    for line in lines {
      // Headings of a group may be centred over it, so half a cell of slack is given on the left.
      let group = starts.lastIndex { line.box.left >= $0 - 0.04 * width }
      if let group, line.box.width < width { groups[group].append(line) } else { wide.append(line) }
    }
    return ([wide] + groups).filter { !$0.isEmpty }
  }

  // MARK: - Rows

  /// Joins pieces on one baseline to rows, from top to bottom.
  private static func column(_ pieces: [TextLine], isRightToLeft: Bool) -> Column {
    var rows: [(box: Box, pieces: [TextLine])] = []
    for piece in pieces.sorted(by: { $0.box.midY < $1.box.midY }) {
      // Superscripts lie half above the row they belong to: only the overlap with a row's own height counts.
      let row = rows.indices.suffix(4).last { index in
        let overlap = min(rows[index].box.bottom, piece.box.bottom) - max(rows[index].box.top, piece.box.top)
        let height = min(rows[index].box.height, piece.box.height)
        return overlap > 0.5 * height && !rows[index].pieces.contains { Self.collides($0, piece) }
      }
      if let row {
        rows[row].pieces.append(piece)
        if piece.box.height > rows[row].box.height { rows[row].box = piece.box }
      } else {
        rows.append((piece.box, [piece]))
      }
    }
    let lines = rows.sorted { $0.box.midY < $1.box.midY }.map { row in
      TextLine(
        row: row.pieces.sorted { isRightToLeft ? $0.box.right > $1.box.right : $0.box.left < $1.box.left })
    }
    return Column(
      rows: lines, left: lines.lazy.map(\.box.left).min() ?? 0, right: lines.lazy.map(\.box.right).max() ?? 0,
      isRightToLeft: isRightToLeft)
  }

  private static func collides(_ one: TextLine, _ other: TextLine) -> Bool {
    min(one.box.right, other.box.right) - max(one.box.left, other.box.left)
      > 0.5 * min(one.box.width, other.box.width)
  }
}
