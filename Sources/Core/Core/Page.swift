/// How much of a page could be read.
public enum PageCoverage: String, Sendable, Codable, CaseIterable, CodingKeyRepresentable {
  /// It has readable text.
  case text
  /// It has nothing on it.
  case empty
  /// It shows images but has no text: a scan.
  case imageOnly = "image_only"
  /// It has text that cannot be made sense of (fonts without a Unicode mapping and the like).
  case garbled
  /// The reader did not deliver it.
  case missing

  /// Whether a reader would find something on the page that Quarry does not see.
  public var isUnreadable: Bool { self == .imageOnly || self == .garbled || self == .missing }
}

/// How one page could be read: a line of a document's ledger.
public struct PageState: Sendable, Hashable {
  /// 1-based PDF page index.
  public var page: Int
  /// The printed page number or label; nil when it equals the index or there is none.
  public var label: String?
  /// How much could be read.
  public var coverage: PageCoverage
  /// Why the coverage is not `text`; nil when it is.
  public var reason: String?
  /// Set when the text was read from the page's image.
  public var recognition: TextRecognition?

  /// Creates a state.
  public init(
    page: Int, label: String?, coverage: PageCoverage, reason: String?, recognition: TextRecognition? = nil
  ) {
    self.page = page
    self.label = label
    self.coverage = coverage
    self.reason = reason
    self.recognition = recognition
  }
}

/// A page of a document: cleaned text, in reading order, with the place of every scalar.
public struct Page: Sendable, Hashable {
  /// 1-based PDF page index.
  public var number: Int
  /// The printed page number or label; nil when it equals the index or there is none.
  public var label: String?
  /// Size as displayed.
  public var size: PageSize
  /// The cleaned text. All coordinates are half-open ranges of its Unicode scalars.
  public var text: String
  /// One box for each scalar of `text`, or nil where it has none.
  public var boxes: [Box?]
  /// What the parts of `text` are, in order, without overlap.
  public var blocks: [TextBlock]
  /// How much of the page could be read.
  public var coverage: PageCoverage
  /// Why the coverage is not `text`; nil when it is.
  public var coverageReason: String?
  /// Set when the text was read from the page's image; nil when it stands in the file.
  public var recognition: TextRecognition?

  /// Creates a page; `boxes` has as many elements as `text` has Unicode scalars.
  public init(
    number: Int, label: String? = nil, size: PageSize, text: String, boxes: [Box?], blocks: [TextBlock],
    coverage: PageCoverage, coverageReason: String? = nil, recognition: TextRecognition? = nil
  ) {
    self.number = number
    self.label = label
    self.size = size
    self.text = text
    self.boxes = boxes
    self.blocks = blocks
    self.coverage = coverage
    self.coverageReason = coverageReason
    self.recognition = recognition
  }
}

/// A part of a page's text, such as a heading or a paragraph.
public struct TextBlock: Sendable, Hashable, Codable {
  /// What a block is.
  public enum Kind: Sendable, Hashable, Codable {
    /// A heading; level 1 is the highest.
    case heading(level: Int)
    /// Running text.
    case paragraph
    /// An item of a list.
    case listItem
    /// One or more rows of a table.
    case table
    /// Program text or other text whose line ends matter.
    case preformatted
    /// A footnote.
    case footnote
    /// Captions, margin text and the like.
    case aside
    /// Lines of a table of contents or index: low value, not lost.
    case contents
  }

  /// Half-open range of Unicode scalars of the page's text.
  public var range: Range<Int>
  /// What it is.
  public var kind: Kind
  /// Whether the block goes on in the first text block of the next page (a paragraph across pages).
  public var continuesOnNextPage: Bool

  /// Creates a block.
  public init(range: Range<Int>, kind: Kind, continuesOnNextPage: Bool = false) {
    self.range = range
    self.kind = kind
    self.continuesOnNextPage = continuesOnNextPage
  }
}

/// A range of a page's text: how chunks and citations say where they stand.
public struct PageRange: Sendable, Hashable, Codable {
  /// 1-based PDF page index.
  public var page: Int
  /// The printed page number or label; nil when it equals the index or there is none.
  public var label: String?
  /// Half-open range of Unicode scalars of the page's cleaned text.
  public var range: Range<Int>

  /// Creates a page range.
  public init(page: Int, label: String? = nil, range: Range<Int>) {
    self.page = page
    self.label = label
    self.range = range
  }
}
