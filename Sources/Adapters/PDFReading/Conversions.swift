import Core
import FoundationEssentials
import PDFPipe

extension ReaderLimits {
  init(_ limits: PDFLimits) {
    self.init(
      addressSpace: UInt64(max(0, limits.addressSpaceBytes)), cpuSeconds: UInt32(clamping: limits.cpuSeconds),
      pageCPUSeconds: UInt32(clamping: limits.pageCPUSeconds), maxPages: UInt32(clamping: limits.maxPages),
      maxOutputBytes: UInt64(max(0, limits.maxOutputBytes)),
      maxScalarsPerPage: UInt32(clamping: limits.maxScalarsPerPage), maxPixels: UInt32(clamping: limits.maxImagePixels))
  }
}

extension ExtractedDocument {
  init(_ message: DocumentMessage) {
    func date(_ seconds: Int64?) -> Date? { seconds.map { Date(timeIntervalSince1970: Double($0)) } }
    self.init(
      pageCount: Int(message.pageCount),
      metadata: DocumentMetadata(
        title: message.title, author: message.author, created: date(message.created), modified: date(message.modified)),
      outline: message.outline.map {
        OutlineEntry(level: Int($0.level) + 1, title: $0.title, page: $0.page.map { Int($0) + 1 }, top: $0.y)
      },
      damage: message.lacksEndMarker
        ? "The file lacks its end marker, so it was probably cut: pages or parts of them may be missing." : nil)
  }
}

extension ExtractedPage {
  init(_ message: PageMessage, warnings: [String]) {
    let number = Int(message.index) + 1
    var boxes = [Box?](repeating: nil, count: message.text.count)
    let unit = message.boxUnit
    for index in boxes.indices where !message.boxes.isEmpty {
      let right = message.boxes[4 * index + 2]
      let bottom = message.boxes[4 * index + 3]
      guard right > 0, bottom > 0 else { continue }
      boxes[index] = Box(
        left: Float(message.boxes[4 * index]) * unit, top: Float(message.boxes[4 * index + 1]) * unit,
        right: Float(right) * unit, bottom: Float(bottom) * unit)
    }
    self.init(
      number: number, label: message.label == String(number) ? nil : message.label,
      size: PageSize(width: message.width, height: message.height), scalars: message.text, boxes: boxes,
      fonts: message.runs.map { run in
        let font = message.fonts[Int(run.font)]
        return FontRun(
          range: Int(run.start)..<Int(run.start) + Int(run.count), name: font.name, size: run.size, isBold: font.isBold,
          isItalic: font.isItalic, isMonospaced: font.isMonospaced)
      }, imageCoverage: message.imageArea ?? 0, warnings: warnings)
  }
}
