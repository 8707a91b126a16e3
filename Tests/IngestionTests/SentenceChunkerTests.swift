import Core
import Ingestion
import QuarryTesting
import Testing

@Suite struct SentenceChunkerTests {
  private let document = Sample.document()

  private func chunker(_ tokens: Int = 60, _ settings: ChunkingSettings = .init()) -> SentenceChunker {
    SentenceChunker(limit: .tokens(tokens, counter: WordCounter()), settings: settings)
  }

  private func chunks(_ pages: [Page], by chunker: SentenceChunker, title: String? = nil) -> [Chunk] {
    chunker.chunks(
      of: pages, document: document, metadata: DocumentMetadata(title: title), pipeline: Sample.pipeline)
  }

  /// A page from blocks.
  private func page(_ number: Int, _ blocks: [(TextBlock.Kind, String)], continues: Bool = false) -> Page {
    var text = ""
    var ranges: [TextBlock] = []
    for (index, block) in blocks.enumerated() {
      if index > 0 { text += "\n\n" }
      let start = text.unicodeScalars.count
      text += block.1
      ranges.append(
        TextBlock(
          range: start..<text.unicodeScalars.count, kind: block.0,
          continuesOnNextPage: continues && index == blocks.count - 1))
    }
    var page = Sample.page(number, text: text)
    page.blocks = ranges
    return page
  }

  private func sentences(_ count: Int, seed: String = "sentence") -> String {
    (0..<count).map { "This is \(seed) number \($0) with a few more words in it." }.joined(separator: " ")
  }

