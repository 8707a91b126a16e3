import Core
import SQLite

/// A query for rows that should not be: a sentence about each, then, when it says so, document and chunk.
struct InspectionQuery: Sendable {
  let code: String
  let severity: IntegrityFinding.Severity
  let isRepairable: Bool
  let sql: String

  init(_ code: String, _ severity: IntegrityFinding.Severity, repairable: Bool = false, _ sql: String) {
    self.code = code
    self.severity = severity
    isRepairable = repairable
    self.sql = sql
  }

  func findings(_ connection: Connection, into report: inout IntegrityReport) throws {
    try connection.forEach(sql) { row in
      report.add(
        IntegrityFinding(
          code, severity, row.text(0), isRepairable: isRepairable,
          document: row.count > 1 ? row.optionalText(1).map(DocumentID.init(rawValue:)) : nil,
          chunk: row.count > 2 ? row.optionalText(2).map(ChunkID.init(rawValue:)) : nil))
    }
  }
}

extension SQLiteStoreInspection {
  /// References between tables, and rules that a query can tell.
  func inspectTables(
    _ rules: IdentityRules, into report: inout IntegrityReport,
    _ progress: @Sendable (InspectionProgress) async -> Void
  ) async throws {
    await progress(InspectionProgress(stage: "references", done: 0))
    for table in ForeignReference.tables {
      report.add(try await slice { connection in try ForeignReference.report(of: table, connection) })
    }
    report.add(try await slice { try Self.spaces($0) })
    for query in Self.queries {
      report.add(
        try await slice { connection in
          var report = IntegrityReport()
          try query.findings(connection, into: &report)
          return report
        })
    }
    report.add(try await slice { try Self.origins(rules, $0) })
  }

  private static let queries: [InspectionQuery] = [
    InspectionQuery(
      "store.record", .error,
      """
      SELECT 'the store has ' || count(*) || ' records of its version' FROM store HAVING count(*) <> 1
      UNION ALL SELECT 'no embedding space is searched although there are documents'
      FROM store WHERE active_space IS NULL AND EXISTS (SELECT 1 FROM documents)
      """),
    InspectionQuery(
      "store.version", .error, repairable: true,
      """
      SELECT 'the change log is at version ' || max(c.version) || ', the store at ' || s.version
      FROM store s, changes c GROUP BY s.id HAVING max(c.version) > s.version
      """),
    InspectionQuery(
      "store.sequence", .error, repairable: true,
      SequencedTable.names.map { table in
        """
        SELECT 'keys of \(table) would be given again: the next follows ' || coalesce(q.seq, 0) || ', the largest is '
          || t.largest FROM (SELECT max(key) AS largest FROM \(table)) t
        LEFT JOIN sqlite_sequence q ON q.name = '\(table)' WHERE t.largest > coalesce(q.seq, 0)
        """
      }.joined(separator: " UNION ALL ")),
    InspectionQuery(
      "document.without_revision", .error, repairable: true,
      """
      SELECT 'document ' || d.uri || ' has no pages or chunks', d.id FROM documents d
      WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.document = d.key)
      """),
    InspectionQuery(
      "document.version", .error,
      """
      SELECT 'document ' || d.uri || ' is recorded as another version than its newest revision', d.id
      FROM documents d JOIN revisions r ON r.key = (SELECT max(key) FROM revisions WHERE document = d.key)
      WHERE r.version <> d.version
      """),
    InspectionQuery(
      "document.not_searched", .notice,
      """
      SELECT 'document ' || d.uri || ' has no vectors in the space that is searched: `quarry ingest --rebuild` is'
        || ' not finished', d.id
      FROM documents d WHERE EXISTS (SELECT 1 FROM revisions r WHERE r.document = d.key)
        AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.document = d.key
          AND r.space = (SELECT active_space FROM store))
      """),
    InspectionQuery(
      "text.unused", .warning, repairable: true,
      """
      SELECT 'the extraction of version ' || substr(t.version, 1, 12) || '… belongs to no document' FROM texts t
      WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.text = t.key)
      """),
    InspectionQuery(
      "tombstone.of_live_document", .error, repairable: true,
      """
      SELECT t.uri || ' is both indexed and marked as deleted', d.id FROM tombstones t
      JOIN collections c ON c.name = t.collection JOIN documents d ON d.collection = c.key AND d.uri = t.uri
      """),
    InspectionQuery(
      "tombstone.malformed", .error,
      "SELECT 'the mark of the deleted ' || uri || ' cannot be read' FROM tombstones WHERE NOT json_valid(identity)"),
    InspectionQuery(
      "conversation.role", .error,
      """
      SELECT 'a turn of conversation ' || conversation || ' has the unknown role ' || role FROM turns
      WHERE role NOT IN ('\(TurnRole.user.rawValue)', '\(TurnRole.assistant.rawValue)')
      """),
    InspectionQuery(
      "key.malformed", .error,
      "SELECT 'the collections of key ' || id || ' cannot be read' FROM api_keys WHERE NOT json_valid(collections)"),
  ]

