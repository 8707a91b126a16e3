import CPoppler
import Glibc
import PDFPipe

/// What became of a page.
enum PageResult {
  case page(PageMessage)
  /// The page tree counts it, but it cannot be loaded.
  case unreadable(String)
  /// A limit ends the document.
  case refused(FailureMessage)
}

extension OpenDocument {
  /// Reads text, boxes, fonts and, if there is little text, the area of images.
  func extractPage(_ index: UInt32, imagesBelow threshold: Int) -> PageResult {
    guard let page = poppler_document_get_page(handle, Int32(index)) else {
      return .unreadable("the page tree counts this page, but it cannot be loaded")
    }
    defer { g_object_unref(UnsafeMutableRawPointer(page)) }
    var width = 0.0
    var height = 0.0
    poppler_page_get_size(page, &width, &height)
    guard width.isFinite, height.isFinite, width > 0, height > 0 else {
      return .unreadable("the page has no size")
    }
    let limit = Int(limits.maxScalarsPerPage)
    guard let text = PageText(of: page, width: width, height: height, limit: limit) else {
      return .refused(
        FailureMessage(
          .pageTextLimit, "page \(index + 1) has more than \(limit) characters", number: UInt64(index)))
    }
    let unit = boxUnit(width, height)
    let (fonts, runs) = fontRuns(of: page, text: text)
    return .page(
      PageMessage(
        index: index, label: takeText(poppler_page_get_label(page)), width: Float(width), height: Float(height),
        text: text.scalars, boxes: boxes(of: page, text: text, unit: unit), boxUnit: Float(unit), fonts: fonts,
        runs: runs,
        imageArea: text.scalars.count < threshold ? imageArea(of: page, pageArea: width * height) : nil))
  }
}

private func boxUnit(_ width: Double, _ height: Double) -> Double {
  max(Double(PageMessage.defaultBoxUnit), max(width, height) / Double(UInt16.max))
}

/// One box a scalar; none at all when Poppler's count differs from the text's, which would shift every box after the
/// place where they part.
private func boxes(of page: OpaquePointer, text: PageText, unit: Double) -> [UInt16] {
  let scalars = text.scalars
  guard var area = text.area else { return [] }
  var rectangles: UnsafeMutablePointer<PopplerRectangle>?
  var count: UInt32 = 0
  guard poppler_page_get_text_layout_for_area(page, &area, &rectangles, &count) != 0, let rectangles else { return [] }
  defer { g_free(rectangles) }
  guard Int(count) == scalars.count else { return [] }
  func quantise(_ value: Double) -> UInt16 {
    value.isFinite ? UInt16(min(max((value / unit).rounded(), 0), Double(UInt16.max))) : 0
  }
  return [UInt16](unsafeUninitializedCapacity: 4 * scalars.count) { buffer, initialized in
    for index in 0..<scalars.count {
      let box = rectangles[index]
      let left = quantise(min(box.x1, box.x2))
      let right = quantise(max(box.x1, box.x2))
      let top = quantise(min(box.y1, box.y2))
      let bottom = quantise(max(box.y1, box.y2))
      // A line's end stands nowhere, and a box without height or width covers nothing.
      let isNone = scalars[index] == "\n" || left == right || top == bottom
      buffer[4 * index] = isNone ? 0 : left
      buffer[4 * index + 1] = isNone ? 0 : top
      buffer[4 * index + 2] = isNone ? 0 : right
      buffer[4 * index + 3] = isNone ? 0 : bottom
    }
    initialized = 4 * scalars.count
  }
}

private func fontRuns(of page: OpaquePointer, text: PageText) -> ([FontMessage], [FontRunMessage]) {
  guard var area = text.area, let list = poppler_page_get_text_attributes_for_area(page, &area) else { return ([], []) }
  defer { poppler_page_free_text_attributes(list) }
  var fonts: [FontMessage] = []
  var indices: [String: UInt16] = [:]
  var runs: [FontRunMessage] = []
  var end = 0
  var node: UnsafeMutablePointer<GList>? = list
  while let current = node {
    node = current.pointee.next
    guard let data = current.pointee.data else { continue }
    let attributes = data.assumingMemoryBound(to: PopplerTextAttributes.self).pointee
    // Poppler's end is inclusive; a run that goes back or beyond the text is cut.
    let start = max(end, Int(attributes.start_index))
    let stop = min(text.scalars.count, Int(attributes.end_index) + 1)
    guard start < stop else { continue }
    let name = attributes.font_name.map { String(cString: $0) } ?? ""
    let font: UInt16
    if let known = indices[name] {
      font = known
    } else {
      guard fonts.count < Int(UInt16.max) else { continue }
      font = UInt16(fonts.count)
      indices[name] = font
      fonts.append(FontMessage(embeddedName: name))
    }
    end = stop
    let size = attributes.font_size.isFinite ? Float(attributes.font_size) : 0
    if let last = runs.last, last.font == font, last.size == size, Int(last.start + last.count) == start {
      runs[runs.count - 1].count += UInt32(stop - start)
    } else {
      runs.append(FontRunMessage(start: UInt32(start), count: UInt32(stop - start), font: font, size: size))
    }
  }
  return (fonts, runs)
}

private func imageArea(of page: OpaquePointer, pageArea: Double) -> Float {
  guard let list = poppler_page_get_image_mapping(page) else { return 0 }
  defer { poppler_page_free_image_mapping(list) }
  var area = 0.0
  var node: UnsafeMutablePointer<GList>? = list
  while let current = node {
    node = current.pointee.next
    guard let data = current.pointee.data else { continue }
    let box = data.assumingMemoryBound(to: PopplerImageMapping.self).pointee.area
    let size = abs((box.x2 - box.x1) * (box.y2 - box.y1))
    if size.isFinite { area += size }
  }
  return Float(min(1, max(0, area / pageArea)))
}
