import Core

/// Puts the blocks of a page into one text with boxes: body in reading order, then asides and footnotes.
struct PageComposer {
  let rules: Set<HygieneRule>
  let hyphenation: Hyphenation

  /// Joins paragraphs that go on in the next column and sets body and apart blocks in their places.
  func arranged(columns: [[DraftBlock]], asides: [DraftBlock]) -> [DraftBlock] {
    var body: [DraftBlock] = []
    var apart: [DraftBlock] = []
    for blocks in columns {
      var isFirst = true
      for block in blocks {
        if block.kind == .footnote || block.kind == .aside {
          apart.append(block)
          continue
        }
        if isFirst, rules.contains(.paragraphs), let last = body.last, last.goesOn(in: block) {
          body[body.count - 1].append(block, joining: hyphenation)
        } else {
          body.append(block)
        }
        isFirst = false
      }
    }
    return body + apart + asides
  }

  /// The text, boxes and blocks of a page; blocks are separated by an empty line.
  func page(
    _ drafts: [DraftBlock], number: Int, label: String?, size: PageSize, continues: Bool,
    coverage: (state: PageCoverage, reason: String?)
  ) -> Page {
    var view = String.UnicodeScalarView()
    var boxes: [Box?] = []
    boxes.reserveCapacity(drafts.lazy.map { $0.boxes.count + 2 }.reduce(0, +))
    var blocks: [TextBlock] = []
    let lastBody = drafts.lastIndex { $0.kind != .footnote && $0.kind != .aside }
    for (index, draft) in drafts.enumerated() where !draft.scalars.isEmpty {
      if !boxes.isEmpty {
        view.append("\n")
        view.append("\n")
        boxes += [nil, nil]
      }
      let start = boxes.count
      view.append(contentsOf: draft.scalars)
      boxes += draft.boxes
      blocks.append(
        TextBlock(
          range: start..<boxes.count, kind: draft.kind, continuesOnNextPage: continues && index == lastBody))
    }
    return Page(
      number: number, label: label, size: size, text: String(view), boxes: boxes, blocks: blocks,
      coverage: coverage.state, coverageReason: coverage.reason)
  }
}
