import Core

/// The smallest piece a chunk is made of: a sentence, a table row, a line, a heading.
struct FlowUnit {
  /// How a unit follows the one before.
  enum Joint {
    /// In the same paragraph.
    case sentence
    /// In another paragraph, row or line.
    case line
    /// In the middle of a sentence, across a page or because the sentence is too long.
    case midSentence
  }

  /// Index into the chunker's pages.
  var page: Int
  /// Range of scalars of that page.
  var range: Range<Int>
  /// Length in the embedder's unit.
  var length: Int
  /// How it follows the unit before.
  var joint: Joint
  /// Headings above it.
  var headings: [String]
  /// The level of the heading that this unit is; nil for text.
  var headingLevel: Int?
  /// Whether it is contents matter.
  var isContents = false
  /// The header row of the table it belongs to, when it is a later row.
  var tableHeader: String?
}

/// Reads the blocks of a document's pages as one stream of units: headings keep their place, paragraphs go on
/// across pages, a footnote follows the paragraph that refers to it, and other footnotes and asides wait until the
/// paragraph they interrupt has ended.
struct DocumentFlow {
  let pages: [Page]
  let scalars: [[Unicode.Scalar]]
  let measure: (String) -> Int
  private let splitter = SentenceSplitter()
  private var headings: [(level: Int, text: String)] = []
  private(set) var units: [FlowUnit] = []
  private let runningAsides: Set<String>
  /// The header of the table that the body read so far ends with.
  private var openTable: TableHeader?

  init(pages: [Page], measure: @escaping (String) -> Int) {
    self.pages = pages
    self.measure = measure
    scalars = pages.map { Array($0.text.unicodeScalars) }
    var seen: [String: Int] = [:]
    for (index, page) in pages.enumerated() {
      for block in page.blocks where block.kind == .aside {
        seen[Self.text(scalars[index], block.range), default: 0] += 1
      }
    }
    runningAsides = Set(seen.filter { $0.value >= 3 }.keys)
    read()
  }

  static func text(_ scalars: [Unicode.Scalar], _ range: Range<Int>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[range])
    return String(view)
  }

  private mutating func read() {
    var pending: [(page: Int, block: TextBlock)] = []
    var isContinuing = false
    for (index, page) in pages.enumerated() where page.coverage != .garbled {
      let body = page.blocks.filter { !Self.isApart($0.kind) }
      if !isContinuing { flush(&pending, running: nil) }
      let running = runningHead(of: index)
      let notes = FootnoteReference.attached(
        page.blocks.filter { $0.kind == .footnote }, to: body, in: scalars[index]
      ).filter { !body[$0.key].continuesOnNextPage }
      let attached = Set(notes.values.joined().map(\.range))
      for (position, block) in body.enumerated() {
        add(block, page: index, continues: position == 0 && isContinuing, running: running)
        for note in notes[position] ?? [] { add(note, page: index, continues: false, running: running) }
        if position == 0, isContinuing, !(body.count == 1 && block.continuesOnNextPage) {
          flush(&pending, running: running)
        }
      }
      pending += page.blocks.filter {
        Self.isApart($0.kind) && !isRunning($0, page: index) && !attached.contains($0.range)
      }.map { (index, $0) }
      isContinuing = body.last?.continuesOnNextPage ?? false
      if !isContinuing { flush(&pending, running: running) }
    }
    flush(&pending, running: nil)
  }

  private static func isApart(_ kind: TextBlock.Kind) -> Bool { kind == .footnote || kind == .aside }

  private func isRunning(_ block: TextBlock, page: Int) -> Bool {
    block.kind == .aside && runningAsides.contains(Self.text(scalars[page], block.range))
  }

  /// The section named by a running header that hygiene kept as an aside: the heading where there is no other.
  private func runningHead(of page: Int) -> String? {
    pages[page].blocks.first { isRunning($0, page: page) }.map { Self.text(scalars[page], $0.range) }
  }

  private mutating func flush(_ pending: inout [(page: Int, block: TextBlock)], running: String?) {
    for (page, block) in pending { add(block, page: page, continues: false, running: running) }
    pending = []
  }

  private mutating func add(_ block: TextBlock, page: Int, continues: Bool, running: String?) {
    if !Self.isApart(block.kind), block.kind != .table { openTable = nil }
    if case .heading(let level) = block.kind {
      let text = Self.text(scalars[page], block.range).split(whereSeparator: \.isWhitespace).joined(separator: " ")
      headings.removeAll { $0.level >= level }
      headings.append((level, text))
      append(block.range, page, .line, running: running, level: level)
      return
    }
    let isByLine = block.kind == .table || block.kind == .preformatted || block.kind == .contents
    let pieces =
      isByLine
      ? Self.lines(scalars[page], block.range) : splitter.sentences(of: scalars[page], in: block.range)
    let header = block.kind == .table ? tableHeader(of: pieces, page) : nil
    if block.kind == .table { openTable = header }
    for (position, piece) in pieces.enumerated() {
      let joint: FlowUnit.Joint =
        isByLine ? .line : position == 0 ? (continues ? joint(before: page, piece) : .line) : .sentence
      append(
        piece, page, joint, running: running, isContents: block.kind == .contents,
        tableHeader: position > 0 || header?.isFromBefore == true ? header?.text : nil)
    }
  }

  /// The header row of a table: its first row, unless that has figures; then the header of the table right before
  /// (on the page before, mostly) when its cells are as many.
  private func tableHeader(of rows: [Range<Int>], _ page: Int) -> TableHeader? {
    guard let first = rows.first else { return nil }
    let row = Self.text(scalars[page], first)
    if let header = TableHeader(row: row) { return header }
    guard var header = openTable, header.cellCount == TableHeader.cells(row).count else { return nil }
    header.isFromBefore = true
    return header
  }

  /// A paragraph from the page before goes on in mid-sentence unless it had ended one.
  private func joint(before page: Int, _ piece: Range<Int>) -> FlowUnit.Joint {
    guard let last = units.last, last.range.upperBound > 0 else { return .sentence }
    let scalar = scalars[last.page][last.range.upperBound - 1]
    return ".!?\u{201D}\")".unicodeScalars.contains(scalar) ? .sentence : .midSentence
  }

  private mutating func append(
    _ range: Range<Int>, _ page: Int, _ joint: FlowUnit.Joint, running: String?, level: Int? = nil,
    isContents: Bool = false, tableHeader: String? = nil
  ) {
    guard !range.isEmpty else { return }
    let path = headings.isEmpty ? (running.map { [$0] } ?? []) : headings.map(\.text)
    units.append(
      FlowUnit(
        page: page, range: range, length: measure(Self.text(scalars[page], range)), joint: joint, headings: path,
        headingLevel: level, isContents: isContents, tableHeader: tableHeader))
  }

  private static func lines(_ text: [Unicode.Scalar], _ range: Range<Int>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start = range.lowerBound
    for index in range where text[index] == "\n" {
      if index > start { result.append(start..<index) }
      start = index + 1
    }
    if range.upperBound > start { result.append(start..<range.upperBound) }
    return result
  }
}
