import Core

/// A glyph after character repair.
struct Glyph {
  var scalar: Unicode.Scalar
  var box: Box
  var size: Float
  var style: GlyphStyle
}

/// What a font looks like, in a byte: a manual has millions of glyphs.
struct GlyphStyle: OptionSet {
  let rawValue: UInt8
  static let bold = GlyphStyle(rawValue: 1)
  static let italic = GlyphStyle(rawValue: 2)
  static let monospaced = GlyphStyle(rawValue: 4)
}

/// A piece of a line: glyphs on one baseline without a wide gap, or several such pieces joined to a row.
struct TextLine {
  var scalars: [Unicode.Scalar] = []
  var boxes: [Box?] = []
  /// The box of all glyphs.
  var box: Box
  /// The font size of most glyphs, points.
  var size: Float
  /// Shares of glyphs, 0 to 1.
  var bold: Float
  var monospaced: Float
  /// The largest font size that a tenth of the glyphs have, points: small capitals are set smaller than their line.
  var largestSize: Float
  /// Whether the first word is bold.
  var startsBold: Bool
  /// Whether it reads up, down or upside down.
  var isRotated = false
  /// Whether most of its letters are written from right to left.
  var isRightToLeft = false

  /// The number of glyphs, spaces not counted.
  var glyphCount: Int { boxes.lazy.filter { $0 != nil }.count }
  var text: String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    return String(view)
  }
  var hasCells: Bool { scalars.contains("\t") }

  /// A line of glyphs in reading order; `spaces` holds the indexes of glyphs that a space comes before.
  init(glyphs: [Glyph], spaces: Set<Int>) {
    box = glyphs[0].box
    var sizes: [Float: Int] = [:]
    var bolds = 0
    var monos = 0
    var rightToLeft = 0
    scalars.reserveCapacity(glyphs.count + spaces.count)
    boxes.reserveCapacity(glyphs.count + spaces.count)
    for (index, glyph) in glyphs.enumerated() {
      if spaces.contains(index) {
        scalars.append(" ")
        boxes.append(nil)
      }
      scalars.append(glyph.scalar)
      boxes.append(glyph.box)
      box = box.union(glyph.box)
      sizes[glyph.size, default: 0] += 1
      if glyph.style.contains(.bold) { bolds += 1 }
      if glyph.style.contains(.monospaced) { monos += 1 }
      if Script.isRightToLeft(glyph.scalar) { rightToLeft += 1 }
    }
    size = sizes.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key ?? 10
    let least = max(2, glyphs.count / 10)
    largestSize = max(size, sizes.lazy.filter { $0.value >= least }.map(\.key).max() ?? size)
    bold = Float(bolds) / Float(glyphs.count)
    monospaced = Float(monos) / Float(glyphs.count)
    let firstWord = glyphs.prefix(spaces.min() ?? glyphs.count)
    startsBold = firstWord.allSatisfy { $0.style.contains(.bold) }
    isRightToLeft = rightToLeft * 2 > glyphs.count
  }

  /// Joins the pieces of one row, in reading order: a tab where the gap is wide, else a space.
  init(row pieces: [TextLine]) {
    self = pieces[0]
    guard pieces.count > 1 else { return }
    let counts = pieces.map(\.glyphCount)
    let total = Float(max(1, counts.reduce(0, +)))
    bold = zip(pieces, counts).map { $0.bold * Float($1) }.reduce(0, +) / total
    monospaced = zip(pieces, counts).map { $0.monospaced * Float($1) }.reduce(0, +) / total
    size = zip(pieces, counts).max { $0.1 < $1.1 }?.0.size ?? size
    largestSize = pieces.lazy.map(\.largestSize).max() ?? largestSize
    isRightToLeft = pieces.contains(where: \.isRightToLeft)
    for (left, right) in zip(pieces, pieces.dropFirst()) {
      let gap = max(right.box.left - left.box.right, left.box.left - right.box.right)
      let isTouching = gap < 0.12 * size
      if !isTouching {
        scalars.append(gap > 1.0 * size ? "\t" : " ")
        boxes.append(nil)
      }
      scalars += right.scalars
      boxes += right.boxes
      box = box.union(right.box)
    }
  }
}

/// Scripts, as far as layout needs them.
enum Script {
  /// Hebrew, Arabic and their neighbours.
  static func isRightToLeft(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0590...0x08FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFC: true
    default: false
    }
  }

  /// Scripts that write no spaces between words: Chinese, Japanese, Thai, Lao, Burmese, Khmer.
  static func hasNoSpaces(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x2E80...0x303F, 0x3040...0x30FF, 0x3400...0x4DBF,
      0x4E00...0x9FFF, 0xF900...0xFAFF, 0xFF00...0xFF60,
      0x20000...0x3FFFF:
      true
    default: false
    }
  }
}