  /// Whether a chunk's text is its ranges' texts joined by a space or a line end.
  private func isVerbatim(_ chunk: Chunk, _ pages: [Page]) -> Bool {
    var rest = Substring(chunk.text)
    for (index, range) in chunk.pages.enumerated() {
      guard let page = pages.first(where: { $0.number == range.page }) else { return false }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: Array(page.text.unicodeScalars)[range.range])
      if index > 0 {
        guard let joint = rest.first, joint == " " || joint == "\n" else { return false }
        rest.removeFirst()
      }
      guard rest.hasPrefix(String(view)) else { return false }
      rest.removeFirst(String(view).count)
    }
    return rest.isEmpty
  }

  @Test func chunksAreVerbatimWithinBudgetAndComplete_forManyShapesOfDocuments() {
    var generator = SplitMix64(seed: 20_260_102)
    let kinds: [TextBlock.Kind] = [
      .paragraph, .paragraph, .paragraph, .heading(level: 1), .heading(level: 2), .listItem, .table, .preformatted,
      .footnote, .aside, .contents,
    ]
    for round in 0..<60 {
      var word = 0
      let pages = (1...Int.random(in: 1...5, using: &generator)).map { number -> Page in
        let blocks = (0..<Int.random(in: 1...7, using: &generator)).map { _ -> (TextBlock.Kind, String) in
          let kind = kinds.randomElement(using: &generator) ?? .paragraph
          let isLines = kind == .table || kind == .preformatted || kind == .contents
          let count = Int.random(in: 1...5, using: &generator)
          let parts = (0..<count).map { _ -> String in
            let words = (0..<Int.random(in: 1...(round % 5 == 0 ? 90 : 14), using: &generator)).map { _ -> String in
              word += 1
              return "W\(word)"
            }
            return words.joined(separator: isLines ? "\t" : " ") + (isLines ? "" : ".")
          }
          return (kind, parts.joined(separator: isLines ? "\n" : " "))
        }
        return page(
          number, blocks.sorted { Self.isApart($0.0) ? false : Self.isApart($1.0) },
          continues: Bool.random(using: &generator))
      }
      for limit in [12, 40, 200] {
        let result = chunks(pages, by: chunker(limit), title: "A title of the document")
        var covered: Set<Substring> = []
        for (ordinal, chunk) in result.enumerated() {
          #expect(chunk.ordinal == ordinal)
          #expect(isVerbatim(chunk, pages), "round \(round), limit \(limit): \(chunk)")
          #expect(WordCounter().count(chunk.embeddedText) <= limit - 2)
          #expect(chunk.embeddedText.contains(chunk.text))
          covered.formUnion(chunk.text.split { $0.isWhitespace || $0 == "." })
        }
        #expect(covered.count == word, "round \(round), limit \(limit)")
        #expect(Set(result.map(\.id)).count == result.count)
      }
    }
  }

  private static func isApart(_ kind: TextBlock.Kind) -> Bool { kind == .footnote || kind == .aside }

  @Test func theEndOfAChunkIsRepeatedInTheNext() {
    let settings = ChunkingSettings(target: 60, overlap: 0.25, prefix: .none)
    let result = chunks([page(1, [(.paragraph, sentences(12))])], by: chunker(200, settings))
    #expect(result.count > 2)
    for (one, next) in zip(result, result.dropFirst()) {
      #expect(next.pages[0].range.lowerBound < one.pages[0].range.upperBound)
    }
    let apart = chunks(
      [page(1, [(.paragraph, sentences(12))])], by: chunker(200, .init(target: 60, overlap: 0, prefix: .none)))
    for (one, next) in zip(apart, apart.dropFirst()) {
      #expect(next.pages[0].range.lowerBound > one.pages[0].range.upperBound)
    }
  }

  @Test func chunksEndAtSentences() {
    for chunk in chunks([page(1, [(.paragraph, sentences(30))])], by: chunker()) {
      #expect(chunk.text.hasSuffix("it."))
      #expect(chunk.text.hasPrefix("This is"))
    }
  }

  @Test func aTopHeadingBeginsAChunkAndIsOnItsPath() {
    let pages = [
      page(
        1,
        [
          (.heading(level: 1), "Pumps"), (.paragraph, sentences(3, seed: "pump")), (.heading(level: 2), "Care"),
          (.paragraph, sentences(3, seed: "care")), (.heading(level: 1), "Pipes"),
          (.paragraph, sentences(3, seed: "pipe")),
        ])
    ]
    let result = chunks(pages, by: chunker(100))
    for chunk in result { #expect(!(chunk.text.contains("pump") && chunk.text.contains("pipe number"))) }
    let pipes = result.first { $0.text.contains("pipe number") }
    #expect(pipes?.headingPath == ["Pipes"])
    #expect(pipes?.text.hasPrefix("Pipes") == true)
    #expect(result.contains { $0.headingPath == ["Pumps", "Care"] || $0.headingPath == ["Pumps"] })
  }

  @Test func tinySectionsAreMerged() {
    let sections = (0..<6).flatMap { section -> [(TextBlock.Kind, String)] in
      [(.heading(level: 2), "Section \(section)"), (.paragraph, "One short line.")]
    }
    let blocks = [(.heading(level: 1), "All")] + sections
    #expect(chunks([page(1, blocks)], by: chunker(100)).count == 1)
  }

  @Test func titleAndHeadingsGoOnlyIntoTheEmbeddedText() {
    let pages = [page(1, [(.heading(level: 1), "Pumps"), (.paragraph, sentences(8))])]
    let result = chunks(pages, by: chunker(60), title: "Water Manual")
    #expect(result.count > 1)
    #expect(result[1].embeddedText.hasPrefix("Water Manual — Pumps\n"))
    #expect(!result[1].text.contains("Water Manual"))
    let plain = chunks(pages, by: chunker(60, .init(prefix: .none)), title: "Water Manual")
    #expect(plain[1].embeddedText == plain[1].text)
    let headings = chunks(pages, by: chunker(60, .init(prefix: .headings)), title: "Water Manual")
    #expect(headings[1].embeddedText.hasPrefix("Pumps\n"))
  }

  @Test func leftoversOfWordProcessorsAreNoTitles() {
    let pages = [page(1, [(.paragraph, sentences(2))])]
    for title in ["Microsoft Word - final_v2.doc", "untitled", "manual.pdf", "0047"] {
      #expect(
        chunks(pages, by: chunker(), title: title)[0].embeddedText == chunks(pages, by: chunker())[0].embeddedText)
    }
  }

  @Test func aTablesHeaderRowIsRepeatedInTheEmbeddedTextOnly() {
    let rows = ["State\tYear\tPermits"] + (0..<20).map { "Region \($0)\t2015\t\($0 * 37)" }
    let result = chunks([page(1, [(.table, rows.joined(separator: "\n"))])], by: chunker(40))
    #expect(result.count > 2)
    for chunk in result.dropFirst() {
      #expect(chunk.embeddedText.hasPrefix("State\tYear\tPermits\n"))
      #expect(!chunk.text.contains("State"))
    }
  }

  @Test func aTableThatGoesOnOverThePageKeepsItsHeader() {
    let rows = (0..<12).map { "Region \($0)\t\(2015 + $0 % 2)\t\($0 * 37)" }
    let pages = [
      page(1, [(.table, (["State\tYear\tPermits"] + rows).joined(separator: "\n"))]),
      page(2, [(.table, rows.joined(separator: "\n")), (.paragraph, sentences(1))]),
      page(3, [(.table, rows.joined(separator: "\n"))]),
    ]
    let result = chunks(pages, by: chunker(40))
    for chunk in result where chunk.pages.map(\.page) == [2] && !chunk.text.contains("sentence") {
      #expect(chunk.embeddedText.hasPrefix("State\tYear\tPermits\n"))
    }
    // Text stands between: another table, whose first row is no header.
    for chunk in result where chunk.pages.map(\.page) == [3] {
      #expect(!chunk.embeddedText.contains("Permits"))
      #expect(chunk.embeddedText == chunk.text)
    }
  }

  @Test func aParagraphAcrossPagesIsOneChunkWithTwoRanges() {
    let pages = [
      page(1, [(.paragraph, "The sentence begins on one page and"), (.footnote, "1 A note.")], continues: false),
      page(2, [(.paragraph, "ends on the other.")]),
    ]
    var first = pages[0]
    first.blocks[0].continuesOnNextPage = true
    let result = chunks([first, pages[1]], by: chunker(100, .init(prefix: .none)))
    #expect(result.count == 1)
    #expect(result[0].text.hasPrefix("The sentence begins on one page and ends on the other."))
    #expect(result[0].text.hasSuffix("1 A note."))
    #expect(result[0].pages.map(\.page) == [1, 2, 1])
  }

  @Test(arguments: [
    ("The gate was raised.1 It held.", "1 By hand."), ("The gate\u{2019}s arm\u{00B9} held.", "1 By hand."),
    ("The gate was raised\u{2020}.", "\u{2020} By hand."), ("It is \u{201C}raised\u{201D}12 now.", "12 By hand."),
  ])
  func aFootnoteFollowsTheParagraphThatRefersToIt(_ text: String, _ note: String) {
    let result = chunks(
      [
        page(
          1,
          [
            (.paragraph, text), (.paragraph, "Since 1.1 and 12 gates, 2,1 of them, all went well."),
            (.footnote, note), (.footnote, "And more of it."), (.footnote, "7 Nobody refers to this."),
          ])
      ], by: chunker(200, .init(prefix: .none)))
    #expect(
      result.flatMap { $0.text.split(separator: "\n") } == [
        Substring(text), Substring(note), "And more of it.", "Since 1.1 and 12 gates, 2,1 of them, all went well.",
        "7 Nobody refers to this.",
      ])
  }

  @Test func aFootnoteThatTwoParagraphsMayReferTo_waitsForTheEndOfThePage() {
    let result = chunks(
      [page(1, [(.paragraph, "Water.1"), (.paragraph, "Vitamin B1 helps."), (.footnote, "1 A note.")])],
      by: chunker(100, .init(prefix: .none)))
    #expect(result.flatMap { $0.text.split(separator: "\n") } == ["Water.1", "Vitamin B1 helps.", "1 A note."])
  }

  @Test func contentsAreOfLowValueAndApart() {
    let contents = (0..<8).map { "Chapter \($0) ... \($0 * 9)" }.joined(separator: "\n")
    let result = chunks([page(1, [(.contents, contents), (.paragraph, sentences(3))])], by: chunker(200))
    #expect(result.map(\.isLowValue) == [true, false])
  }

  @Test func garbledPagesHaveNoChunks() {
    var bad = page(1, [(.paragraph, "xq zzkt vrrw")])
    bad.coverage = .garbled
    #expect(chunks([bad], by: chunker()).isEmpty)
  }

  @Test func charactersAreABudgetToo() {
    let small = SentenceChunker(limit: .characters(120), settings: .init(overlap: 0.1))
    let pages = [page(1, [(.heading(level: 1), "Pumps"), (.paragraph, sentences(12))])]
    let result = chunks(pages, by: small, title: "Water Manual")
    #expect(result.count > 4)
    for chunk in result {
      #expect(chunk.embeddedText.unicodeScalars.count <= 120)
      #expect(isVerbatim(chunk, pages))
    }
  }

  @Test func settingsAreInTheVersion() {
    #expect(chunker().version != chunker(60, .init(overlap: 0.3)).version)
    #expect(chunker(60).version != chunker(50).version)
  }
}

/// A small random generator with a seed, so that failures can be repeated.
/// Source: S. Vigna, https://prng.di.unimi.it/splitmix64.c
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
