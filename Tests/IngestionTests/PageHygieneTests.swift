import Core
import Ingestion
import Testing

/// Each rule has a page that it alone sets right: the test looks at the page with the rule and without it.
@Suite struct PageHygieneTests {
  private func clean(
    _ pages: [PrintedPage], without rules: Set<HygieneRule> = [], outline: [OutlineEntry] = []
  ) -> [Page] {
    PageHygiene(without: rules).pages(from: pages.map(\.extracted), outline: outline)
  }

  private func text(_ page: PrintedPage, without rules: Set<HygieneRule> = []) -> String {
    clean([page], without: rules)[0].text
  }

  @Test func everyVisibleScalarKeepsItsBox() {
    var page = PrintedPage()
    page.print(["The ﬁrst of sev-", "eral lines that end", "here.   Done."], x: 50, y: 100)
    let cleaned = clean([page])[0]
    #expect(cleaned.text == "The first of several lines that end here. Done.")
    let scalars = Array(cleaned.text.unicodeScalars)
    #expect(cleaned.boxes.count == scalars.count)
    for (scalar, box) in zip(scalars, cleaned.boxes) { #expect((box == nil) == (scalar == " ")) }
    // The letters of "first" lie where the glyphs were printed: f and i share the ligature's box.
    #expect(cleaned.boxes[4] == Box(left: 70, top: 100, right: 72.5, bottom: 110))
    #expect(cleaned.boxes[5] == Box(left: 72.5, top: 100, right: 75, bottom: 110))
  }

  @Test func characterRepairUndoesPresentationFormsAndKeepsSuperscripts() {
    var page = PrintedPage()
    page.print("o\u{FB03}ce\u{200B} \u{92}s\u{1} 10\u{B2} e\u{301}t\u{E9} \u{FF21}\u{FE8D}\u{F0B7}", x: 50, y: 100)
    #expect(text(page) == "office ’s 10² été A\u{627}•")
    #expect(text(page, without: [.characterRepair]) != text(page))
  }

  @Test func ligatureRecoveryFindsTheLigatureThatAWideFHides() {
    var page = PrintedPage()
    page.print("If of for if from of after often left effort", x: 50, y: 88)
    page.print("the frst", x: 50, y: 100)
    page.widenLast("f", by: 1.7)
    page.print("to refect", x: 50, y: 112)
    page.widenLast("f", by: 1.7)
    page.print("an efect", x: 50, y: 124)
    page.widenLast("f", by: 1.7)
    #expect(text(page).hasSuffix("the first to reflect an effect"))
    #expect(text(page, without: [.ligatureRecovery]).hasSuffix("the frst to refect an efect"))
  }

  @Test func ligatureRecoveryPrefersWordsThatTheDocumentHas() {
    var page = PrintedPage()
    page.print("of if for of from of after left Kofler", x: 50, y: 88)
    page.print("by Kofer", x: 50, y: 100)
    page.widenLast("f", by: 1.7)
    #expect(text(page).hasSuffix("by Kofler"))
  }

  @Test func rotatedTextIsSetApart() {
    var page = PrintedPage()
    page.print(["This sentence begins here and", "goes on below the margin text"], x: 50, y: 100)
    page.printUpwards("arXiv stamp", x: 20, y: 400)
    page.print(["until it ends."], x: 50, y: 124)
    let cleaned = clean([page])[0]
    #expect(cleaned.texts(.paragraph) == ["This sentence begins here and goes on below the margin text until it ends."])
    #expect(cleaned.texts(.aside) == ["arXiv stamp"])
    #expect(clean([page], without: [.rotatedText])[0].texts(.aside).isEmpty)
  }

  private func twoColumns() -> PrintedPage {
    var page = PrintedPage()
    page.print("A title that spans both of the columns of this page", x: 100, y: 50, size: 16)
    for line in 0..<6 {
      // The extractor hands out rows across the gutter: the worst order there is.
      page.print("left text of the line \(line) here", x: 50, y: 100 + Float(line) * 12)
      page.print("right text of the line \(line) is", x: 310, y: 100 + Float(line) * 12)
    }
    return page
  }

  @Test func columnOrderReadsTheLeftColumnFirst() throws {
    let cleaned = text(twoColumns())
    let left = try #require(cleaned.firstRange(of: "left text of the line 5"))
    let right = try #require(cleaned.firstRange(of: "right text of the line 0"))
    #expect(left.upperBound < right.lowerBound)
    #expect(cleaned.hasPrefix("A title that spans"))
    let unordered = text(twoColumns(), without: [.columnOrder])
    let after = try #require(unordered.firstRange(of: "right text of the line 0"))
    let before = try #require(unordered.firstRange(of: "left text of the line 5"))
    #expect(after.lowerBound < before.lowerBound)
  }

  @Test func columnOrderReadsThreeColumns() {
    var page = PrintedPage()
    for line in 0..<8 {
      for (column, name) in ["one", "two", "three"].enumerated() {
        page.print("column \(name) line \(line) text", x: 40 + Float(column) * 180, y: 100 + Float(line) * 12)
      }
    }
    let order = text(page).split(separator: " ").filter { ["one", "two", "three"].contains($0) }
    #expect(
      order == Array(repeating: "one", count: 8) + Array(repeating: "two", count: 8)
        + Array(repeating: "three", count: 8))
  }

