import Core

/// Groups the rows of a column into blocks: headings, paragraphs, list items, tables, program text, footnotes.
struct BlockBuilder {
  let rules: Set<HygieneRule>
  let headings: Headings
  let hyphenation: Hyphenation

  private enum RowKind: Equatable {
    case text
    case heading(Int)
    case table
    case mono
    case contents
    case footnote
  }

  /// The blocks of a column of page `page`, top to bottom.
  func blocks(of column: Column, page: Int, pageHeight: Float) -> [DraftBlock] {
    let rows = column.rows
    guard !rows.isEmpty else { return [] }
    let pitch = Self.pitch(of: rows)
    let kinds = kinds(of: column, pitch: pitch, page: page, pageHeight: pageHeight)
    var blocks: [DraftBlock] = []
    var monoLeft: Float = 0
    for (index, row) in rows.enumerated() {
      let isNew =
        index == 0 || kinds[index] != kinds[index - 1]
        || startsBlock(at: index, kind: kinds[index], in: column, pitch: pitch)
      if isNew {
        blocks.append(start(row, kind: kinds[index]))
        blocks[blocks.count - 1].startsIndented = column.indent(of: row) > 0.9 * row.size
        monoLeft = row.box.left
        if kinds[index] == .mono {
          let block = rows[index...].enumerated().prefix { kinds[index + $0.offset] == .mono }
          monoLeft = block.lazy.map(\.element.box.left).min() ?? monoLeft
        }
      }
      let last = blocks.count - 1
      switch kinds[index] {
      case .mono:
        let width = row.box.width / Float(max(1, row.scalars.count))
        blocks[last].append(
          row: spaced(row), indent: min(40, Int(((row.box.left - monoLeft) / max(1, width)).rounded())))
      case .table, .contents: blocks[last].append(row: ContentsLines.withoutLeaders(row))
      default: blocks[last].append(text: ContentsLines.withoutLeaders(row), joining: hyphenation)
      }
      blocks[last].endsFull = column.rest(after: row) < 0.12 * column.width
    }
    return blocks
  }

  /// Program text has no cells: wide gaps are spaces.
  private func spaced(_ row: TextLine) -> TextLine {
    var result = row
    for index in result.scalars.indices where result.scalars[index] == "\t" { result.scalars[index] = " " }
    return result
  }

  private func start(_ row: TextLine, kind: RowKind) -> DraftBlock {
    let blockKind: TextBlock.Kind =
      switch kind {
      case .heading(let level): .heading(level: level)
      case .table: .table
      case .mono: .preformatted
      case .contents: .contents
      case .footnote: .footnote
      case .text:
        if rules.contains(.lists), LineMarks.hasBullet(row.scalars) || LineMarks.hasNumber(row.scalars) {
          .listItem
        } else if LineMarks.isFigureCaption(row.scalars) {
          .aside
        } else {
          .paragraph
        }
      }
    return DraftBlock(kind: blockKind, size: row.size)
  }

  /// The usual distance from line to line, points.
  private static func pitch(of rows: [TextLine]) -> Float {
    var distances: [Float] = []
    for (row, next) in zip(rows, rows.dropFirst()) where abs(row.size - next.size) < 0.1 * row.size {
      let distance = next.box.midY - row.box.midY
      if distance > 0.5 * row.size, distance < 2.6 * row.size { distances.append(distance) }
    }
    guard !distances.isEmpty else { return 1.2 * rows[0].size }
    distances.sort()
    // The lower third: lines within paragraphs are closer than those between.
    return distances[distances.count / 3]
  }

  // MARK: - Kinds of rows

  private func kinds(of column: Column, pitch: Float, page: Int, pageHeight: Float) -> [RowKind] {
    let rows = column.rows
    var kinds = Array(repeating: RowKind.text, count: rows.count)
    for index in rows.indices
    where rules.contains(.preformatted) && rows[index].monospaced > 0.85 && rows[index].scalars.count > 3 {
      kinds[index] = .mono
    }
    if rules.contains(.headings) {
      for index in rows.indices where kinds[index] == .text {
        let above = index > 0 ? rows[index].box.midY - rows[index - 1].box.midY : .infinity
        let below = index + 1 < rows.count ? rows[index + 1].box.midY - rows[index].box.midY : .infinity
        let isSetOff = above > 1.3 * pitch && below > 1.1 * pitch
        let next = index + 1 < rows.count ? rows[index + 1] : nil
        if let level = headings.level(of: rows[index], next: next, isSetOff: isSetOff, page: page) {
          kinds[index] = .heading(level)
        }
      }
      demoteTextSetAsHeadings(&kinds, column: column)
    }
    if rules.contains(.tableRows) {
      for index in TableRows.indexes(in: rows) where kinds[index] == .text { kinds[index] = .table }
    }
    if rules.contains(.contents) {
      for index in ContentsLines.indexes(in: rows) { kinds[index] = .contents }
    }
    if rules.contains(.footnotes) { markFootnotes(&kinds, rows: rows, pageHeight: pageHeight) }
    return kinds
  }

