public import Core

/// Turns pages as extracted into pages worth indexing: reading order, whole words, no furniture, every scalar
/// still tied to its place on the page.
///
/// Facts of the whole document (what repeats, the body's font size, its words) are learnt first, so all pages
/// are taken at once. Memory: about 60 bytes a glyph while it runs.
public struct PageHygiene: Sendable {
  private let rules: Set<HygieneRule>

  /// Names the rules' version, for the pipeline version: raise it whenever the text of a page may change.
  public static let version = "hygiene-2"

  /// All rules.
  public init() { rules = Set(HygieneRule.allCases) }

  /// All rules but some, to show what each is for.
  package init(without: Set<HygieneRule>) { rules = Set(HygieneRule.allCases).subtracting(without) }

  /// Cleans the pages of one document, in order.
  /// - Parameters:
  ///   - extracted: The pages delivered, by number; released as they are worked on.
  ///   - outline: The document's bookmarks.
  /// - Returns: One page for each page given.
  public func pages(from extracted: consuming [ExtractedPage], outline: [OutlineEntry]) -> [Page] {
    if rules.contains(.ligatureRecovery) { recoverLigatures(&extracted) }
    let repair = CharacterRepair(isOn: rules.contains(.characterRepair))
    let builder = LineBuilder(rules: rules)
    var lines: [[TextLine]] = []
    var facts: [PageFacts] = []
    for index in extracted.indices {
      let page = extracted[index]
      let (glyphs, ends) = repair.glyphs(of: page)
      lines.append(builder.lines(glyphs: glyphs, lineEnds: ends))
      facts.append(PageFacts(page))
      extracted[index].scalars = []
      extracted[index].boxes = []
    }
    return compose(lines, facts: facts, outline: outline)
  }

  /// What must be known of a page once its glyphs are gone.
  private struct PageFacts {
    var number: Int
    var label: String?
    var size: PageSize
    /// Coverage with and without text left after the furniture is gone.
    var withBody: (state: PageCoverage, reason: String?)
    var withoutBody: (state: PageCoverage, reason: String?)

    init(_ page: ExtractedPage) {
      number = page.number
      label = page.label
      size = page.size
      withBody = CoverageJudge.coverage(of: page, hasBody: true)
      withoutBody = CoverageJudge.coverage(of: page, hasBody: false)
    }
  }

  private func recoverLigatures(_ pages: inout [ExtractedPage]) {
    var evidence = LigatureRecovery.Evidence()
    for page in pages { evidence.add(page) }
    let usual = evidence.usualWidths()
    let hasLost = pages.contains { page in
      page.scalars.contains("\u{FFFD}")
        || page.fonts.contains { font in
          guard let width = usual[font.name], font.size > 0 else { return false }
          return font.range.contains { index in
            index < page.scalars.count && page.scalars[index] == "f"
              && page.boxes[index].map { LigatureRecovery.isWide($0, size: font.size, usual: width) } ?? false
          }
        }
    }
    guard hasLost else { return }
    var vocabulary = Vocabulary()
    for page in pages { vocabulary.add(page.scalars) }
    let recovery = LigatureRecovery(usualWidths: usual, vocabulary: vocabulary)
    for index in pages.indices { pages[index] = recovery.repaired(pages[index]) }
  }

  private func compose(_ lines: consuming [[TextLine]], facts: [PageFacts], outline: [OutlineEntry]) -> [Page] {
    let verdicts =
      rules.contains(.runningLines)
      ? RunningLines().verdicts(on: lines, sizes: facts.map(\.size), labels: facts.map(\.label))
      : Array(repeating: .init(), count: lines.count)
    let order = ColumnOrder(rules: rules)
    var columns: [[Column]] = []
    var asides: [[DraftBlock]] = []
    for index in lines.indices {
      let page = RotatedText.split(lines[index], removed: verdicts[index].removed)
      var apart = page.rotated.map { Self.aside([$0], joining: nil) }
      apart += verdicts[index].sections.map { Self.aside([lines[index][$0]], joining: nil) }
      var body = page.upright
      if rules.contains(.marginText) {
        let split = MarginText.split(body)
        body = split.body
        apart += split.notes.map { Self.aside($0, joining: Hyphenation(vocabulary: Vocabulary(), rules: rules)) }
      }
      columns.append(order.columns(of: body))
      asides.append(apart)
      lines[index] = []
    }
    let headings = Headings(columns: columns, outline: outline)
    let hyphenation = Hyphenation(vocabulary: Self.vocabulary(of: columns), rules: rules)
    let builder = BlockBuilder(rules: rules, headings: headings, hyphenation: hyphenation)
    let composer = PageComposer(rules: rules, hyphenation: hyphenation)
    var drafts: [[DraftBlock]] = []
    for index in columns.indices {
      let height = facts[index].size.height
      let blocks = columns[index].map { builder.blocks(of: $0, page: facts[index].number, pageHeight: height) }
      drafts.append(composer.arranged(columns: blocks, asides: asides[index]))
      columns[index] = []
    }
    return drafts.indices.map { index in
      let hasBody = drafts[index].count > verdicts[index].sections.count
      let continues =
        rules.contains(.paragraphs) && index + 1 < drafts.count
        && Self.goesOn(from: drafts[index], to: drafts[index + 1])
      let fact = facts[index]
      return composer.page(
        drafts[index], number: fact.number, label: fact.label, size: fact.size, continues: continues,
        coverage: hasBody ? fact.withBody : fact.withoutBody)
    }
  }

  private static func goesOn(from page: [DraftBlock], to next: [DraftBlock]) -> Bool {
    guard let last = page.last(where: { $0.kind != .footnote && $0.kind != .aside }),
      let first = next.first(where: { $0.kind != .footnote && $0.kind != .aside })
    else { return false }
    return last.goesOn(in: first)
  }

  private static func aside(_ lines: [TextLine], joining: Hyphenation?) -> DraftBlock {
    var block = DraftBlock(kind: .aside, size: lines.first?.size ?? 10)
    for line in lines { block.append(text: line, joining: joining) }
    return block
  }

  private static func vocabulary(of columns: [[Column]]) -> Vocabulary {
    var vocabulary = Vocabulary()
    for column in columns.joined() {
      var isBroken = false
      for row in column.rows {
        let breaks = row.scalars.last == "-" || row.scalars.last == "\u{00AD}" || row.scalars.last == "\u{2010}"
        vocabulary.add(row.scalars, skippingFirst: isBroken, skippingLast: breaks)
        isBroken = breaks
      }
    }
    return vocabulary
  }
}
