import Core

/// Takes what stands in the margin out of the lines beside it: line numbers, and notes at the side.
enum MarginText {
  /// The lines of the body, and the notes, each as the lines it is made of. Line numbers are in neither: they say
  /// nothing, and would stand in the middle of every sentence.
  static func split(_ lines: [TextLine]) -> (body: [TextLine], notes: [[TextLine]]) {
    let numbers = lineNumbers(of: lines, rows: Rows(lines))
    let aside = sideNotes(of: lines, without: numbers, rows: Rows(lines, without: numbers))
    guard !numbers.isEmpty || !aside.isEmpty else { return (lines, []) }
    var notes: [[TextLine]] = []
    for index in aside.sorted(by: { lines[$0].box.midY < lines[$1].box.midY }) {
      let line = lines[index]
      let place = notes.lastIndex { note in
        guard let last = note.last else { return false }
        return abs(last.box.left - line.box.left) < 3 && line.box.midY - last.box.midY < 1.8 * line.size
      }
      if let place { notes[place].append(line) } else { notes.append([line]) }
    }
    return (lines.indices.filter { !numbers.contains($0) && !aside.contains($0) }.map { lines[$0] }, notes)
  }

  /// Which pieces stand beside each other.
  private struct Rows {
    private var row: [Int] = []
    private var sizes: [Int] = []

    init(_ lines: [TextLine], without left: Set<Int> = []) {
      row = Array(repeating: 0, count: lines.count)
      var last: Float?
      for index in lines.indices.sorted(by: { lines[$0].box.midY < lines[$1].box.midY }) where !left.contains(index) {
        if let middle = last, lines[index].box.midY - middle < 0.5 * lines[index].size {
          sizes[sizes.count - 1] += 1
        } else {
          sizes.append(1)
          last = lines[index].box.midY
        }
        row[index] = sizes.count - 1
      }
    }

    /// How many pieces are in the row of a piece, itself included.
    func pieces(beside index: Int) -> Int { sizes[row[index]] }
  }

  // MARK: - Line numbers

  /// Numbers that count evenly down one edge of the text, beside lines of running text.
  private static func lineNumbers(of lines: [TextLine], rows: Rows) -> Set<Int> {
    let candidates = lines.indices.filter { index in
      lines[index].scalars.count <= 4
        && lines[index].scalars.allSatisfy { $0.properties.numericType == .decimal && $0.isASCII }
    }
    guard candidates.count >= 8 else { return [] }
    for edge in [\Box.left, \Box.right] {
      for first in Set(candidates.map { Int((lines[$0].box[keyPath: edge] / 3).rounded()) }).sorted() {
        let group = candidates.filter { abs(lines[$0].box[keyPath: edge] - Float(first) * 3) < 3 }
          .sorted { lines[$0].box.midY < lines[$1].box.midY }
        if countEvenly(group, lines), standOutside(group, lines), areBesideText(group, lines, rows) {
          return Set(group)
        }
      }
    }
    return []
  }

  private static func countEvenly(_ group: [Int], _ lines: [TextLine]) -> Bool {
    guard group.count >= 8 else { return false }
    let values = group.map { Int(lines[$0].text) ?? 0 }
    let steps = zip(values.dropFirst(), values).map { $0 - $1 }
    guard let step = steps.first, step > 0, step <= 10 else { return false }
    let distances = zip(group.dropFirst(), group).map { lines[$0].box.midY - lines[$1].box.midY }
    let usual = distances.sorted()[distances.count / 2]
    let even = distances.lazy.filter { abs($0 - usual) < 0.25 * usual }.count
    return steps.allSatisfy { $0 == step } && even * 10 >= distances.count * 8
  }

  private static func standOutside(_ group: [Int], _ lines: [TextLine]) -> Bool {
    let members = Set(group)
    let left = group.lazy.map { lines[$0].box.left }.min() ?? 0
    let right = group.lazy.map { lines[$0].box.right }.max() ?? 0
    var all = 0
    var beyond = (left: 0, right: 0)
    for index in lines.indices where !members.contains(index) {
      all += 1
      if lines[index].box.left > right { beyond.right += 1 }
      if lines[index].box.right < left { beyond.left += 1 }
    }
    return max(beyond.left, beyond.right) * 10 >= all * 9
  }

  /// Rows of a numbered table have several short cells; lines of text are one long piece.
  private static func areBesideText(_ group: [Int], _ lines: [TextLine], _ rows: Rows) -> Bool {
    let single = group.lazy.filter { rows.pieces(beside: $0) <= 2 }.count
    let others = lines.indices.lazy.filter { !group.contains($0) }
    let characters = others.lazy.map { lines[$0].scalars.count }.reduce(0, +)
    return single * 10 >= group.count * 8 && characters >= 25 * max(1, others.count)
  }

  // MARK: - Notes at the side

  /// Words outside the width of the text, little against the text, beside at most one piece of it.
  private static func sideNotes(of lines: [TextLine], without numbers: Set<Int>, rows: Rows) -> Set<Int> {
    let body = lines.indices.filter { !numbers.contains($0) }
    guard body.count >= 12, let (left, right) = textEdges(of: body.map { lines[$0] }) else { return [] }
    let sizes = body.map { lines[$0].size }.sorted()
    let usual = sizes[sizes.count / 2]
    var result: Set<Int> = []
    var characters = 0
    for index in body {
      let line = lines[index]
      guard line.box.right < left || line.box.left > right, line.size <= 0.95 * usual, line.bold < 0.5,
        rows.pieces(beside: index) <= 2,
        line.scalars.lazy.filter(\.properties.isAlphabetic).count * 2 > line.scalars.count, line.scalars.count >= 3
      else { continue }
      result.insert(index)
      characters += line.scalars.count
    }
    let all = body.lazy.map { lines[$0].scalars.count }.reduce(0, +)
    return characters * 5 <= all ? result : []
  }

  /// The left and right edge of the part of the page that a good share of the lines cover.
  private static func textEdges(of lines: [TextLine]) -> (left: Float, right: Float)? {
    let least = lines.lazy.map(\.box.left).min() ?? 0
    let most = lines.lazy.map(\.box.right).max() ?? 0
    guard most - least > 100, most - least < 20_000 else { return nil }
    var covered = Array(repeating: 0, count: Int((most - least) / 2) + 2)
    for line in lines where line.box.right >= line.box.left {
      let from = Int((line.box.left - least) / 2)
      let to = min(covered.count - 1, Int((line.box.right - least) / 2))
      for bin in from...max(from, to) { covered[bin] += 1 }
    }
    let peak = covered.max() ?? 0
    guard let first = covered.firstIndex(where: { $0 * 10 >= peak * 3 }),
      let last = covered.lastIndex(where: { $0 * 10 >= peak * 3 })
    else { return nil }
    return (least + Float(first) * 2 - 2, least + Float(last) * 2 + 4)
  }
}
