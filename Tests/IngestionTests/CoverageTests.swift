import Core
import Ingestion
import Testing

@Suite struct CoverageTests {
  private func coverage(_ page: PrintedPage) -> (PageCoverage, String?) {
    let page = PageHygiene().pages(from: [page.extracted], outline: [])[0]
    return (page.coverage, page.coverageReason)
  }

  @Test func textIsText() {
    var page = PrintedPage()
    page.print("Readable words on a page.", x: 50, y: 100)
    #expect(coverage(page).0 == .text)
    #expect(coverage(page).1 == nil)
  }

  @Test func nothingIsEmpty() { #expect(coverage(PrintedPage()).0 == .empty) }

  @Test func imagesWithoutTextAreAScan() {
    var page = PrintedPage()
    page.imageCoverage = 0.8
    #expect(coverage(page).0 == .imageOnly)
    #expect(coverage(page).1?.contains("80%") == true)
  }

  @Test func aStampOnAScanDoesNotMakeItText() {
    var page = PrintedPage()
    page.imageCoverage = 0.95
    page.print("COPY", x: 50, y: 100)
    #expect(coverage(page).0 == .imageOnly)
  }

  @Test func unmappedGlyphsAreGarbled() {
    var page = PrintedPage()
    page.print(String(repeating: "\u{FFFD}\u{E123}ab", count: 20), x: 50, y: 100)
    #expect(coverage(page).0 == .garbled)
  }

  @Test func aShiftedAlphabetIsGarbled() {
    // Every letter moved on by one, as fonts with a broken encoding do.
    let plain = "the commission considered that the report of the member states had not been delivered in time "
    let shifted = String(
      String.UnicodeScalarView(plain.unicodeScalars.map { $0 == " " ? " " : Unicode.Scalar($0.value + 1)! }))
    var page = PrintedPage()
    for line in 0..<4 { page.print(shifted, x: 20, y: 100 + Float(line) * 14) }
    #expect(coverage(page).0 == .garbled)
    var good = PrintedPage()
    for line in 0..<4 { good.print(plain, x: 20, y: 100 + Float(line) * 14) }
    #expect(coverage(good).0 == .text)
  }

  @Test func tablesOfNumbersAndContentsAreNotGarbled() {
    var page = PrintedPage()
    for line in 0..<30 {
      page.print("12,345 67.890 4711 2,000,000 .......... \(line)", x: 20, y: 60 + Float(line) * 14)
    }
    #expect(coverage(page).0 == .text)
  }
}
