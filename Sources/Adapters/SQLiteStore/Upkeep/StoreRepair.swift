import Core
import FoundationEssentials
import SQLite

/// One way of mending, in write transactions of bounded size. Every slice looks again at what is wrong, because others
/// may have written since the check.
struct StoreRepair: Sendable {
  struct Context: Sendable {
    var rules: IdentityRules
    var now: Date
  }

  /// The findings that it mends.
  let codes: [String]
  /// What it does, as a sentence without a subject.
  let message: String
  /// Mends some in the open transaction; says how many and whether those were all.
  let slice: @Sendable (Connection, Context) throws -> (count: Int, isAll: Bool)

  private init(
    _ codes: [String], _ message: String,
    slice: @escaping @Sendable (Connection, Context) throws -> (count: Int, isAll: Bool)
  ) {
    self.codes = codes
    self.message = message
    self.slice = slice
  }

  /// Rows of a table that must go.
  private init(_ code: String, _ message: String, delete table: String, where condition: String) {
    self.init([code], message) { connection, context in
      let count = try Self.delete(table, where: condition, context, connection)
      return (count, count < Self.width)
    }
  }

  /// Rows deleted in one transaction.
  private static let width = 2_000

  /// In an order in which what one leaves behind is cleared by those after it.
  static let all: [StoreRepair] =
    [records, sequences, spaces, orphanedRevisions, lostDocuments]
    + [
      StoreRepair(
        "chunk.orphaned", "removed chunks of no document", delete: "chunks",
        where: "NOT EXISTS (SELECT 1 FROM revisions r WHERE r.key = chunks.revision)"),
      StoreRepair(
        "vector.orphaned", "removed vectors of no chunk", delete: "vectors",
        where: "NOT EXISTS (SELECT 1 FROM chunks c WHERE c.key = vectors.chunk)"),
      StoreRepair(
        "text.unused", "removed extractions of no document", delete: "texts",
        where: "NOT EXISTS (SELECT 1 FROM revisions r WHERE r.text = texts.key)"),
      StoreRepair(
        "page.orphaned", "removed pages of no extraction", delete: "pages",
        where: "NOT EXISTS (SELECT 1 FROM texts t WHERE t.key = pages.text)"),
      StoreRepair(
        "sketch.orphaned", "removed codes and lengths of no document", delete: "sketches",
        where: "NOT EXISTS (SELECT 1 FROM revisions r WHERE r.key = sketches.revision)"),
      attributes, VectorRepair.repair, FullTextRepair.repair, SketchRepair.repair,
      StoreRepair(
        "cache.identity_missing", "removed cached embeddings of an unknown model", delete: "embedding_cache",
        where: "NOT EXISTS (SELECT 1 FROM cached_identities i WHERE i.key = embedding_cache.identity)"),
      CacheRepair.repair, leases,
      StoreRepair(
        "job.malformed", "removed jobs that cannot be read", delete: "jobs",
        where: "state NOT IN (\(JobState.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"
          + " OR NOT json_valid(stages)"),
      StoreRepair(
        "job.orphaned", "removed jobs of nothing", delete: "jobs",
        where: "key IN (SELECT j.key FROM jobs j WHERE \(JobInspection.ofNothing))"),
      StoreRepair(
        "tombstone.of_live_document", "removed marks of deletion from indexed documents", delete: "tombstones",
        where: """
          EXISTS (SELECT 1 FROM documents d JOIN collections c ON c.key = d.collection
            WHERE c.name = tombstones.collection AND d.uri = tombstones.uri)
          """),
      generations,
    ]

  private static func delete(
    _ table: String, where condition: String, _ context: Context, _ connection: Connection
  ) throws -> Int {
    try connection.run(
      "DELETE FROM \(table) WHERE rowid IN (SELECT rowid FROM \(table) WHERE \(condition) LIMIT \(width))")
  }

  // MARK: - Records

  private static let records = StoreRepair(["store.version"], "raised the store's version to its change log's") {
    connection, _ in
    let count = try connection.run(
      """
      UPDATE store SET version = (SELECT max(version) FROM changes)
      WHERE version < (SELECT max(version) FROM changes)
      """)
    return (count, true)
  }

  private static let sequences = StoreRepair(["store.sequence"], "raised sequences of keys") { connection, _ in
    var count = 0
    for table in SequencedTable.names {
      let largest = try connection.first("SELECT max(key) FROM \(table)") { $0.optionalInteger(0) } ?? nil
      guard let largest else { continue }
      let known = try connection.first("SELECT seq FROM sqlite_sequence WHERE name = ?", table) { $0.integer(0) }
      if let known, known >= largest { continue }
      if known == nil { try connection.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, 0)", table) }
      count += try connection.run("UPDATE sqlite_sequence SET seq = ? WHERE name = ?", largest, table)
    }
    return (count, true)
  }