  private func withFurniture(_ count: Int = 6) -> [PrintedPage] {
    let bodies = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"]
    return (1...count).map { number in
      var page = PrintedPage(number)
      page.print("Annual Report 2024", x: 50, y: 30)
      page.print("Text about \(bodies[number - 1]) on this page.", x: 50, y: 200)
      page.print("\(number + 16)", x: 290, y: 770)
      return page
    }
  }

  @Test func runningLinesAreRemoved() {
    let cleaned = clean(withFurniture())
    #expect(cleaned[2].text == "Text about charlie on this page.")
    #expect(clean(withFurniture(), without: [.runningLines])[2].text.contains("Annual Report"))
  }

  @Test func linesThatRepeatElsewhereStay() {
    let pages = (1...4).map { number in
      var page = PrintedPage(number)
      page.print("Warning", x: 50, y: 200 + Float(number) * 40)
      page.print("Text of page \(["a", "b", "c", "d"][number - 1]).", x: 50, y: 500)
      page.print("And more of it, in a second line.", x: 50, y: 540)
      page.print("And the last words \(["w", "x", "y", "z"][number - 1]).", x: 50, y: 580)
      return page
    }
    #expect(clean(pages).allSatisfy { $0.text.contains("Warning") })
  }

  @Test func aHeaderThatNamesASectionIsSetAside() {
    let pages = (1...10).map { number in
      var page = PrintedPage(number)
      page.print(number <= 5 ? "Opinion of the Court" : "Barrett, J., dissenting", x: 200, y: 30)
      page.print("Body text number \(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][number - 1]).", x: 50, y: 300)
      return page
    }
    let cleaned = clean(pages)
    #expect(cleaned[7].texts(.aside) == ["Barrett, J., dissenting"])
    #expect(cleaned[7].texts(.paragraph) == ["Body text number h."])
  }

