package import Core

/// The words of an image as a table of tab-separated values: the format that Tesseract calls `tsv`.
///
/// A header line, then lines of twelve columns: `level page_num block_num par_num line_num word_num left top width
/// height conf text`. Level 1 is the page, whose width and height are the image's; level 5 is a word. Places are pixels
/// from the top left; confidence is 0 to 100, or −1 where there is none. Source: Tesseract 5,
/// `TessBaseAPI::GetTSVText`, and tesseract(1).
package struct RecognizedTable {
  /// Why an output is no such table.
  package struct Malformed: Error {
    package var reason: String
  }

  package private(set) var words: [RecognizedWord] = []

  private static let header = ["level", "page_num", "block_num", "par_num", "line_num", "word_num"]
  private static let maxWords = 200_000

  package init(_ bytes: [UInt8]) throws(Malformed) {
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).makeIterator()
    guard let first = lines.next(), Self.cells(first).starts(with: Self.header) else {
      throw Malformed(reason: "its first line is not the header of Tesseract's tsv format")
    }
    var size: (width: Float, height: Float)?
    var place = (block: -1, paragraph: -1, line: -1)
    var paragraph = -1
    var line = -1
    var number = 1
    while let bytes = lines.next() {
      number += 1
      let cells = Self.cells(bytes)
      // A word may be empty, and then some versions leave its column out.
      guard cells.count == 12 || cells.count == 11, let level = Int(cells[0]) else {
        throw Malformed(reason: "line \(number) has \(cells.count) columns instead of 12")
      }
      let values = cells[1...10].compactMap { Float($0) }
      guard values.count == 10, values.allSatisfy({ $0.isFinite && abs($0) < 1e9 }) else {
        throw Malformed(reason: "line \(number) has something other than numbers in its first 11 columns")
      }
      if level == 1 {
        guard size == nil else { throw Malformed(reason: "line \(number) begins a second page") }
        guard values[7] > 0, values[8] > 0 else { throw Malformed(reason: "line \(number): the page has no size") }
        size = (values[7], values[8])
      }
      guard level == 5 else { continue }
      guard let size else { throw Malformed(reason: "line \(number) has a word before the page") }
      let current = (block: Int(values[1]), paragraph: Int(values[2]), line: Int(values[3]))
      if current.block != place.block || current.paragraph != place.paragraph {
        paragraph += 1
        line += 1
      } else if current.line != place.line {
        line += 1
      }
      place = current
      let text = cells.count == 12 ? cells[11] : ""
      guard values[9] >= 0, text.contains(where: { !$0.isWhitespace }) else { continue }
      guard words.count < Self.maxWords else { throw Malformed(reason: "it has more than \(Self.maxWords) words") }
      words.append(
        RecognizedWord(
          text: text,
          box: Box(
            left: values[5] / size.width, top: values[6] / size.height, right: (values[5] + values[7]) / size.width,
            bottom: (values[6] + values[8]) / size.height), confidence: min(1, values[9] / 100), paragraph: paragraph,
          line: line))
    }
  }

  private static func cells(_ line: ArraySlice<UInt8>) -> [String] {
    let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    return line.split(separator: UInt8(ascii: "\t"), maxSplits: 11, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
