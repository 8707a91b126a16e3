import Core
import Foundation
import Ingestion
import PDFReading
import Testing

/// The quotes of the shared library's questions are found on the pages that the reader and hygiene make of the
/// real documents, in reading order, with boxes; skipped where the shared library is not there.
@Suite(.enabled(if: sharedLibrary != nil, "../shared/library is not here (set QUARRY_SHARED)"))
struct QuoteGateTests {
  private struct Question: Decodable {
    struct Evidence: Decodable {
      var document: String
      var page: Int
      var quote: String?
    }
    var id: String
    var answerable: Bool
    var evidence: [Evidence]?
  }

  /// Scalars of `text` without white space and hyphens, in NFKC, with the index each came from.
  private func folded(_ text: String) -> [(scalar: Unicode.Scalar, index: Int)] {
    text.unicodeScalars.enumerated().flatMap { index, scalar -> [(scalar: Unicode.Scalar, index: Int)] in
      guard !scalar.properties.isWhitespace, scalar.properties.generalCategory != .dashPunctuation,
        scalar != "\u{00AD}"
      else { return [] }
      return String(Character(scalar)).precomposedStringWithCompatibilityMapping.unicodeScalars.map { ($0, index) }
    }
  }

  private func find(_ quote: String, in text: String) -> Range<Int>? {
    let needle = folded(quote).map(\.scalar)
    let hay = folded(text)
    guard !needle.isEmpty, hay.count >= needle.count else { return nil }
    for start in 0...(hay.count - needle.count)
    where hay[start].scalar == needle[0] && (0..<needle.count).allSatisfy({ hay[start + $0].scalar == needle[$0] }) {
      return hay[start].index..<hay[start + needle.count - 1].index + 1
    }
    return nil
  }

  @Test func all55QuotesAreOnTheirPagesWithBoxes() async throws {
    let library = try #require(sharedLibrary)
    let lines = try String(contentsOf: library.appendingPathComponent("questions.jsonl"), encoding: .utf8)
      .split(separator: "\n")
    let questions = try lines.map { try JSONDecoder().decode(Question.self, from: Data($0.utf8)) }
      .filter { $0.id.hasPrefix("A") && $0.answerable }
    var wanted: [String: [(id: String, page: Int, quote: String)]] = [:]
    for question in questions {
      for evidence in question.evidence ?? [] {
        guard let quote = evidence.quote else { continue }
        wanted[evidence.document, default: []].append((question.id, evidence.page, quote))
      }
    }
    #expect(wanted.values.joined().count == 55)
    for (document, quotes) in wanted {
      // Manuals of hundreds of pages are read as far as the test looks.
      let pages = try await pages(of: document, upTo: (quotes.map(\.page).max() ?? 0) + 10)
      for quote in quotes { check(quote, on: pages[quote.page - 1]) }
    }
  }

  private func pages(of document: String, upTo last: Int) async throws -> [Page] {
    let path = try #require(sharedLibrary).appendingPathComponent("pdfs/\(document)").path
    let reader = PDFPageReader(configuration: configuration(), popplerVersion: "test")
    let reading = try await reader.open(path: path, name: document, passwords: [])
    var extracted: [ExtractedPage] = []
    for try await page in reading.pages {
      extracted.append(page)
      if page.number == last { break }
    }
    return PageHygiene().pages(from: extracted, outline: reading.document.outline)
  }

  private func check(_ wanted: (id: String, page: Int, quote: String), on page: Page) {
    guard let range = find(wanted.quote, in: page.text) else {
      Issue.record("\(wanted.id): “\(wanted.quote)” is not on page \(wanted.page)")
      return
    }
    let scalars = Array(page.text.unicodeScalars)
    #expect(page.boxes.count == scalars.count)
    var previous: Box?
    var backward = 0
    for index in range where !scalars[index].properties.isWhitespace {
      guard let box = page.boxes[index] else {
        Issue.record("\(wanted.id): no box for “\(scalars[index])” at \(index)")
        return
      }
      #expect(box.left >= -1 && box.right <= page.size.width + 1 && box.width < 60 && box.height < 60)
      #expect(box.top >= -1 && box.bottom <= page.size.height + 1)
      if let last = previous, box.midY < last.midY - last.height, box.midX <= last.midX { backward += 1 }
      previous = box
    }
    // Text may go up only at the top of a next column, which is to the right.
    #expect(backward == 0, "\(wanted.id): the boxes are not in reading order")
  }

  @Test func noPageOfTheReadableDocumentsIsCalledGarbled() async throws {
    for name in ["zsh-5.9-manual", "nics-checks-2015-11", "irs-i1040nr-2007", "lebour-breccia-1884", "geotopo"] {
      for page in try await pages(of: "\(name).pdf", upTo: 30) {
        #expect(page.coverage != .garbled, "\(name) p. \(page.number): \(page.coverageReason ?? "")")
      }
    }
  }
}
