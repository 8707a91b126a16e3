import Core
import IndexEncoding
import SQLite

extension SQLiteStoreInspection {
  /// Every extraction, one at a time: its pages are all there, can be read and are what was stored.
  func inspectTexts(
    into report: inout IntegrityReport, _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    let total = try await slice { try $0.first("SELECT count(*) FROM texts") { $0.int(0) } ?? 0 }
    var after: Int64 = 0
    var done = 0
    while true {
      await progress(InspectionProgress(stage: "extractions", done: done, total: total))
      let (key, found) = try await slice { [after] connection in try TextInspection.next(after: after, connection) }
      guard let key else { break }
      report.add(found)
      after = key
      done += 1
    }
  }
}

/// The check of one extraction, in one transaction.
struct TextInspection {
  private struct Extraction {
    var key: Int64
    var digest: [UInt8]
    var version: String
    var pipeline: String
    var pageCount: Int
    var coverage: String
    var unreadable: Int
    var outline: String
  }

  /// The key of the first extraction after `after` and what is wrong with it; nil when there is none.
  static func next(after: Int64, _ connection: Connection) throws -> (key: Int64?, IntegrityReport) {
    let stored = try connection.first(
      """
      SELECT key, digest, version, pipeline, page_count, coverage, unreadable, outline FROM texts
      WHERE key > ? ORDER BY key LIMIT 1
      """, after
    ) { row in
      Extraction(
        key: row.integer(0), digest: row.bytes(1), version: row.text(2), pipeline: row.text(3), pageCount: row.int(4),
        coverage: row.text(5), unreadable: row.int(6), outline: row.text(7))
    }
    guard let stored else { return (nil, IntegrityReport()) }
    return (stored.key, try report(of: stored, connection))
  }

  private static func report(of stored: Extraction, _ connection: Connection) throws -> IntegrityReport {
    var report = IntegrityReport()
    let owner = try connection.first(
      """
      SELECT d.uri, d.id FROM revisions r JOIN documents d ON d.key = r.document WHERE r.text = ? ORDER BY r.key LIMIT 1
      """, stored.key
    ) { (uri: $0.text(0), id: DocumentID(rawValue: $0.text(1))) }
    let name = owner?.uri ?? "version \(stored.version.prefix(12))…"
    func add(_ code: String, _ message: String) {
      report.add(IntegrityFinding(code, .error, message, document: owner?.id))
    }
    let digest = TextDigest(
      version: stored.version, pipeline: stored.pipeline, pageCount: stored.pageCount, outline: stored.outline)
    var numbers: Set<Int> = []
    var coverage: [PageCoverage: Int] = [:]
    var unreadable = 0
    var isReadable = true
    try connection.forEach(
      """
      SELECT number, label, width, height, content, boxes, blocks, coverage, reason, recognizer, recognition_confidence
      FROM pages WHERE text = ? ORDER BY key
      """, stored.key
    ) { row in
      let number = row.int(0)
      report.examine("pages")
      numbers.insert(number)
      guard let kind = PageCoverage(rawValue: row.text(7)) else {
        isReadable = false
        return add("page.coverage", "page \(number) of \(name) has the unknown coverage '\(row.text(7))'")
      }
      coverage[kind, default: 0] += 1
      if kind.isUnreadable { unreadable += 1 }
      let text = row.text(4)
      let length = text.unicodeScalars.count
      let boxes = row.withBytes(5, PageCoding.boxes)
      let blocks = row.withBytes(6, PageCoding.blocks)
      if boxes?.count != length || blocks?.allSatisfy({ $0.range.upperBound <= length }) != true {
        add("page.layout", "the layout of page \(number) of \(name) does not fit its text")
      }
      digest.add(
        Page(
          number: number, label: row.optionalText(1),
          size: PageSize(width: Float(row.double(2)), height: Float(row.double(3))), text: text, boxes: [], blocks: [],
          coverage: kind, coverageReason: row.optionalText(8),
          recognition: SQLiteDocumentIndex.recognition(row, at: 9)), blocks: row.bytes(6), boxes: row.bytes(5))
    }
    if numbers != Set(1...max(1, stored.pageCount)), !(numbers.isEmpty && stored.pageCount == 0) {
      add("text.pages", "\(name) has \(numbers.count) of its \(stored.pageCount) pages")
    } else if isReadable, digest.finalize() != stored.digest {
      add("text.digest", "the stored pages of \(name) are not those that were extracted")
    }
    let counts = try? Stored.value([PageCoverage: Int].self, stored.coverage, "coverage")
    if isReadable, counts != coverage || unreadable != stored.unreadable {
      add("text.coverage", "the counts of readable pages of \(name) are not those of its pages")
    }
    if (try? Stored.value([OutlineEntry].self, stored.outline, "an outline")) == nil {
      add("text.outline", "the outline of \(name) cannot be read")
    }
    return report
  }
}