  /// Five lines of large or bold type are not a heading but text set so; nor are words that run on into a
  /// paragraph: they open it. Levels of one heading's lines agree.
  private func demoteTextSetAsHeadings(_ kinds: inout [RowKind], column: Column) {
    let rows = column.rows
    var index = 0
    while index < kinds.count {
      guard case .heading(let level) = kinds[index] else {
        index += 1
        continue
      }
      var end = index + 1
      while end < kinds.count, case .heading = kinds[end], abs(rows[end].size - rows[index].size) < 0.5,
        rows[end].box.midY - rows[end - 1].box.midY < 1.7 * rows[end].size
      {
        end += 1
      }
      let characters = rows[index..<end].lazy.map(\.scalars.count).reduce(0, +)
      let runsOn = end < rows.count && kinds[end] == .text && runsOn(rows[end - 1], into: rows[end], column: column)
      let isText = end - index > 5 || characters > 240 || runsOn
      for line in index..<end { kinds[line] = isText ? .text : .heading(level) }
      index = end
    }
  }

  /// Whether a line in the type of a heading goes on in the line of text below it.
  private func runsOn(_ line: TextLine, into next: TextLine, column: Column) -> Bool {
    let size = max(line.size, next.size)
    guard next.box.midY - line.box.midY < 1.5 * size, abs(line.size - next.size) < 0.2 * size else { return false }
    if next.startsBold, next.bold < 0.9, line.bold > 0.5 { return true }
    return rules.contains(.paragraphs) && column.continues(line, in: next)
  }

  /// Footnotes stand at the end of a column, in smaller type, and begin with a mark.
  private func markFootnotes(_ kinds: inout [RowKind], rows: [TextLine], pageHeight: Float) {
    var start = rows.count
    while start > 0, rows[start - 1].size <= 0.93 * headings.bodySize, rows[start - 1].box.midY > 0.45 * pageHeight,
      kinds[start - 1] == .text
    {
      start -= 1
    }
    // The first lines may end a note of the page before; a column in small type throughout has no notes.
    guard start > 0, rows[start - 1].size > 1.04 * rows[min(start, rows.count - 1)].size,
      let first = (start..<min(rows.count, start + 4)).first(where: { LineMarks.hasFootnoteMark(rows[$0].scalars) })
    else { return }
    for index in (first == start ? first : start)..<rows.count { kinds[index] = .footnote }
  }

  // MARK: - Block starts

  private func startsBlock(at index: Int, kind: RowKind, in column: Column, pitch: Float) -> Bool {
    let row = column.rows[index]
    let previous = column.rows[index - 1]
    let distance = row.box.midY - previous.box.midY
    switch kind {
    case .mono: return distance > 2.5 * pitch
    case .table, .contents: return distance > 3.5 * max(pitch, row.size)
    case .heading: return distance > 1.7 * row.size || abs(row.size - previous.size) >= 0.5
    case .footnote:
      return LineMarks.hasFootnoteMark(row.scalars) && distance > 0.5 * row.size
        && row.box.left <= column.left + 2 * row.size
    case .text: break
    }
    guard rules.contains(.paragraphs) else { return false }
    if distance < 0 { return true }
    let size = max(row.size, previous.size)
    let continues = column.continues(previous, in: row)
    // Below a table of close lines the usual distance says little of text; a sentence that goes on says more.
    if distance > 1.4 * max(pitch, min(row.size, previous.size)), !continues || distance > 1.9 * size { return true }
    let isEnd = LineMarks.endsSentence(previous.scalars)
    if rules.contains(.lists) {
      if LineMarks.hasBullet(row.scalars) { return true }
      if LineMarks.hasNumber(row.scalars), isEnd || abs(column.indent(of: row) - column.indent(of: previous)) > 2 {
        return true
      }
    }
    // A sentence goes on whatever becomes of type and indent: small capitals, scans read unevenly, second lines
    // that hang.
    if abs(row.size - previous.size) < 0.35 * size, continues { return false }
    if abs(row.size - previous.size) > 0.15 * size, abs(row.largestSize - previous.largestSize) > 0.15 * size {
      return true
    }
    if LineMarks.isFigureCaption(row.scalars) { return true }
    let width = column.width
    // Centred lines (section letters, formulas) stand by themselves.
    let offset = column.indent(of: row)
    let offsetBefore = column.indent(of: previous)
    if max(offset, offsetBefore) > 0.2 * width, min(offset, offsetBefore) < 0.08 * width { return true }
    let indent = offset - offsetBefore
    let next = index + 1 < column.rows.count ? column.rows[index + 1] : nil
    if indent > 0.8 * row.size, indent < 6 * row.size, offsetBefore < 0.5 * row.size {
      // A first line: what follows goes back to the margin, or there is nothing to compare with.
      if next.map({ column.indent(of: $0) < offset - 0.5 * row.size }) ?? isEnd { return true }
      if isEnd { return true }
    }
    if isEnd, column.rest(after: previous) > 0.2 * width { return true }
    // Nothing else can end a line so early: the next word would have fitted.
    if column.rest(after: previous) > 0.55 * width, row.scalars.first?.properties.isLowercase == false {
      return true
    }
    return false
  }
}
