/// What a reader says of a whole PDF before its pages.
public struct ExtractedDocument: Sendable, Hashable {
  /// Pages of the page tree: as many pages must follow, or the document is incomplete.
  public var pageCount: Int
  /// Title, author and dates as the file states them.
  public var metadata: DocumentMetadata
  /// Bookmarks in reading order.
  public var outline: [OutlineEntry]
  /// Why the file is known to have lost something although its pages can be read (its end is missing), in one
  /// sentence; nil when nothing points to that. A document with damage is incomplete.
  public var damage: String?

  /// Creates the description.
  public init(pageCount: Int, metadata: DocumentMetadata, outline: [OutlineEntry], damage: String? = nil) {
    self.pageCount = pageCount
    self.metadata = metadata
    self.outline = outline
    self.damage = damage
  }
}

/// One bookmark of a PDF's outline.
public struct OutlineEntry: Sendable, Hashable, Codable {
  /// Depth, 1 for the top.
  public var level: Int
  /// Its text.
  public var title: String
  /// 1-based PDF page it points to; nil when it points nowhere.
  public var page: Int?
  /// Distance from the top of that page in points; nil when the destination names none.
  public var top: Float?

  /// Creates an entry.
  public init(level: Int, title: String, page: Int?, top: Float? = nil) {
    self.level = level
    self.title = title
    self.page = page
    self.top = top
  }
}

/// A page as the reader found it, before hygiene: the extractor's text with geometry and fonts.
public struct ExtractedPage: Sendable, Hashable {
  /// 1-based PDF page index.
  public var number: Int
  /// The printed page number or label, such as `iv`; nil when it equals the index or the file has none.
  public var label: String?
  /// Size as displayed.
  public var size: PageSize
  /// The text in the extractor's order, one element a Unicode scalar.
  public var scalars: [Unicode.Scalar]
  /// One box for each scalar, or nil where it has none (line ends, inserted spaces).
  public var boxes: [Box?]
  /// Font runs that cover `scalars` in order without overlap.
  public var fonts: [FontRun]
  /// The part of the page's area that images cover, 0 to 1.
  public var imageCoverage: Float
  /// Problems the extractor met on this page.
  public var warnings: [String]

  /// Creates a page; `boxes` has as many elements as `scalars`.
  public init(
    number: Int, label: String? = nil, size: PageSize, scalars: [Unicode.Scalar], boxes: [Box?],
    fonts: [FontRun] = [], imageCoverage: Float = 0, warnings: [String] = []
  ) {
    precondition(boxes.count == scalars.count, "one box or nil for each scalar")
    self.number = number
    self.label = label
    self.size = size
    self.scalars = scalars
    self.boxes = boxes
    self.fonts = fonts
    self.imageCoverage = imageCoverage
    self.warnings = warnings
  }
}

/// A run of text in one font.
public struct FontRun: Sendable, Hashable {
  /// Half-open range of scalars of the page.
  public var range: Range<Int>
  /// The font's name as embedded, subset prefix removed; empty when unknown.
  public var name: String
  /// Size in points.
  public var size: Float
  /// Whether the name or flags say bold.
  public var isBold: Bool
  /// Whether the name or flags say italic.
  public var isItalic: Bool
  /// Whether the font has one width for all glyphs.
  public var isMonospaced: Bool

  /// Creates a run.
  public init(
    range: Range<Int>, name: String, size: Float, isBold: Bool = false, isItalic: Bool = false,
    isMonospaced: Bool = false
  ) {
    self.range = range
    self.name = name
    self.size = size
    self.isBold = isBold
    self.isItalic = isItalic
    self.isMonospaced = isMonospaced
  }
}
