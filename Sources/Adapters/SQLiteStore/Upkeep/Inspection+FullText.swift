import Concurrency
import Core
import SQLite

extension SQLiteStoreInspection {
  /// The full-text tables: FTS5's own check, a row for each chunk and none else, and every term of every row against
  /// the chunk's text.
  func inspectFullText(
    into report: inout IntegrityReport, _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    let spaces = try await slice { connection in try connection.map("SELECT key FROM spaces") { $0.integer(0) } }
    for space in spaces {
      for kind in FullTextTable.Kind.allCases {
        let table = FullTextTable(kind: kind, space: space)
        // A missing one is reported already; one that was dropped meanwhile is no finding.
        guard try await slice({ try table.exists($0) }) else { continue }
        do {
          try await inspectStructure(of: table, into: &report, progress)
          try await inspectRows(of: table, into: &report, progress)
          try await inspectTerms(of: table, into: &report, progress)
        } catch let error as SQLiteError where error.isCorrupt {
          report.add(
            IntegrityFinding(
              "\(kind.rawValue).structure", .error, "the full-text table \(table.name) is damaged: \(error.message)",
              isRepairable: true))
        } catch let error as SQLiteError where error.kind == .statement {
          // Its space was dropped between two slices.
          if try await slice({ try table.exists($0) }) { throw error }
        }
      }
    }
  }

  // MARK: - Structure

  /// FTS5's own check, which SQLite runs as a write: others wait for it, so it has a time limit.
  private func inspectStructure(
    of table: FullTextTable, into report: inout IntegrityReport,
    _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    await progress(InspectionProgress(stage: "structure of \(table.name)", done: 0))
    let thread = thread
    var reason: String?
    do {
      try await withTimeout(writerTime) {
        try await thread.perform {
          try $0.execute("INSERT INTO \(table.name) (\(table.name)) VALUES ('integrity-check')")
        }
      }
    } catch is DeadlineExceeded {
      reason = "it would make writers wait too long"
    } catch let error as SQLiteError where error.isReadOnly || error.isFull || error.isBusy || error.kind == .locked {
      reason = error.isReadOnly ? "the store cannot be written" : error.message
    }
    guard let reason else { return }
    report.add(
      IntegrityFinding(
        "\(table.kind.rawValue).unchecked", .notice,
        "FTS5's own check of \(table.name) was left out: \(reason); its terms were compared all the same"))
  }

  // MARK: - Rows

  /// Rows and chunks, a range of keys at a time.
  private func inspectRows(
    of table: FullTextTable, into report: inout IntegrityReport,
    _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    let last = try await slice { connection in
      try connection.first(
        "SELECT max(coalesce((SELECT max(id) FROM \(table.sizes)), 0), coalesce((SELECT max(key) FROM chunks), 0))"
      ) { $0.integer(0) } ?? 0
    }
    var after: Int64 = -1
    while after < last {
      await progress(InspectionProgress(stage: "rows of \(table.name)", done: Int(max(0, after)), total: Int(last)))
      let (reached, found) = try await slice { [after] connection in
        try FullTextRows.report(of: table, after: after, connection)
      }
      report.add(found)
      guard let reached else { return }
      after = reached
    }
  }

  // MARK: - Terms

  /// Compares sums of hashes of all occurrences of terms, as the table has them and as the texts give them. A chunk's
  /// text never changes and its key is never given again, so what is there at the end was there all the time.
  private func inspectTerms(
    of table: FullTextTable, into report: inout IntegrityReport,
    _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    var sums = try await slice { connection in try TermSums(of: table, connection) }
    var term: String? = ""
    var done = 0
    while let from = term {
      await progress(InspectionProgress(stage: "terms of \(table.name)", done: done))
      (sums, term, done) = try await slice { [sums, done] connection in
        var sums = sums
        let (next, count) = try sums.scan(table, from: from, connection)
        return (sums, next, done + count)
      }
    }
    for key in sums.strangers.sorted().prefix(IntegrityReport.keptOfEachCode) {
      report.add(
        IntegrityFinding(
          "\(table.kind.rawValue).orphaned", .warning, "\(table.name) has terms of \(key), which is no chunk",
          isRepairable: true))
    }
    var after: Int64 = 0
    while true {
      let (last, found) = try await slice { [after, sums] connection in
        try sums.compare(table, after: after, connection)
      }
      report.add(found)
      guard let last else { return }
      after = last
      done += 1
      await progress(InspectionProgress(stage: "texts in \(table.name)", done: Int(after)))
    }
  }
}

/// Rows of a full-text table and chunks of its space.
enum FullTextRows {
  /// Chunks looked at in one transaction.
  private static let width = 2_000

  /// What is wrong among the next keys, and the last of those; nil at the end.
  static func report(
    of table: FullTextTable, after: Int64, _ connection: Connection
  ) throws -> (reached: Int64?, IntegrityReport) {
    var report = IntegrityReport()
    // Keys of either side, so that gaps of millions cost nothing.
    let end = try connection.first(
      """
      SELECT max(key) FROM (SELECT key FROM (SELECT key FROM chunks WHERE key > ?1 ORDER BY key LIMIT ?2)
        UNION SELECT id FROM (SELECT id FROM \(table.sizes) WHERE id > ?1 ORDER BY id LIMIT ?2) ORDER BY 1 LIMIT ?2)
      """, after, width
    ) { $0.optionalInteger(0) }
    guard let end = end ?? nil else { return (nil, report) }
    let kind = table.kind.rawValue
    try connection.forEach(
      """
      SELECT s.id FROM \(table.sizes) s WHERE s.id > ?1 AND s.id <= ?2 AND NOT EXISTS (
        SELECT 1 FROM chunks c JOIN revisions r ON r.key = c.revision WHERE c.key = s.id AND r.space = ?3)
      """, after, end, table.space
    ) { row in
      report.add(
        IntegrityFinding(
          "\(kind).orphaned", .warning, "\(table.name) has a row of \(row.integer(0)), which is no chunk",
          isRepairable: true))
    }
    try connection.forEach(
      """
      SELECT c.id, c.prefix, coalesce(c.embedded, c.content), d.id, d.uri, c.ordinal
      FROM chunks c JOIN revisions r ON r.key = c.revision JOIN documents d ON d.key = r.document
      WHERE c.key > ?1 AND c.key <= ?2 AND r.space = ?3
        AND NOT EXISTS (SELECT 1 FROM \(table.sizes) s WHERE s.id = c.key)
      """, after, end, table.space
    ) { row in
      guard table.holds(prefix: row.text(1), body: row.text(2)) else { return }
      report.add(
        IntegrityFinding(
          "\(kind).missing", .error, "chunk \(row.int(5)) of \(row.text(4)) is missing in \(table.name)",
          isRepairable: true, document: DocumentID(rawValue: row.text(3)), chunk: ChunkID(rawValue: row.text(0))))
    }
    return (end, report)
  }
}