  @Test func hyphenationJoinsBrokenWordsAndKeepsRealHyphens() {
    var page = PrintedPage()
    page.print(
      [
        "The know-how of long-term infor-", "mation is kept for the long-", "term by the state of Jean-",
        "Claude and others.",
      ],
      x: 50, y: 100)
    #expect(
      text(page)
        == "The know-how of long-term information is kept for the long-term by the state of Jean-Claude and others.")
    #expect(text(page, without: [.hyphenation]).contains("infor- mation"))
  }

  private func withHeading() -> PrintedPage {
    var page = PrintedPage()
    page.print("2 Methods", x: 50, y: 80, size: 14)
    page.print(["We measured everything twice and", "wrote it down in this report."], x: 50, y: 110)
    page.print("Limits", x: 50, y: 150, bold: true)
    page.print(["There are few limits to speak of", "in a report of this length."], x: 50, y: 165)
    return page
  }

  @Test func headingsAreRecognisedBySizeAndWeight() {
    let cleaned = clean([withHeading()])[0]
    #expect(cleaned.texts(.heading(level: 1)) == ["2 Methods"])
    #expect(cleaned.texts(.heading(level: 2)) == ["Limits"])
    let without = clean([withHeading()], without: [.headings])[0]
    #expect(without.blocks.allSatisfy { $0.kind == .paragraph })
  }

  @Test func theOutlineSetsTheLevel() {
    let outline = [OutlineEntry(level: 3, title: "2. Methods", page: 1)]
    #expect(clean([withHeading()], outline: outline)[0].texts(.heading(level: 3)) == ["2 Methods"])
  }

  private func withParagraphs() -> PrintedPage {
    var page = PrintedPage()
    page.print("    The first paragraph is indented and", x: 50, y: 100)
    page.print(["goes on over several lines of text until", "it ends after this last one."], x: 50, y: 112)
    page.print("    The second one is indented as well so", x: 50, y: 136)
    page.print(["that it can be told from the first and", "the third, which stands after a gap."], x: 50, y: 148)
    page.print(["The third stands after a vertical gap of", "twice the usual size."], x: 50, y: 196)
    return page
  }

  @Test func paragraphsAreSplitByIndentAndGap() {
    #expect(clean([withParagraphs()])[0].texts(.paragraph).count == 3)
    #expect(clean([withParagraphs()], without: [.paragraphs])[0].texts(.paragraph).count == 1)
  }

  @Test func paragraphsGoOnAcrossPages() {
    var first = PrintedPage(1)
    first.print(["A paragraph that is not at its end when", "the page is, because the sentence it is"], x: 50, y: 700)
    var second = PrintedPage(2)
    second.print(["in goes on at the top of the next page.", "Then another sentence follows it there."], x: 50, y: 60)
    let cleaned = clean([first, second])
    #expect(cleaned[0].blocks.last?.continuesOnNextPage == true)
    #expect(cleaned[1].blocks.last?.continuesOnNextPage == false)
    #expect(clean([first, second], without: [.paragraphs])[0].blocks.last?.continuesOnNextPage == false)
  }

  private func withTable() -> PrintedPage {
    var page = PrintedPage()
    page.print("The table shows permits by state and year.", x: 50, y: 80)
    for (row, cells) in [["State", "2014", "2015"], ["Alabama", "18,870", "19,001"], ["Alaska", "209", "98 452"]]
      .enumerated()
    {
      for (column, cell) in cells.enumerated() {
        page.print(cell, x: 50 + Float(column) * 120, y: 120 + Float(row) * 14)
      }
    }
    return page
  }

  @Test func tableRowsKeepTheirCells() {
    #expect(
      clean([withTable()])[0].texts(.table) == ["State\t2014\t2015\nAlabama\t18,870\t19,001\nAlaska\t209\t98 452"])
    #expect(clean([withTable()], without: [.tableRows])[0].texts(.table).isEmpty)
  }

  @Test func tablesPrintedSideBySideAreReadOneAfterTheOther() {
    var page = PrintedPage()
    for group in 0..<3 {
      for row in 0..<10 {
        let base = 1_000 * (group + 1) + row
        for (column, x) in [0, 40, 105].enumerated() {
          page.print("\(base + column)", x: 30 + Float(group) * 190 + Float(x), y: 100 + Float(row) * 12)
        }
      }
    }
    let table = clean([page])[0].text
    #expect(table.contains("1000\t1001\t1002\n1001\t1002\t1003"))
    #expect(!table.contains("1002\t2000"))
  }

  private func withProgram() -> PrintedPage {
    var page = PrintedPage()
    page.print("Call it like this, with care:", x: 50, y: 100)
    page.print(["for i in list:", "  work(i)", "done()"], x: 60, y: 120, mono: true)
    return page
  }

  @Test func programTextKeepsLinesAndIndents() {
    let cleaned = clean([withProgram()])[0]
    #expect(cleaned.texts(.preformatted) == ["for i in list:\n  work(i)\ndone()"])
    #expect(clean([withProgram()], without: [.preformatted])[0].texts(.preformatted).isEmpty)
  }

  private func withList() -> PrintedPage {
    var page = PrintedPage()
    page.print("You need the following things at hand:", x: 50, y: 100)
    page.print(["• a pump that works", "• a pipe of two metres", "• some water"], x: 60, y: 112)
    return page
  }

  @Test func listItemsStandByThemselves() {
    #expect(
      clean([withList()])[0].texts(.listItem) == ["• a pump that works", "• a pipe of two metres", "• some water"])
    #expect(clean([withList()], without: [.lists])[0].texts(.listItem).isEmpty)
  }

  private func withFootnote() -> PrintedPage {
    var page = PrintedPage()
    page.print(
      ["The text refers to a note1 and then goes", "on until the page ends without a stop and"], x: 50, y: 600)
    page.print(["1 See the other report, which says more", "about it than this one."], x: 50, y: 720, size: 8)
    return page
  }

  @Test func footnotesDoNotInterruptTheText() {
    let cleaned = clean([withFootnote()])[0]
    #expect(cleaned.texts(.footnote) == ["1 See the other report, which says more about it than this one."])
    #expect(clean([withFootnote()], without: [.footnotes])[0].texts(.footnote).isEmpty)
  }

  private func withContents() -> PrintedPage {
    var page = PrintedPage()
    page.print("Contents", x: 50, y: 60, size: 16)
    for (line, title) in ["Introduction", "Methods", "Results", "Discussion", "Annex"].enumerated() {
      page.print("\(title) ............................ \(line * 7 + 1)", x: 50, y: 100 + Float(line) * 14)
    }
    return page
  }

  @Test func contentsLinesAreMarkedAndKept() {
    let cleaned = clean([withContents()])[0]
    #expect(
      cleaned.texts(.contents) == ["Introduction ... 1\nMethods ... 8\nResults ... 15\nDiscussion ... 22\nAnnex ... 29"]
    )
    #expect(clean([withContents()], without: [.contents])[0].texts(.contents).isEmpty)
  }

  @Test func linesOfRightToLeftScriptsKeepTheirLogicalOrder() {
    var page = PrintedPage()
    let word = "\u{645}\u{631}\u{62D}\u{628}\u{627}"
    // Glyphs in logical order, placed from right to left.
    page.print(word, x: 100, y: 100)
    var extracted = page.extracted
    for index in extracted.boxes.indices {
      guard let box = extracted.boxes[index] else { continue }
      extracted.boxes[index] = Box(left: 300 - box.right, top: box.top, right: 300 - box.left, bottom: box.bottom)
    }
    #expect(PageHygiene().pages(from: [extracted], outline: [])[0].text == word)
  }
}