  /// Each space: its identity, and whether its full-text tables are there and none are left over.
  private static func spaces(_ connection: Connection) throws -> IntegrityReport {
    var report = IntegrityReport()
    var expected: Set<String> = []
    try connection.forEach("SELECT key, canonical, identity, dimension, centre FROM spaces") { row in
      let identity = try? Stored.value(EmbeddingIdentity.self, row.text(2), "an identity")
      if identity?.canonical != row.text(1) || identity?.dimension != row.int(3) {
        report.add(
          IntegrityFinding("space.identity", .error, "the embedding identity of space \(row.int(0)) contradicts itself")
        )
      }
      let isSound = row.isNull(4) || row.withBytes(4, Stored.floats).count { $0.isFinite } == row.int(3)
      if !isSound {
        report.add(
          IntegrityFinding(
            "space.centre", .error, "what the codes of space \(row.int(0)) are signs about cannot be read",
            isRepairable: true))
      }
      for kind in FullTextTable.Kind.allCases { expected.insert(FullTextTable(kind: kind, space: row.integer(0)).name) }
    }
    let present = Set(try Self.fullTextNames(connection))
    for name in expected.subtracting(present).sorted() {
      report.add(
        IntegrityFinding(
          "space.full_text_missing", .error, "the full-text table \(name) is missing", isRepairable: true))
    }
    for name in present.subtracting(expected).sorted() {
      report.add(
        IntegrityFinding(
          "space.left_over", .warning, "the full-text table \(name) belongs to no embedding space", isRepairable: true))
    }
    return report
  }

  /// The full-text tables in the file.
  static func fullTextNames(_ connection: Connection) throws -> [String] {
    try connection.map(
      """
      SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'
        AND (name GLOB 'words_[0-9]*' OR name GLOB 'grams_[0-9]*') ORDER BY name
      """
    ) { $0.text(0) }
  }

  /// A document that is still where it began must have taken its generation, or the next would get its id.
  private static func origins(_ rules: IdentityRules, _ connection: Connection) throws -> IntegrityReport {
    var report = IntegrityReport()
    try connection.forEach(
      """
      SELECT d.id, c.name, d.uri, d.generation FROM documents d JOIN collections c ON c.key = d.collection
      LEFT JOIN origins o ON o.collection = c.name AND o.uri = d.uri
      WHERE coalesce(o.next_generation, 0) <= d.generation
      """
    ) { row in
      let uri = SourceURI(rawValue: row.text(2))
      guard
        rules.documentID(CollectionName(rawValue: row.text(1)), uri, row.int(3)) == DocumentID(rawValue: row.text(0))
      else { return }
      report.add(
        IntegrityFinding(
          "origin.generation", .error, "the next document at \(uri) would get the id of this one", isRepairable: true,
          document: DocumentID(rawValue: row.text(0))))
    }
    return report
  }
}

/// The tables whose keys are never given twice.
enum SequencedTable {
  static let names = ["spaces", "documents", "texts", "revisions", "chunks"]
}

/// A reference from one table to another, and what a dangling one means.
struct ForeignReference: Sendable {
  let table: String
  let parent: String
  let code: String
  let severity: IntegrityFinding.Severity
  let isRepairable: Bool
  let meaning: String

  static let tables = Array(Set(all.map(\.table))).sorted()

  static let all: [ForeignReference] = [
    .init("store", "spaces", "store.record", .error, false, "the embedding space that is searched is missing"),
    .init(
      "documents", "collections", "document.collection_missing", .error, false, "a document's collection is missing"),
    .init("pages", "texts", "page.orphaned", .warning, true, "a page belongs to no extraction"),
    .init("revisions", "documents", "revision.orphaned", .warning, true, "pages and chunks of no document"),
    .init("revisions", "spaces", "revision.space_missing", .error, true, "chunks of a missing embedding space"),
    .init("revisions", "texts", "revision.text_missing", .error, false, "a document's pages are missing"),
    .init("attributes", "revisions", "attribute.orphaned", .warning, true, "an attribute of no document"),
    .init("chunks", "revisions", "chunk.orphaned", .warning, true, "a chunk belongs to no document"),
    .init("sketches", "revisions", "sketch.orphaned", .warning, true, "codes and lengths of no document"),
    .init("vectors", "chunks", "vector.orphaned", .warning, true, "a vector belongs to no chunk"),
    .init(
      "embedding_cache", "cached_identities", "cache.identity_missing", .warning, true,
      "a cached embedding is of an unknown model"),
  ]

  init(
    _ table: String, _ parent: String, _ code: String, _ severity: IntegrityFinding.Severity, _ isRepairable: Bool,
    _ meaning: String
  ) {
    self.table = table
    self.parent = parent
    self.code = code
    self.severity = severity
    self.isRepairable = isRepairable
    self.meaning = meaning
  }

  /// SQLite's own check of one table's references.
  static func report(of table: String, _ connection: Connection) throws -> IntegrityReport {
    var report = IntegrityReport()
    try connection.forEach("SELECT rowid, parent FROM pragma_foreign_key_check(?)", table) { row in
      let parent = row.text(1)
      let row = row.optionalInteger(0).map { "row \($0)" } ?? "a row"
      guard let reference = all.first(where: { $0.table == table && $0.parent == parent }) else {
        report.add(
          IntegrityFinding("store.reference", .error, "\(row) of \(table) refers to a missing row of \(parent)"))
        return
      }
      report.add(
        IntegrityFinding(
          reference.code, reference.severity, "\(reference.meaning) (\(row) of \(table))",
          isRepairable: reference.isRepairable))
    }
    return report
  }
}
