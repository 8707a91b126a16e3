import Core
import Ingestion
import Testing

/// Sentences that real typesetting interrupts stay whole; each page is made after one of a real document.
@Suite struct SentenceFlowTests {
  private func paragraphs(_ page: PrintedPage) -> [String] {
    PageHygiene().pages(from: [page.extracted], outline: [])[0].texts(.paragraph)
  }

  @Test func boldWordsThatRunOnOpenTheirParagraph() {
    var page = PrintedPage()
    page.print("Body text of the usual weight stands here first.", x: 50, y: 60)
    page.print("It is followed by a second line of the same kind.", x: 50, y: 72)
    page.print("Exemption for a person displaced by the Re-", x: 50, y: 100, bold: true)
    page.print("cent storm expires. No other amount is given.", x: 50, y: 112)
    #expect(
      paragraphs(page).last == "Exemption for a person displaced by the Recent storm expires. No other amount is given."
    )
  }

  @Test func aHeadingAboveASentenceStaysOne() {
    var page = PrintedPage()
    page.print("Where to file", x: 50, y: 60, bold: true)
    page.print(["Send the form to the address that is given", "below before the end of the year."], x: 50, y: 72)
    #expect(paragraphs(page) == ["Send the form to the address that is given below before the end of the year."])
  }

  @Test func smallCapitalsDoNotEndAParagraph() {
    var page = PrintedPage()
    page.print("Comments should be sent to the person identified", x: 50, y: 100)
    page.print("in the ", x: 50, y: 112)
    page.print("FOR FURTHER INFORMATION PARAGRAPH OF", x: 85, y: 113.5, size: 7.5)
    page.print("this notice before it is final.", x: 50, y: 124)
    #expect(
      paragraphs(page) == [
        "Comments should be sent to the person identified in the FOR FURTHER INFORMATION PARAGRAPH OF this notice before "
          + "it is final."
      ])
  }

  @Test func secondLinesThatHangBelongToTheirEntry() {
    var page = PrintedPage()
    page.print("Bruce Frederiksen. 2008. Applying expert tech-", x: 50, y: 100)
    page.print("nology to code reuse. Chicago.", x: 60, y: 112)
    page.print("Luyu Gao and Aman Madaan. 2023. Programs as", x: 50, y: 130)
    page.print("aids to language models. Honolulu.", x: 60, y: 142)
    #expect(
      paragraphs(page) == [
        "Bruce Frederiksen. 2008. Applying expert technology to code reuse. Chicago.",
        "Luyu Gao and Aman Madaan. 2023. Programs as aids to language models. Honolulu.",
      ])
  }

  @Test func linesOfAScanThatDifferInSizeAreOneParagraph() {
    var page = PrintedPage()
    for (line, size) in [10, 8.2, 10, 8.3, 10].enumerated() {
      page.print("of breccia that was read by a machine and so", x: 50, y: 100 + 12 * Float(line), size: Float(size))
    }
    #expect(paragraphs(page).count == 1)
  }

  @Test func wideSpacesBetweenSentencesMakeNoTable() {
    var page = PrintedPage()
    page.print("decreasing in intensity since.", x: 50, y: 100)
    page.print("For the purposes of this paper it", x: 215, y: 100)
    page.print("is amply sufficient for that.", x: 50, y: 112)
    page.print("It will only be necessary to add", x: 215, y: 112)
    page.print("that the writer was told of it.", x: 50, y: 124)
    let cleaned = PageHygiene().pages(from: [page.extracted], outline: [])[0]
    #expect(cleaned.texts(.table).isEmpty)
    #expect(cleaned.texts(.paragraph).count == 1)
  }

  @Test func theRightColumnOfARightToLeftPageIsReadFirst() throws {
    var page = PrintedPage()
    for line in 0..<6 {
      for (column, letter) in ["\u{5D0}", "\u{5D1}"].enumerated() {
        let right = column == 0 ? Float(520) : 260
        let word = String(repeating: letter, count: 16).unicodeScalars.enumerated().map { index, scalar in
          (scalar: scalar, x: Optional(right - 5 * Float(index)))
        }
        page.print(glyphs: word, y: 100 + 12 * Float(line))
      }
    }
    let text = PageHygiene().pages(from: [page.extracted], outline: [])[0].text
    let last = try #require(text.lastIndex(of: "\u{5D0}"))
    let first = try #require(text.firstIndex(of: "\u{5D1}"))
    #expect(last < first)
  }

  @Test func aNumberedTableIsNotTakenForLineNumbers() {
    var page = PrintedPage()
    for row in 1...12 {
      for (column, cell) in ["\(row)", "Pump \(row)", "\(row * 37)", "ready"].enumerated() {
        page.print(cell, x: 50 + 90 * Float(column), y: 100 + 12 * Float(row))
      }
    }
    let text = PageHygiene().pages(from: [page.extracted], outline: [])[0].text
    #expect(text.contains("7\tPump 7\t259\tready"))
  }
}
