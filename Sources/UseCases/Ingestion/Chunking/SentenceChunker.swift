public import Core

/// Cuts pages into chunks of whole sentences under their headings, up to the embedder's budget, with overlap.
///
/// A chunk's text is exactly the page text that its ranges name, joined by a space (within a paragraph) or a
/// line end; title, headings and a table's header row go only into the embedded text.
public struct SentenceChunker: Chunker {
  private let settings: ChunkingSettings
  private let measure: @Sendable (String) -> Int
  private let budget: Int
  private let unit: String
  /// What joining two units adds; words and tokens do not grow.
  private let jointLength: Int

  /// Creates a chunker that keeps every embedded text within `limit`.
  public init(limit: EmbeddingLimit, settings: ChunkingSettings = .init()) {
    self.settings = settings
    switch limit {
    case .tokens(let count, let counter):
      measure = { counter.count($0) }
      budget = max(8, min(settings.target, count - counter.specialTokens))
      unit = "t"
      jointLength = 0
    case .characters(let count):
      measure = { $0.unicodeScalars.count }
      // Without a tokenizer the target, given in tokens, is taken at four characters a token.
      budget = max(32, min(settings.target * 4, count))
      unit = "c"
      jointLength = 2
    }
  }

  /// Names the chunker with budget and settings.
  public var version: String { "sentences-3-\(budget)\(unit)-\(settings.summary)" }

  /// Cuts `pages`; the chunks are numbered from 0 in reading order.
  public func chunks(
    of pages: [Page], document: Document, metadata: DocumentMetadata, pipeline: PipelineVersion
  ) -> [Chunk] {
    let flow = DocumentFlow(pages: pages) { measure($0) + jointLength }
    let title = EmbeddedText.usableTitle(metadata.title, fileName: document.name)
    let texts = EmbeddedText(title: title, settings: settings, budget: budget, measure: measure)
    // Long paths of headings leave less for the text, but never less than half of the budget.
    let units = split(flow.units, in: flow, to: budget - texts.longestPrefix)
    return pack(units, texts: texts).enumerated().map { ordinal, group in
      let pieces = Self.pieces(of: group, in: flow)
      let text = Self.join(pieces)
      let lowValue = group.lazy.filter(\.isContents).map(\.length).reduce(0, +)
      let length = group.lazy.map(\.length).reduce(0, +)
      let headings = Self.headings(of: group)
      return Chunk(
        id: .init(document: document.id, version: document.version, pipeline: pipeline, ordinal: ordinal),
        document: document.id, ordinal: ordinal, text: text,
        pages: pieces.map { PageRange(page: pages[$0.page].number, label: pages[$0.page].label, range: $0.range) },
        headingPath: headings,
        embeddedText: texts.text(
          text, headings: headings, tableHeader: group.first { $0.headingLevel == nil }?.tableHeader),
        isLowValue: lowValue * 2 > length)
    }
  }

  // MARK: - Packing

  /// Groups units greedily; each group becomes a chunk.
  private func pack(_ units: [FlowUnit], texts: EmbeddedText) -> [[FlowUnit]] {
    var groups: [[FlowUnit]] = []
    var current: [FlowUnit] = []
    var length = 0
    var fresh = 0  // units of `current` that are not overlap
    let floor = Int(Double(budget) * settings.floor)

    func close(keepingOverlap: Bool) {
      guard fresh > 0 else { return }
      var carried: [FlowUnit] = []
      // A heading must not be left behind at the end of a chunk: it goes with the text below it.
      while current.count > 1, current.last?.headingLevel != nil, fresh > 1 {
        carried.insert(current.removeLast(), at: 0)
        fresh -= 1
      }
      groups.append(current)
      let tail = keepingOverlap && carried.isEmpty ? overlap(of: current) : []
      current = tail + carried
      fresh = carried.count
      length = current.lazy.map(\.length).reduce(0, +)
    }

    for unit in units {
      let room = budget - texts.reserve(for: unit)
      if let last = current.last {
        let isAtHeading = unit.headingLevel != nil && last.headingLevel == nil
        let isTop = unit.headings.first != last.headings.first
        if last.isContents != unit.isContents {
          close(keepingOverlap: false)
        } else if isAtHeading, length >= (isTop ? floor : floor * 2) {
          close(keepingOverlap: false)
          if isTop || fresh == 0 { (current, length) = (Array(current.suffix(fresh)), length) }
        }
      }
      if length + unit.length > room, fresh > 0 {
        close(keepingOverlap: unit.tableHeader == nil)
        if length + unit.length > room {  // the overlap leaves no room for this unit
          current = Array(current.suffix(fresh))
          length = current.lazy.map(\.length).reduce(0, +)
          if length + unit.length > room, fresh > 0 { close(keepingOverlap: false) }
        }
      }
      if fresh == 0, length + unit.length > room {
        current = []
        length = 0
      }
      current.append(unit)
      length += unit.length
      fresh += 1
    }
    if fresh > 0 { groups.append(current) }
    return groups
  }

