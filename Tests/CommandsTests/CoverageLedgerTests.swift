import Commands
import Core
import Foundation
import HTTPAPI
import Testing

/// What could not be read is told: by page, in sums, and beside answers.
@Suite struct CoverageLedgerTests {
  /// Pages labelled i, ii, 1, 2, 3: text, text, an image, another, nothing.
  private static let scans: Data = {
    let image = "q 500 0 0 700 50 40 cm\nBI /W 1 /H 1 /CS /G /BPC 8 ID x EI\nQ"
    func text(_ line: String) -> String { "BT /F1 12 Tf 72 700 Td\n(\(line)) Tj\nET" }
    let contents = [
      text("The weir at Alderford was built in 1911 by the river trust."),
      text("Its crest stands 3.4 metres above the bed of the river."), image, image, "",
    ]
    var objects = [
      "<</Type/Catalog/Pages 2 0 R/PageLabels<</Nums[0<</S/r>> 2<</S/D>>]>>>>",
      "<</Type/Pages/Kids[4 0 R 6 0 R 8 0 R 10 0 R 12 0 R]/Count 5>>",
      "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for (index, content) in contents.enumerated() {
      objects.append(
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents \(5 + 2 * index) 0 R"
          + "/Resources<</Font<</F1 3 0 R>>>>>>")
      objects.append("<</Length \(content.utf8.count)>>\nstream\n\(content)\nendstream")
    }
    return TextPDF.file(objects)
  }()

  @Test(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
  func pagesThatCannotBeReadAreToldOf() async throws {
    let workspace = try Workspace()
    try workspace.write("pdfs/scans.pdf", Self.scans)
    let ingest = await workspace.run("ingest", workspace.pdfs)
    #expect(ingest.output.contains("Pages: 5 (2 text, 1 empty, 2 image_only)\n"), "\(ingest)")
    #expect(ingest.output.contains("1 incomplete: see quarry documents list --state incomplete\n"))

    let show = await workspace.run("documents", "show", "scans.pdf")
    #expect(show.output.contains("state      incomplete: 2 of 5 pages cannot be read: 2 image-only\n"))
    #expect(show.output.contains("\npages 1–2 (printed i–ii): text\n"), "\(show.output)")
    #expect(show.output.contains("\npages 3–4 (printed 1–2): image_only – no text; images cover 72% of the page\n"))
    #expect(show.output.contains("\npage 5 (printed 3): empty – nothing on the page\n"))
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    let body = try decoder.decode(
      DocumentDetailBody.self, from: Data(await workspace.run("documents", "show", "scans.pdf", "--json").output.utf8))
    #expect(body.pages.map(\.pageLabel) == ["i", "ii", "1", "2", "3"])
    #expect(body.pages.map(\.coverage) == ["text", "text", "image_only", "image_only", "empty"])

    for command in [["ask", "When was the weir built?"], ["search", "When was the weir built?"]] {
      let text = await workspace.run(command)
      #expect(text.output.contains("scans.pdf has 2 pages without readable text"), "\(text)")
      #expect(text.output.contains("(printed i"))
      let json = try await workspace.run(command + ["--json"]).object()
      let warnings = json["warnings"] as? [[String: Any]] ?? []
      #expect(warnings.compactMap { $0["code"] as? String } == ["coverage.unreadable_pages"])
    }
  }

  @Test(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
  func thePageOptionPrintsThePageAsStored() async throws {
    let workspace = try Workspace()
    try workspace.write("pdfs/scans.pdf", Self.scans)
    _ = await workspace.run("ingest", workspace.pdfs)
    let page = await workspace.run("documents", "show", "scans.pdf", "--page", "2")
    #expect(page.output == "Its crest stands 3.4 metres above the bed of the river.\n")
    let scan = await workspace.run("documents", "show", "scans.pdf", "--page", "3")
    #expect(scan.output == "")
    #expect(scan.error.contains("page 3 is image_only"))
    let body = try await workspace.run("documents", "show", "scans.pdf", "--page", "2", "--json").object()
    #expect(body["page_label"] as? String == "ii")
    let missing = await workspace.run("documents", "show", "scans.pdf", "--page", "6")
    #expect(missing.exitCode != 0)
    #expect(missing.error.contains("has no page 6"))
  }

  private func state(_ page: Int, _ coverage: PageCoverage = .text, _ reason: String? = nil, label: String? = nil)
    -> PageState
  {
    PageState(page: page, label: label, coverage: coverage, reason: reason)
  }

  @Test func pagesOfOneStateShareALine_andNumbersInReasonsBecomeSpans() {
    let pages =
      (1...4).map { state($0) } + [5, 6].map { state($0, .imageOnly, "images cover 9\($0)% of the page") }
      + [state(7), state(8, .garbled, "12% letters"), state(9, .imageOnly, "images cover 91% of the page")]
    #expect(
      PageLedgerText.lines(pages) == [
        "pages 1–4, 7: text", "pages 5–6, 9: image_only – images cover 91–96% of the page",
        "page 8: garbled – 12% letters",
      ])
  }

  @Test func printedNumbersStandBesideThePages() {
    let pages = [state(1, label: "i"), state(2, label: "ii"), state(3), state(4, label: "2")]
    #expect(PageLedgerText.lines(pages) == ["pages 1–2, 3, 4 (printed i–ii, 2): text"])
    #expect(PageLedgerText.lines([]).isEmpty)
  }
}
