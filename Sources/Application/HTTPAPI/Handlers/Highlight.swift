import Answering
package import Core

/// The boxes that mark a place on a page.
package enum Highlight {
  /// What is to be marked.
  enum Place: Sendable, Hashable {
    /// The first place of these words.
    case quote(String)
    /// A half-open range of Unicode scalars of the page's text.
    case range(Range<Int>)
  }

  /// One box for each line of `place`.
  /// - Throws: `page.quote_not_found`, `request.out_of_range`.
  static func boxes(of place: Place, on page: Page) throws(HTTPAPIError) -> [Box] {
    switch place {
    case .range(let range):
      guard range.upperBound <= page.boxes.count else {
        throw HTTPAPIError(
          code: "request.out_of_range", category: .invalidInput,
          message: "page \(page.number) has \(page.boxes.count) characters; 'end' is \(range.upperBound)",
          remedy: "Use start and end of a citation of this version.", field: "end")
      }
      return lines(page.boxes[range].compactMap(\.self))
    case .quote(let quote):
      let whole = PageRange(page: page.number, range: 0..<page.boxes.count)
      guard let found = CitationVerifier.locate(quote, in: [whole], pages: [page.number: page])?.pages.first else {
        throw HTTPAPIError(
          code: "page.quote_not_found", category: .notFound, message: "page \(page.number) does not have that quote",
          remedy: "Use the quote of a citation, or start and end.", field: "quote")
      }
      return lines(page.boxes[found.range].compactMap(\.self))
    }
  }

  /// Joins the boxes of neighbours into one a line: a box that lies beside the one before it, at the same height,
  /// goes on in its line; one that begins elsewhere begins another.
  package static func lines(_ boxes: [Box]) -> [Box] {
    var lines: [Box] = []
    for box in boxes {
      guard let line = lines.last, isSameLine(line, box) else {
        lines.append(box)
        continue
      }
      lines[lines.count - 1] = line.union(box)
    }
    return lines
  }

  private static func isSameLine(_ line: Box, _ box: Box) -> Bool {
    let height = max(line.height, box.height)
    let overlap = min(line.bottom, box.bottom) - max(line.top, box.top)
    // A gap wider than three line heights is another column, not a space between words.
    return overlap > 0.5 * min(line.height, box.height) && box.left - line.right < 3 * height
      && line.left - box.right < 3 * height
  }
}
