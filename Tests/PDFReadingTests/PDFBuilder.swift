import Foundation

/// Writes small PDFs (ISO 32000-1, 7.5) object by object, well-formed or not.
struct PDFBuilder {
  private var objects: [[UInt8]] = []

  /// Adds an object and returns its number.
  @discardableResult
  mutating func add(_ body: String) -> Int {
    objects.append(Array(body.utf8))
    return objects.count
  }

  /// Adds a stream object.
  @discardableResult
  mutating func add(stream: [UInt8], dictionary: String = "") -> Int {
    objects.append(
      Array("<</Length \(stream.count) \(dictionary)>>\nstream\n".utf8) + stream + Array("\nendstream".utf8))
    return objects.count
  }

  /// The file; `root` is the catalogue's number.
  func file(root: Int) -> [UInt8] {
    var bytes = Array("%PDF-1.5\n".utf8)
    var offsets: [Int] = []
    for (index, object) in objects.enumerated() {
      offsets.append(bytes.count)
      bytes += Array("\(index + 1) 0 obj\n".utf8) + object + Array("\nendobj\n".utf8)
    }
    let table = bytes.count
    bytes += Array("xref\n0 \(objects.count + 1)\n0000000000 65535 f \n".utf8)
    for offset in offsets {
      let digits = String(offset)
      bytes += Array((String(repeating: "0", count: 10 - digits.count) + digits + " 00000 n \n").utf8)
    }
    return bytes
      + Array("trailer\n<</Root \(root) 0 R /Size \(objects.count + 1)>>\nstartxref\n\(table)\n%%EOF\n".utf8)
  }

  /// A document of one page for each content stream, in Helvetica (`/F1`) on 300 by 200 points.
  static func document(
    contents: [[UInt8]], contentDictionary: String = "", pageEntries: String = "", resources: String = "",
    catalog: String = "", repeatingContents count: Int = 1, adding extra: (inout PDFBuilder) -> Void = { _ in }
  ) -> [UInt8] {
    var builder = PDFBuilder()
    builder.add("<</Type/Catalog/Pages 2 0 R \(catalog)>>")
    let first = 4
    let kids = contents.indices.map { "\(first + 2 * $0) 0 R" }.joined(separator: " ")
    builder.add("<</Type/Pages/Kids[\(kids)]/Count \(contents.count)>>")
    builder.add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for (index, content) in contents.enumerated() {
      let stream = "\(first + 2 * index + 1) 0 R"
      let list = Array(repeating: stream, count: count).joined(separator: " ")
      builder.add(
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents[\(list)] \(pageEntries)"
          + "/Resources<</Font<</F1 3 0 R>> \(resources)>>>>")
      builder.add(stream: content, dictionary: contentDictionary)
    }
    extra(&builder)
    return builder.file(root: 1)
  }

  /// Shows each line of `text` at 12 points, from 20 points right of and 150 above the bottom left corner.
  static func content(_ text: String) -> [UInt8] {
    let lines = text.split(separator: "\n").map { "(\($0)) Tj 0 -14 Td" }
    return Array(("BT /F1 12 Tf 20 150 Td " + lines.joined(separator: " ") + " ET").utf8)
  }

  /// A page of text for each of `texts`.
  static func document(_ texts: String...) -> [UInt8] { document(contents: texts.map(content)) }
}

/// A zlib stream (RFC 1950, without the checksum, which PDF readers do not ask for) of one deflate block with fixed
/// codes (RFC 1951, 3.2.6): `pattern` of 17 bytes, then `matches` repetitions of 258 bytes. It grows 129-fold.
func flateBomb(pattern: String, matches: Int) -> [UInt8] {
  precondition(pattern.utf8.count == 17)
  var bits = BitWriter()
  bits.append(1, count: 1)  // the last block
  bits.append(1, count: 2)  // fixed codes
  for byte in pattern.utf8 { bits.append(code: 0x30 + Int(byte), count: 8) }  // literals below 144
  for _ in 0..<matches {
    bits.append(code: 0b1100_0101, count: 8)  // length 258
    bits.append(code: 8, count: 5)  // distance 17 to 24,
    bits.append(0, count: 3)  // and of these 17
  }
  bits.append(code: 0, count: 7)  // the end
  return [0x78, 0x9C] + bits.bytes
}

private struct BitWriter {
  private(set) var bytes: [UInt8] = []
  private var used = 8

  mutating func append(_ value: Int, count: Int) {
    for index in 0..<count {
      if used == 8 {
        bytes.append(0)
        used = 0
      }
      bytes[bytes.count - 1] |= UInt8(value >> index & 1) << used
      used += 1
    }
  }

  /// Huffman codes are packed from their most significant bit.
  mutating func append(code: Int, count: Int) {
    for index in (0..<count).reversed() { append(code >> index & 1, count: 1) }
  }
}
