import Core

/// Sets text on a page as a typesetter would, for tests of hygiene: 10-point type, glyphs 5 points wide.
struct PrintedPage {
  private var scalars: [Unicode.Scalar] = []
  private var boxes: [Box?] = []
  private var fonts: [FontRun] = []
  let number: Int
  var imageCoverage: Float = 0
  static let size = PageSize(width: 600, height: 800)

  init(_ number: Int = 1) { self.number = number }

  /// Prints one line with its left end at `x` and its top at `y`, points.
  mutating func print(
    _ text: String, x: Float, y: Float, size: Float = 10, bold: Bool = false, mono: Bool = false, font: String = "Serif"
  ) {
    let start = scalars.count
    var left = x
    for scalar in text.unicodeScalars {
      let width = size * 0.5
      scalars.append(scalar)
      boxes.append(
        scalar == " " ? nil : Box(left: left, top: y, right: left + width, bottom: y + size))
      left += width
    }
    scalars.append("\n")
    boxes.append(nil)
    fonts.append(
      FontRun(range: start..<scalars.count, name: font, size: size, isBold: bold, isMonospaced: mono))
  }

  /// Prints lines below each other, 12 points apart.
  mutating func print(_ lines: [String], x: Float, y: Float, size: Float = 10, mono: Bool = false) {
    for (index, line) in lines.enumerated() {
      print(line, x: x, y: y + Float(index) * 1.2 * size, size: size, mono: mono)
    }
  }

  /// Prints text that reads upwards, as stamps in the margin do.
  mutating func printUpwards(_ text: String, x: Float, y: Float) {
    let start = scalars.count
    var bottom = y
    for scalar in text.unicodeScalars {
      scalars.append(scalar)
      boxes.append(scalar == " " ? nil : Box(left: x, top: bottom - 5, right: x + 10, bottom: bottom))
      bottom -= 5
    }
    scalars.append("\n")
    boxes.append(nil)
    fonts.append(FontRun(range: start..<scalars.count, name: "Serif", size: 10))
  }

  /// Prints glyphs 5 points wide in this order, each with its left end where it says: how an extractor hands out
  /// text that does not run from left to right.
  mutating func print(glyphs: [(scalar: Unicode.Scalar, x: Float?)], y: Float) {
    let start = scalars.count
    for glyph in glyphs {
      scalars.append(glyph.scalar)
      boxes.append(glyph.x.map { Box(left: $0, top: y, right: $0 + 5, bottom: y + 10) })
    }
    scalars.append("\n")
    boxes.append(nil)
    fonts.append(FontRun(range: start..<scalars.count, name: "Serif", size: 10))
  }

  /// Widens the box of the last glyph `scalar` printed, to `factor` of its width.
  mutating func widenLast(_ scalar: Unicode.Scalar, by factor: Float) {
    guard let index = scalars.lastIndex(of: scalar), let box = boxes[index] else { return }
    boxes[index]?.right = box.left + box.width * factor
  }

  var extracted: ExtractedPage {
    ExtractedPage(
      number: number, size: Self.size, scalars: scalars, boxes: boxes, fonts: fonts, imageCoverage: imageCoverage)
  }
}

extension Page {
  /// The texts of the blocks of a kind.
  func texts(_ kind: TextBlock.Kind) -> [String] {
    let scalars = Array(text.unicodeScalars)
    return blocks.filter { $0.kind == kind }.map { block in
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[block.range])
      return String(view)
    }
  }
}
