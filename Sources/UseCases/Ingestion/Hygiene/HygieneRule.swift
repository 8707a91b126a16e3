/// The rules of page hygiene by name. Each is a type of its own; tests switch single rules off to see what fails.
public enum HygieneRule: String, Sendable, CaseIterable {
  /// Control characters, presentation forms, soft hyphens, zero-width and private-use characters.
  case characterRepair
  /// Ligatures that extraction reduced to one letter.
  case ligatureRecovery
  /// Text that runs up, down or upside down is set apart.
  case rotatedText
  /// Letters written from right to left get their own boxes; columns and paragraphs of such pages begin at the right.
  case rightToLeft
  /// Lines of scripts without spaces are joined without one.
  case unspacedScripts
  /// Columns of Chinese or Japanese from top to bottom are read as lines.
  case verticalText
  /// Line numbers are removed, side notes set apart.
  case marginText
  /// Columns are read one after the other.
  case columnOrder
  /// Repeated headers, footers, page numbers and watermarks are removed.
  case runningLines
  /// Words broken at line ends are joined.
  case hyphenation
  /// Headings by size, weight and outline.
  case headings
  /// Paragraphs by gap and indent, joined across columns and pages.
  case paragraphs
  /// Table rows keep their cells and lines.
  case tableRows
  /// Lines of program text keep their ends and indents.
  case preformatted
  /// Items of lists.
  case lists
  /// Footnotes by size, place and mark.
  case footnotes
  /// Contents and index lines are marked low value.
  case contents
}
