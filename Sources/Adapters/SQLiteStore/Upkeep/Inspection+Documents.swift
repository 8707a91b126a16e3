import Core
import SQLite

extension SQLiteStoreInspection {
  /// Every revision of every document, one at a time: its chunks, their vectors and their places in the pages.
  func inspectDocuments(
    _ rules: IdentityRules, into report: inout IntegrityReport,
    _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    let (documents, total) = try await slice { connection in
      (
        try connection.first("SELECT count(*) FROM documents") { $0.int(0) } ?? 0,
        try connection.first("SELECT count(*) FROM revisions") { $0.int(0) } ?? 0
      )
    }
    report.examine("documents", documents)
    var after: Int64 = 0
    var done = 0
    while true {
      await progress(InspectionProgress(stage: "documents", done: done, total: total))
      let (key, found) = try await slice { [after] connection in
        guard let revision = try RevisionInspection.Revision.next(after: after, connection) else {
          return (Int64?.none, IntegrityReport())
        }
        var inspection = RevisionInspection(revision: revision, rules: rules, connection: connection)
        try inspection.run()
        return (revision.key, inspection.report)
      }
      guard let key else { return }
      report.add(found)
      after = key
      done += 1
    }
  }
}

/// The check of one revision, in one transaction.
struct RevisionInspection {
  /// A row of `revisions` with what it refers to.
  struct Revision {
    var key: Int64
    var document: DocumentID
    var uri: String
    var version: ContentVersion
    var pipeline: PipelineVersion
    var firstChunk: Int64
    var chunkCount: Int
    var pageCount: Int
    var attributes: String
    var state: String
    var space: Int64
    var canonical: String
    var dimension: Int
    var text: Int64
    var textVersion: String
    var textPipeline: String
    var textPageCount: Int

    /// The first after `after` whose document, space and pages are there; the others are found as dangling references.
    static func next(after: Int64, _ connection: Connection) throws -> Revision? {
      try connection.first(
        """
        SELECT r.key, d.id, d.uri, r.version, r.pipeline, r.first_chunk, r.chunk_count, r.page_count, r.attributes,
          r.state, s.key, s.canonical, s.dimension, t.key, t.version, t.pipeline, t.page_count
        FROM revisions r JOIN documents d ON d.key = r.document JOIN spaces s ON s.key = r.space
        JOIN texts t ON t.key = r.text WHERE r.key > ? ORDER BY r.key LIMIT 1
        """, after
      ) { row in
        Revision(
          key: row.integer(0), document: DocumentID(rawValue: row.text(1)), uri: row.text(2),
          version: ContentVersion(rawValue: row.text(3)), pipeline: PipelineVersion(rawValue: row.text(4)),
          firstChunk: row.integer(5), chunkCount: row.int(6), pageCount: row.int(7), attributes: row.text(8),
          state: row.text(9), space: row.integer(10), canonical: row.text(11), dimension: row.int(12),
          text: row.integer(13), textVersion: row.text(14), textPipeline: row.text(15), textPageCount: row.int(16))
      }
    }
  }

  let revision: Revision
  let rules: IdentityRules
  let connection: Connection
  private(set) var report = IntegrityReport()
  private var pages: PageTexts

  init(revision: Revision, rules: IdentityRules, connection: Connection) {
    self.revision = revision
    self.rules = rules
    self.connection = connection
    pages = PageTexts(text: revision.text)
  }

  mutating func run() throws {
    inspectRecord()
    try inspectAttributes()
    var count = 0
    try connection.forEach(
      """
      SELECT c.key, c.ordinal, c.id, c.text_hash, c.pages, c.headings, c.prefix, c.content, c.embedded, v.norm, v.vector
      FROM chunks c LEFT JOIN vectors v ON v.chunk = c.key WHERE c.revision = ? ORDER BY c.ordinal
      """, revision.key
    ) { row in
      if row.integer(0) != revision.firstChunk + Int64(count) || row.int(1) != count {
        add("chunk.sequence", "chunk \(row.text(2)) of \(revision.uri) is not where it should be", chunk: row.text(2))
      }
      count += 1
      try inspectChunk(row)
      try inspectVector(row)
    }
    report.examine("chunks", count)
    if count != revision.chunkCount {
      add("chunk.missing", "\(revision.uri) has \(count) of its \(revision.chunkCount) chunks")
    }
  }

  private mutating func add(_ code: String, _ message: String, repairable: Bool = false, chunk: String? = nil) {
    report.add(
      IntegrityFinding(
        code, .error, message, isRepairable: repairable, document: revision.document,
        chunk: chunk.map(ChunkID.init(rawValue:))))
  }

  private mutating func inspectRecord() {
    if revision.textVersion != revision.version.rawValue || revision.textPipeline != revision.pipeline.rawValue
      || revision.textPageCount != revision.pageCount
    {
      add("revision.text_mismatch", "\(revision.uri) refers to the pages of another version")
    }
    if DocumentState(rawValue: revision.state) == nil {
      add("revision.state", "\(revision.uri) has the unknown state '\(revision.state)'")
    }
  }

