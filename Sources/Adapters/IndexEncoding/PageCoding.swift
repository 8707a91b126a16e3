package import Core

/// Glyph boxes and blocks of a page as bytes.
///
/// Boxes are quantised to eighths of a point (an error of at most 1/16 point, 0.02 mm) and written as differences to
/// the glyph before: on one line usually two bytes, the gap and the width.
package enum PageCoding {
  /// Units a point.
  private static let scale: Float = 8
  private static let limit: Float = 1_000_000

  private struct Edges: Equatable {
    var left = 0
    var top = 0
    var right = 0
    var bottom = 0
  }

  /// Each scalar is 0 for no box; 1 + 2·gap for one on the line of the last box, followed by its width; 2 + 2·gap
  /// for one elsewhere, followed by width, top and height, each less the last box's.
  package static func encode(_ boxes: [Box?]) -> [UInt8] {
    var writer = ByteWriter()
    var last = Edges()
    writer.write(boxes.count)
    for box in boxes {
      guard let box else {
        writer.write(0)
        continue
      }
      let edges = Edges(left: units(box.left), top: units(box.top), right: units(box.right), bottom: units(box.bottom))
      let isSameLine = edges.top == last.top && edges.bottom == last.bottom
      writer.write((isSameLine ? 1 : 2) + 2 * ByteWriter.zigzag(edges.left - last.right))
      writer.write(ByteWriter.zigzag(edges.right - edges.left))
      if !isSameLine {
        writer.write(ByteWriter.zigzag(edges.top - last.top))
        writer.write(ByteWriter.zigzag(edges.bottom - edges.top))
      }
      last = edges
    }
    return writer.bytes
  }

  /// The boxes; nil when the bytes are no such encoding.
  package static func boxes(_ bytes: UnsafeRawBufferPointer) -> [Box?]? {
    var reader = ByteReader(bytes)
    // Every scalar takes at least a byte, so a damaged count cannot ask for more memory than the blob has bytes.
    guard let count = reader.readInt(atMost: bytes.count) else { return nil }
    var boxes: [Box?] = []
    boxes.reserveCapacity(count)
    var last = Edges()
    for _ in 0..<count {
      guard let tag = reader.read(), tag < 1 << 42 else { return nil }
      if tag == 0 {
        boxes.append(nil)
        continue
      }
      let isSameLine = tag & 1 == 1
      guard let width = reader.readSigned() else { return nil }
      last.left = last.right &+ ByteWriter.unzigzag((tag - (isSameLine ? 1 : 2)) / 2)
      last.right = last.left &+ width
      if !isSameLine {
        guard let top = reader.readSigned(), let height = reader.readSigned() else { return nil }
        last.top = last.top &+ top
        last.bottom = last.top &+ height
      }
      boxes.append(
        Box(
          left: Float(last.left) / scale, top: Float(last.top) / scale, right: Float(last.right) / scale,
          bottom: Float(last.bottom) / scale))
    }
    return reader.isAtEnd ? boxes : nil
  }

  private static func units(_ points: Float) -> Int {
    points.isFinite ? Int((min(max(points, -limit), limit) * scale).rounded()) : 0
  }

  /// Each block is its kind (with the flag of going on in the lowest bit), its start and its length.
  package static func encode(_ blocks: [TextBlock]) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(blocks.count)
    for block in blocks {
      writer.write(code(of: block.kind) << 1 | (block.continuesOnNextPage ? 1 : 0))
      writer.write(block.range.lowerBound)
      writer.write(block.range.count)
    }
    return writer.bytes
  }

  /// The blocks; nil when the bytes are no such encoding.
  package static func blocks(_ bytes: UnsafeRawBufferPointer) -> [TextBlock]? {
    var reader = ByteReader(bytes)
    guard let count = reader.readInt(atMost: bytes.count) else { return nil }
    var blocks: [TextBlock] = []
    for _ in 0..<count {
      guard let tag = reader.readInt(atMost: 1 << 20), let kind = kind(of: tag >> 1), let start = reader.readInt(),
        let length = reader.readInt()
      else { return nil }
      blocks.append(TextBlock(range: start..<start + length, kind: kind, continuesOnNextPage: tag & 1 == 1))
    }
    return reader.isAtEnd ? blocks : nil
  }

  private static func code(of kind: TextBlock.Kind) -> Int {
    switch kind {
    case .paragraph: 0
    case .listItem: 1
    case .table: 2
    case .preformatted: 3
    case .footnote: 4
    case .aside: 5
    case .contents: 6
    case .heading(let level): 16 + min(max(0, level), 1_000)
    }
  }

  private static func kind(of code: Int) -> TextBlock.Kind? {
    switch code {
    case 0: .paragraph
    case 1: .listItem
    case 2: .table
    case 3: .preformatted
    case 4: .footnote
    case 5: .aside
    case 6: .contents
    case 16...1_016: .heading(level: code - 16)
    default: nil
    }
  }
}
