/// Scalars of one page set in one font.
public struct FontRunMessage: Equatable, Sendable {
  /// Index of the first scalar.
  public var start: UInt32
  /// Number of scalars, at least 1.
  public var count: UInt32
  /// Index in ``PageMessage/fonts``.
  public var font: UInt16
  /// Size in points.
  public var size: Float

  /// A run of `count` scalars.
  public init(start: UInt32, count: UInt32, font: UInt16, size: Float) {
    self.start = start
    self.count = count
    self.font = font
    self.size = size
  }
}

/// A font of a page, its style told from its name (a PDF's font flags are not reported by the text extraction).
public struct FontMessage: Equatable, Sendable {
  /// PostScript name without the subset prefix; may be empty.
  public var name: String
  /// Bold, black, heavy.
  public var isBold: Bool
  /// Italic, oblique, slanted.
  public var isItalic: Bool
  /// All characters of one width.
  public var isMonospaced: Bool

  /// A font and its style.
  public init(name: String, isBold: Bool, isItalic: Bool, isMonospaced: Bool) {
    self.name = name
    self.isBold = isBold
    self.isItalic = isItalic
    self.isMonospaced = isMonospaced
  }
}

/// One page's text and where it stands.
///
/// Coordinates are points (1/72 inch) of the page as it is displayed: cropped to its crop box, its rotation applied,
/// from the top left corner, y downwards. Text is in Poppler's reading order (`poppler_page_get_text`).
public struct PageMessage: Equatable, Sendable {
  /// 0-based index in the page tree.
  public var index: UInt32
  /// The printed page number, where the document defines one.
  public var label: String?
  /// Displayed width in points.
  public var width: Float
  /// Displayed height in points.
  public var height: Float
  /// The page's text.
  public var text: [Unicode.Scalar]
  /// Left, top, right, bottom of each scalar's box in turn, in ``boxUnit``: 4 × `text.count` values, or none at all if
  /// the extraction gave no box for each scalar. Four zeros: this scalar has no box (a line's end).
  public var boxes: [UInt16]
  /// Points in one unit of ``boxes``: 0.1 unless the page is larger than that can reach.
  public var boxUnit: Float
  /// The fonts that ``runs`` refers to.
  public var fonts: [FontMessage]
  /// Which font each part of the text has; ascending, not overlapping.
  public var runs: [FontRunMessage]
  /// Share of the page's area that images cover, 0–1; overlaps count twice, bounded by 1. nil if not measured (pages
  /// with enough text).
  public var imageArea: Float?

  /// The default of ``boxUnit``.
  public static let defaultBoxUnit: Float = 0.1

  /// A page; the arrays must agree as their comments say.
  public init(
    index: UInt32, label: String?, width: Float, height: Float, text: [Unicode.Scalar], boxes: [UInt16],
    boxUnit: Float, fonts: [FontMessage], runs: [FontRunMessage], imageArea: Float?
  ) {
    self.index = index
    self.label = label
    self.width = width
    self.height = height
    self.text = text
    self.boxes = boxes
    self.boxUnit = boxUnit
    self.fonts = fonts
    self.runs = runs
    self.imageArea = imageArea
  }

  func write(to out: inout ByteWriter) {
    out.write(index)
    out.write(optional: label) { $0.write($1) }
    out.write(width)
    out.write(height)
    out.write(array: text.map(\.value))
    out.write(array: boxes)
    out.write(boxUnit)
    out.write(UInt32(clamping: fonts.count))
    for font in fonts {
      out.write(font.name)
      out.write(font.isBold)
      out.write(font.isItalic)
      out.write(font.isMonospaced)
    }
    out.write(UInt32(clamping: runs.count))
    for run in runs {
      out.write(run.start)
      out.write(run.count)
      out.write(run.font)
      out.write(run.size)
    }
    out.write(optional: imageArea) { $0.write($1) }
  }

  init(from input: inout ByteReader) throws(PipeError) {
    index = try input.read()
    label = try input.readOptional("label") { (input: inout ByteReader) throws(PipeError) in
      try input.readString("label")
    }
    width = try input.readFloat("width")
    height = try input.readFloat("height")
    guard width >= 0, height >= 0 else { throw .invalid("page size") }
    let values = try input.readArray(of: UInt32.self)
    text = []
    text.reserveCapacity(values.count)
    for value in values {
      guard let scalar = Unicode.Scalar(value) else { throw .invalid("text") }
      text.append(scalar)
    }
    boxes = try input.readArray(of: UInt16.self)
    guard boxes.isEmpty || boxes.count == 4 * text.count else { throw .invalid("boxes") }
    for index in stride(from: 0, to: boxes.count, by: 4) {
      guard boxes[index] <= boxes[index + 2], boxes[index + 1] <= boxes[index + 3] else { throw .invalid("boxes") }
    }
    boxUnit = try input.readFloat("boxUnit")
    guard boxUnit > 0 else { throw .invalid("boxUnit") }
    let fontCount = try input.readCount(elementSize: 7)
    fonts = []
    fonts.reserveCapacity(fontCount)
    for _ in 0..<fontCount {
      fonts.append(
        FontMessage(
          name: try input.readString("font name"), isBold: try input.readBool("font style"),
          isItalic: try input.readBool("font style"), isMonospaced: try input.readBool("font style")))
    }
    let runCount = try input.readCount(elementSize: 14)
    runs = []
    runs.reserveCapacity(runCount)
    var end = 0
    for _ in 0..<runCount {
      let run = FontRunMessage(
        start: try input.read(), count: try input.read(), font: try input.read(), size: try input.readFloat("font size")
      )
      guard Int(run.start) >= end, run.count > 0, Int(run.start) + Int(run.count) <= text.count,
        Int(run.font) < fontCount
      else { throw .invalid("font run") }
      end = Int(run.start) + Int(run.count)
      runs.append(run)
    }
    imageArea = try input.readOptional("imageArea") { (input: inout ByteReader) throws(PipeError) in
      try input.readFloat("imageArea")
    }
    if let imageArea, !(0...1).contains(imageArea) { throw .invalid("imageArea") }
  }
}