  /// The last whole sentences that fit into the overlap; none where a section or table ended.
  private func overlap(of group: [FlowUnit]) -> [FlowUnit] {
    let most = Int(Double(budget) * settings.overlap)
    var length = 0
    var result: [FlowUnit] = []
    for unit in group.reversed() {
      guard unit.headingLevel == nil, !unit.isContents, unit.tableHeader == nil, length + unit.length <= most,
        result.count + 1 < group.count
      else { break }
      length += unit.length
      result.insert(unit, at: 0)
    }
    return result
  }

  private static func headings(of group: [FlowUnit]) -> [String] {
    // The heading under which most of the text stands; a merged chunk takes what all share when they differ.
    guard let first = group.first(where: { $0.headingLevel == nil }) ?? group.first else { return [] }
    var shared = first.headings
    for unit in group where unit.headingLevel == nil && unit.headings != shared {
      shared = Array(zip(shared, unit.headings).prefix { $0 == $1 }.map(\.0))
    }
    return shared
  }

  // MARK: - Ranges

  private struct Piece {
    var page: Int
    var range: Range<Int>
    var text: String
    var isNewLine: Bool
  }

  /// Merges neighbouring units of a page, so that a chunk has as few ranges as its text allows.
  private static func pieces(of group: [FlowUnit], in flow: DocumentFlow) -> [Piece] {
    var merged: [(page: Int, range: Range<Int>, isNewLine: Bool)] = []
    for unit in group {
      if let last = merged.last, last.page == unit.page, last.range.upperBound <= unit.range.lowerBound,
        flow.scalars[unit.page][last.range.upperBound..<unit.range.lowerBound].allSatisfy(\.properties.isWhitespace)
      {
        merged[merged.count - 1].range = last.range.lowerBound..<unit.range.upperBound
      } else {
        merged.append((unit.page, unit.range, unit.joint == .line))
      }
    }
    return merged.map {
      Piece(
        page: $0.page, range: $0.range, text: DocumentFlow.text(flow.scalars[$0.page], $0.range),
        isNewLine: $0.isNewLine)
    }
  }

  private static func join(_ pieces: [Piece]) -> String {
    var text = ""
    for (index, piece) in pieces.enumerated() {
      if index > 0 { text += piece.isNewLine ? "\n" : " " }
      text += piece.text
    }
    return text
  }

  // MARK: - Long units

  /// Cuts units longer than `most` at a clause, else at a word, else anywhere.
  private func split(_ units: [FlowUnit], in flow: DocumentFlow, to most: Int) -> [FlowUnit] {
    var result: [FlowUnit] = []
    result.reserveCapacity(units.count)
    for unit in units {
      guard unit.length > most else {
        result.append(unit)
        continue
      }
      let text = flow.scalars[unit.page]
      var rest = unit.range
      var joint = unit.joint
      while !rest.isEmpty {
        let cut = cut(of: text, in: rest, most: most - jointLength)
        var piece = unit
        piece.range = rest.lowerBound..<cut
        piece.length = measure(DocumentFlow.text(text, piece.range)) + jointLength
        piece.joint = joint
        result.append(piece)
        joint = .midSentence
        var next = cut
        while next < rest.upperBound, text[next].properties.isWhitespace { next += 1 }
        rest = next..<rest.upperBound
      }
    }
    return result
  }

  /// The end of the longest prefix of `range` that measures at most `most`, at the best place near that end.
  private func cut(of text: [Unicode.Scalar], in range: Range<Int>, most: Int) -> Int {
    if measure(DocumentFlow.text(text, range)) <= most { return range.upperBound }
    var low = range.lowerBound + 1
    var high = range.upperBound
    while low < high {
      let middle = (low + high + 1) / 2
      if measure(DocumentFlow.text(text, range.lowerBound..<middle)) <= most { low = middle } else { high = middle - 1 }
    }
    let earliest = range.lowerBound + max(1, (low - range.lowerBound) / 2)
    for isGood in [Self.endsClause, Self.endsWord] {
      var index = low
      while index > earliest {
        if isGood(text, index) { return index }
        index -= 1
      }
    }
    return low
  }

  private static func endsWord(_ text: [Unicode.Scalar], _ index: Int) -> Bool {
    index >= text.count || text[index].properties.isWhitespace
  }

  private static func endsClause(_ text: [Unicode.Scalar], _ index: Int) -> Bool {
    ",;:\u{2014}\u{3001}\u{FF0C}\u{060C}".unicodeScalars.contains(text[index - 1])
      && (endsWord(text, index) || text[index - 1].value > 0x3000)
  }
}
