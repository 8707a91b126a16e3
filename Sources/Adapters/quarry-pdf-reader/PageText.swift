import CPoppler
import Glibc

/// A page's text in Poppler's reading order, and the area by which Poppler gives boxes and fonts for the same text.
///
/// Poppler takes a page's text as a selection from the area's first corner to its second. Where lines run from right
/// to left, the selection from top left to bottom right leaves out words or all of them; the one from top right does
/// not. So pages with such scripts, and pages without any text, are asked both ways, and the longer text is taken.
struct PageText {
  /// The text, without the direction marks that Poppler puts around right-to-left parts and counts nowhere else.
  private(set) var scalars: [Unicode.Scalar]
  /// nil if the text is whole only as a selection of lines, for which Poppler tells no boxes.
  private(set) var area: PopplerRectangle?

  /// Nil when the text is longer than `limit` scalars.
  init?(of page: OpaquePointer, width: Double, height: Double, limit: Int) {
    let fromLeft = PopplerRectangle(x1: 0, y1: 0, x2: width, y2: height)
    guard let text = selection(page, POPPLER_SELECTION_GLYPH, fromLeft, limit) else {
      return nil
    }
    scalars = text
    area = fromLeft
    guard text.isEmpty || text.contains(where: isRightToLeft) else { return }
    let fromRight = PopplerRectangle(x1: width, y1: 0, x2: 0, y2: height)
    guard let mirrored = selection(page, POPPLER_SELECTION_GLYPH, fromRight, limit),
      let lines = selection(page, POPPLER_SELECTION_LINE, fromLeft, limit)
    else { return nil }
    if mirrored.count > scalars.count {
      scalars = mirrored
      area = fromRight
    }
    if lines.count > scalars.count {
      scalars = lines
      area = nil
    }
  }
}

private func selection(
  _ page: OpaquePointer, _ style: PopplerSelectionStyle, _ area: PopplerRectangle, _ limit: Int
) -> [Unicode.Scalar]? {
  var area = area
  guard let raw = poppler_page_get_selected_text(page, style, &area) else { return [] }
  defer { g_free(raw) }
  // A scalar is at most four bytes, so a longer text breaks the limit before it is decoded.
  guard strlen(raw) <= 4 * limit else { return nil }
  let scalars = String(cString: raw).unicodeScalars.filter { !(0x202A...0x202E).contains($0.value) }
  return scalars.count <= limit ? Array(scalars) : nil
}

/// Whether a scalar belongs to a script written from right to left: the blocks that Unicode sets aside for them
/// (Hebrew to Arabic Extended-A, the presentation forms, and U+10800–10FFF, U+1E800–1EFFF).
private func isRightToLeft(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0..<0x590: false
  case 0x590...0x8FF, 0xFB1D...0xFDFF, 0xFE70...0xFEFF, 0x10800...0x10FFF, 0x1E800...0x1EFFF: true
  default: false
  }
}