  private static let spaces = StoreRepair(["space.left_over"], "removed full-text tables of no embedding space") {
    connection, _ in
    let keys = try connection.map("SELECT key FROM spaces") { $0.integer(0) }
    let expected = Set(
      keys.flatMap { key in FullTextTable.Kind.allCases.map { FullTextTable(kind: $0, space: key).name } })
    let leftover = try SQLiteStoreInspection.fullTextNames(connection).filter { !expected.contains($0) }
    for name in leftover { try connection.execute("DROP TABLE \(SQLText.identifier(name))") }
    return (leftover.count, true)
  }

  /// One revision at a time: it may have many chunks.
  private static let orphanedRevisions = StoreRepair(
    ["revision.orphaned", "revision.space_missing", "attribute.orphaned"], "removed what belonged to no document"
  ) { connection, _ in
    let revision = try connection.first(
      """
      SELECT key, space, text FROM revisions r WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.key = r.document)
        OR NOT EXISTS (SELECT 1 FROM spaces s WHERE s.key = r.space) LIMIT 1
      """
    ) { (key: $0.integer(0), space: $0.integer(1), text: $0.integer(2)) }
    if let revision {
      try connection.run("DELETE FROM revisions WHERE key = ?", revision.key)
      try SQLiteDocumentIndex.dropOrphan(text: revision.text, connection)
      try ChangeLog.record("repair", revisions: [(revision.space, revision.key)], connection)
      return (1, false)
    }
    let count = try connection.run(
      "DELETE FROM attributes WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.key = attributes.revision)")
    return (count, true)
  }

  private static let lostDocuments = StoreRepair(
    ["document.without_revision"], "removed documents without pages; the next ingest reads their files again"
  ) { connection, _ in
    let condition = "NOT EXISTS (SELECT 1 FROM revisions r WHERE r.document = documents.key)"
    try connection.run(
      """
      DELETE FROM jobs WHERE state = 'done' AND EXISTS (
        SELECT 1 FROM documents JOIN collections c ON c.key = documents.collection
        WHERE documents.uri = jobs.uri AND c.name = jobs.collection AND \(condition))
      """)
    let ids = try connection.map("DELETE FROM documents WHERE \(condition) RETURNING id") { $0.text(0) }
    for id in ids { try ChangeLog.record("delete", document: DocumentID(rawValue: id), connection) }
    return (ids.count, true)
  }

  // MARK: - Documents

  /// What filters read, from what the catalogue shows.
  private static let attributes = StoreRepair(["attribute.mismatch"], "renewed attributes for filters") {
    connection, _ in
    let differing = try connection.map(
      """
      SELECT r.key, r.attributes FROM revisions r WHERE json_valid(r.attributes) AND (
        EXISTS (SELECT 1 FROM json_each(r.attributes) j LEFT JOIN attributes a ON a.revision = r.key AND a.name = j.key
          WHERE a.value IS NOT j.value)
        OR (SELECT count(*) FROM attributes a WHERE a.revision = r.key) <> (SELECT count(*) FROM json_each(r.attributes)))
      """
    ) { (key: $0.integer(0), json: $0.text(1)) }
    for revision in differing {
      try connection.run("DELETE FROM attributes WHERE revision = ?", revision.key)
      try connection.run(
        "INSERT INTO attributes SELECT ?, key, value FROM json_each(?)", revision.key, revision.json)
    }
    return (differing.count, true)
  }

  /// Of documents that are still where they began.
  private static let generations = StoreRepair(["origin.generation"], "renewed counts of generations") {
    connection, context in
    let documents = try connection.map(
      """
      SELECT d.id, c.name, d.uri, d.generation FROM documents d JOIN collections c ON c.key = d.collection
      LEFT JOIN origins o ON o.collection = c.name AND o.uri = d.uri
      WHERE coalesce(o.next_generation, 0) <= d.generation
      """
    ) { (id: $0.text(0), collection: $0.text(1), uri: $0.text(2), generation: $0.int(3)) }
    var count = 0
    for document in documents {
      let id = context.rules.documentID(
        CollectionName(rawValue: document.collection), SourceURI(rawValue: document.uri), document.generation)
      guard id.rawValue == document.id else { continue }
      try connection.run(
        """
        INSERT INTO origins VALUES (?, ?, ?) ON CONFLICT (collection, uri)
        DO UPDATE SET next_generation = max(next_generation, excluded.next_generation)
        """, document.collection, document.uri, document.generation + 1)
      count += 1
    }
    return (count, true)
  }

  /// Work of killed runs is due again.
  private static let leases = StoreRepair(["job.lease_expired"], "freed jobs of workers that are gone") {
    connection, context in
    let count = try connection.run(
      """
      UPDATE jobs SET state = 'queued', lease_owner = NULL, lease_until = NULL, updated = ?1
      WHERE state = 'running' AND coalesce(lease_until, 0) <= ?1
      """, context.now.seconds)
    return (count, true)
  }
}

extension StoreRepair {
  /// A repair of its own type.
  init(
    codes: [String], message: String,
    slice: @escaping @Sendable (Connection, Context) throws -> (count: Int, isAll: Bool)
  ) {
    self.init(codes, message, slice: slice)
  }
}
