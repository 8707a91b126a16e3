import Core
import Cryptography
import IndexEncoding

/// SHA-256 over everything of an extraction: every field with its length before it, so that no two extractions run
/// together to the same bytes.
final class TextDigest {
  private var hash = SHA256()

  /// Begins with what is said of the document as a whole; `outline` as the tables keep it.
  init(version: String, pipeline: String, pageCount: Int, outline: String) {
    for text in [version, pipeline, "\(pageCount)", outline] { add(Array(text.utf8)) }
  }

  /// Adds the next page, with its blocks and boxes as the tables keep them.
  func add(_ page: Page, blocks: [UInt8], boxes: [UInt8]) {
    let label = page.label.map { "+\($0)" } ?? "-"
    let reason = page.coverageReason.map { "+\($0)" } ?? "-"
    let size = "\(page.size.width) \(page.size.height)"
    for text in ["\(page.number)", label, size, page.coverage.rawValue, reason, page.text] { add(Array(text.utf8)) }
    // Absent for text of the file, so that digests of earlier stores stay as they are.
    if let mark = page.recognition { add(Array("\(mark.recognizer) \(mark.confidence)".utf8)) }
    add(blocks)
    add(boxes)
  }

  func finalize() -> [UInt8] { Array(hash.finalize()) }

  private func add(_ bytes: [UInt8]) {
    var count = ByteWriter()
    count.write(bytes.count)
    hash.update(count.bytes)
    hash.update(bytes)
  }
}