  /// What filters read against what the catalogue shows.
  private mutating func inspectAttributes() throws {
    guard let shown = try? Stored.value([String: String].self, revision.attributes, "attributes") else {
      return add("revision.attributes", "the attributes of \(revision.uri) cannot be read")
    }
    var filtered: [String: String] = [:]
    try connection.forEach("SELECT name, value FROM attributes WHERE revision = ?", revision.key) {
      filtered[$0.text(0)] = $0.text(1)
    }
    if shown != filtered {
      add(
        "attribute.mismatch", "filters see other attributes of \(revision.uri) than its catalogue entry has",
        repairable: true)
    }
  }

  private mutating func inspectChunk(_ row: Row) throws {
    let id = row.text(2)
    let ordinal = row.int(1)
    let name = "chunk \(ordinal) of \(revision.uri)"
    if rules.chunkID(revision.document, revision.version, revision.pipeline, ordinal).rawValue != id {
      add("chunk.id", "the id of \(name) does not follow from its document, version and pipeline", chunk: id)
    }
    let text = row.text(7)
    let embedded = row.optionalText(8) ?? row.text(6) + text
    if rules.textHash(embedded).rawValue != row.text(3) {
      add("chunk.text_hash", "the hash of the embedded text of \(name) is another text's", chunk: id)
    }
    if (try? Stored.value([String].self, row.text(5), "headings")) == nil {
      add("chunk.headings", "the headings of \(name) cannot be read", chunk: id)
    }
    guard let ranges = try? Stored.value([PageRange].self, row.text(4), "pages"), !ranges.isEmpty else {
      return add("chunk.range", "the pages of \(name) cannot be read", chunk: id)
    }
    switch try pages.compare(Array(text.unicodeScalars), with: ranges, connection) {
    case .equal: break
    case .outside(let page): add("chunk.range", "\(name) is outside the text of page \(page)", chunk: id)
    case .different: add("chunk.text", "the text of \(name) is not that of its pages", chunk: id)
    }
  }

  private mutating func inspectVector(_ row: Row) throws {
    let id = row.text(2)
    let name = "the vector of chunk \(row.int(1)) of \(revision.uri)"
    report.examine("vectors")
    let problem: (code: String, message: String)?
    if row.isNull(10) {
      problem = ("vector.missing", "\(name) is missing")
    } else {
      problem = row.withBytes(10) { bytes in
        if bytes.count != 2 * revision.dimension {
          return ("vector.shape", "\(name) has \(bytes.count) bytes, not \(2 * revision.dimension)")
        }
        let norm = row.double(9)
        let length = VectorCheck.lengthOfHalves(bytes)
        return norm.isFinite && norm > 0 && VectorCheck.isUnit(length)
          ? nil : ("vector.values", "\(name) is not of unit length")
      }
    }
    guard let problem else { return }
    let isCached = try CachedVector.exists(hash: row.text(3), canonical: revision.canonical, connection)
    add(problem.code, problem.message, repairable: isCached, chunk: id)
  }
}

/// Page texts of one extraction as chunks need them: in order, so a few are kept.
private struct PageTexts {
  enum Comparison {
    case equal
    case outside(page: Int)
    case different
  }

  let text: Int64
  private var kept: [(page: Int, scalars: [Unicode.Scalar])] = []

  init(text: Int64) { self.text = text }

  /// Whether `chunk` is exactly what `ranges` name, joined by a space or a line end.
  mutating func compare(
    _ chunk: [Unicode.Scalar], with ranges: [PageRange], _ connection: Connection
  ) throws -> Comparison {
    var position = 0
    var isEqual = true
    for (index, piece) in ranges.enumerated() {
      guard let page = try scalars(of: piece.page, connection), piece.range.lowerBound >= 0,
        piece.range.upperBound <= page.count
      else { return .outside(page: piece.page) }
      if index > 0 {
        guard position < chunk.count, chunk[position] == " " || chunk[position] == "\n" else { return .different }
        position += 1
      }
      let end = position + piece.range.count
      isEqual = isEqual && end <= chunk.count && chunk[position..<end] == page[piece.range]
      guard isEqual else { return .different }
      position = end
    }
    return position == chunk.count ? .equal : .different
  }

  private mutating func scalars(of page: Int, _ connection: Connection) throws -> [Unicode.Scalar]? {
    if let known = kept.first(where: { $0.page == page }) { return known.scalars }
    let content = try connection.first("SELECT content FROM pages WHERE text = ? AND number = ?", text, page) {
      $0.text(0)
    }
    guard let content else { return nil }
    if kept.count >= 8 { kept.removeFirst() }
    kept.append((page, Array(content.unicodeScalars)))
    return kept.last?.scalars
  }
}
