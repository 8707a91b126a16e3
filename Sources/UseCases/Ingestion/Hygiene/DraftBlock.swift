import Core

/// A block being built from lines.
struct DraftBlock {
  var kind: TextBlock.Kind
  var scalars: [Unicode.Scalar] = []
  var boxes: [Box?] = []
  /// Whether its first line is indented against its column.
  var startsIndented = false
  /// Whether its last line fills its column.
  var endsFull = false
  /// The font size of its first line.
  var size: Float

  init(kind: TextBlock.Kind, size: Float) {
    self.kind = kind
    self.size = size
  }

  /// Appends a line of running text: cells become words, words broken at the line end are joined.
  mutating func append(text line: TextLine, joining: Hyphenation?) {
    if !scalars.isEmpty {
      switch joining?.join(scalars, line.scalars) ?? .space {
      case .space: appendBreak(" ")
      case .nothing: break
      case .dropHyphen:
        scalars.removeLast()
        boxes.removeLast()
      }
    }
    for (scalar, box) in zip(line.scalars, line.boxes) {
      // A soft hyphen inside a line is invisible.
      if scalar == "\u{00AD}", joining?.rules.contains(.hyphenation) == true, scalars.count > 0, box != nil,
        scalar != line.scalars.last
      {
        continue
      }
      scalars.append(scalar == "\t" ? " " : scalar)
      boxes.append(box)
    }
  }

  /// Appends a line whose end matters, after `indent` spaces.
  mutating func append(row line: TextLine, indent: Int = 0) {
    if !scalars.isEmpty { appendBreak("\n") }
    for _ in 0..<indent { appendBreak(" ") }
    scalars += line.scalars
    boxes += line.boxes
  }

  /// Appends a whole block of running text that goes on from this one.
  mutating func append(_ other: DraftBlock, joining: Hyphenation?) {
    var line = TextLine(continuing: other)
    line.scalars = other.scalars
    line.boxes = other.boxes
    append(text: line, joining: joining)
    endsFull = other.endsFull
  }

  private mutating func appendBreak(_ scalar: Unicode.Scalar) {
    scalars.append(scalar)
    boxes.append(nil)
  }

  /// Whether the block's text goes on in `next`: it ended in mid-sentence with a full line or a hyphen, and
  /// `next` begins without indent, or with a lower-case letter.
  func goesOn(in next: DraftBlock) -> Bool {
    guard kind == .paragraph || kind == .listItem, next.kind == .paragraph, abs(size - next.size) < 0.12 * size,
      let last = scalars.last, let first = next.scalars.first, !LineMarks.endsSentence(scalars)
    else { return false }
    if first.properties.isLowercase || last == "-" || last == "\u{00AD}" || last == "," { return true }
    return endsFull && !next.startsIndented && kind == .paragraph
  }
}

extension TextLine {
  /// An empty line in the style of a block.
  init(continuing block: DraftBlock) {
    scalars = []
    boxes = []
    box = Box(left: 0, top: 0, right: 0, bottom: 0)
    size = block.size
    largestSize = block.size
    bold = 0
    monospaced = 0
    startsBold = false
  }
}
