import Core
import FoundationEssentials
import QuarryTesting
import SQLite
import SQLiteStore
import Testing

/// A way to damage a store, and what the check must say of it.
struct Damage: Sendable, CustomTestStringConvertible {
  let code: String
  let isRepairable: Bool
  let sql: String
  /// Findings that come with it.
  let others: Set<String>

  var testDescription: String { code + (sql.count < 60 ? ": " + sql : "") }

  init(_ code: String, repairable: Bool = false, with others: Set<String> = [], _ sql: String) {
    self.code = code
    isRepairable = repairable
    self.sql = sql
    self.others = others
  }

  static let all: [Damage] = [
    Damage("store.record", with: ["document.not_searched"], "UPDATE store SET active_space = NULL"),
    Damage("store.version", repairable: true, "UPDATE store SET version = 0"),
    Damage("store.sequence", repairable: true, "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'chunks'"),
    Damage("space.identity", "UPDATE spaces SET canonical = 'x'"),
    Damage("space.full_text_missing", repairable: true, "DROP TABLE words_1"),
    Damage("space.left_over", repairable: true, "CREATE VIRTUAL TABLE words_77 USING fts5(prefix, body, content='')"),
    Damage(
      "document.collection_missing", "DELETE FROM collections"),
    Damage(
      "document.without_revision", repairable: true,
      "INSERT INTO documents VALUES (99, 'lost', 1, 'file:///library/lost.pdf', 0, 'v', 's')"),
    Damage("document.version", "UPDATE documents SET version = 'other' WHERE key = 1"),
    Damage(
      "revision.orphaned", repairable: true, with: ["words.orphaned", "text.unused"],
      "DELETE FROM documents WHERE key = 1"),
    Damage("revision.text_missing", with: ["page.orphaned"], "DELETE FROM texts WHERE key = 1"),
    Damage("revision.text_mismatch", with: ["chunk.id"], "UPDATE revisions SET pipeline = 'newer' WHERE key = 1"),
    Damage("revision.state", "UPDATE revisions SET state = 'perfect' WHERE key = 1"),
    Damage("revision.attributes", "UPDATE revisions SET attributes = '{' WHERE key = 1"),
    Damage("attribute.mismatch", repairable: true, "DELETE FROM attributes WHERE revision = 1"),
    Damage("attribute.orphaned", repairable: true, "INSERT INTO attributes VALUES (99, 'a', 'b')"),
    Damage(
      "text.unused", repairable: true, with: ["text.digest"],
      "INSERT INTO texts SELECT 99, x'00', version, pipeline, 0, '{}', 0, '[]', NULL FROM texts WHERE key = 1"),
    Damage("text.pages", with: ["chunk.range", "text.coverage"], "DELETE FROM pages WHERE text = 1 AND number = 2"),
    Damage(
      "text.digest", with: ["chunk.text"], "UPDATE pages SET content = replace(content, 'pump', 'bomb') WHERE text = 1"),
    Damage("text.coverage", "UPDATE texts SET unreadable = 7 WHERE key = 1"),
    Damage("text.outline", with: ["text.digest"], "UPDATE texts SET outline = '{' WHERE key = 1"),
    Damage(
      "page.orphaned", repairable: true,
      """
      INSERT INTO pages SELECT NULL, 99, number, coverage, reason, label, width, height, content, blocks, boxes, NULL, NULL
      FROM pages WHERE text = 1
      """),
    Damage("page.layout", with: ["text.digest"], "UPDATE pages SET boxes = x'05' WHERE text = 1 AND number = 1"),
    Damage("page.coverage", with: ["text.digest"], "UPDATE pages SET coverage = 'nice' WHERE text = 1 AND number = 1"),
    Damage(
      "chunk.orphaned", repairable: true,
      """
      INSERT INTO chunks SELECT 99, 99, ordinal, id, text_hash, low_value, pages, headings, prefix, content, embedded
      FROM chunks WHERE key = 1
      """),
    Damage("chunk.missing", with: ["vector.orphaned", "words.orphaned"], "DELETE FROM chunks WHERE key = 2"),
    Damage("chunk.sequence", with: ["chunk.id"], "UPDATE chunks SET ordinal = 9 WHERE key = 2"),
    Damage("chunk.id", "UPDATE chunks SET id = 'abc' WHERE key = 1"),
    Damage("chunk.text_hash", "UPDATE chunks SET text_hash = 'abc' WHERE key = 1"),
    Damage("chunk.headings", "UPDATE chunks SET headings = '{' WHERE key = 1"),
    Damage("chunk.range", "UPDATE chunks SET pages = replace(pages, '[0,', '[5000,') WHERE key = 1"),
    Damage(
      "chunk.text", with: ["chunk.text_hash", "words.text"],
      "UPDATE chunks SET content = 'The pump explodes.' WHERE key = 1"),
    Damage("vector.missing", "DELETE FROM vectors WHERE chunk = 1"),
    Damage("vector.orphaned", repairable: true, "INSERT INTO vectors VALUES (99, 1, x'0000')"),
    Damage("vector.shape", "UPDATE vectors SET vector = x'0000' WHERE chunk = 1"),
    Damage("vector.values", "UPDATE vectors SET vector = zeroblob(length(vector)) WHERE chunk = 1"),
    Damage("sketch.missing", repairable: true, "DELETE FROM sketches WHERE revision = 1"),
    Damage(
      "sketch.counts", repairable: true, "UPDATE sketches SET word_counts = x'0700000007000000' WHERE revision = 1"),
    Damage("sketch.counts", repairable: true, "UPDATE sketches SET gram_counts = NULL WHERE revision = 2"),
    Damage("sketch.orphaned", repairable: true, "INSERT INTO sketches VALUES (99, NULL, x'', NULL)"),
    Damage("space.centre", repairable: true, "UPDATE spaces SET centre = x'0000'"),
    Damage("words.structure", repairable: true, with: ["words.text"], "DELETE FROM words_1_data WHERE id > 10"),
    Damage("words.missing", repairable: true, "DELETE FROM words_1_docsize WHERE id = 1"),
    Damage("words.orphaned", repairable: true, "INSERT INTO words_1 (rowid, prefix, body) VALUES (99, '', 'a ghost')"),
    Damage(
      "words.text", repairable: true, with: ["sketch.counts"],
      """
      INSERT INTO words_1 (words_1, rowid, prefix, body) SELECT 'delete', key, prefix, content FROM chunks WHERE key = 1;
      INSERT INTO words_1 (rowid, prefix, body) VALUES (1, '', 'another text')
      """),
    Damage("grams.missing", repairable: true, "DELETE FROM grams_1_docsize"),
    Damage("grams.orphaned", repairable: true, "INSERT INTO grams_1 (rowid, grams) VALUES (99, '水流')"),
    Damage("cache.identity_missing", repairable: true, "UPDATE embedding_cache SET identity = 99"),
    Damage("cache.vector", repairable: true, "UPDATE embedding_cache SET vector = x'00000000'"),
    Damage(
      "job.lease_expired", repairable: true,
      """
      INSERT INTO jobs (collection, uri, stamp, state, attempts, lease_owner, lease_until, stages, updated)
      VALUES ('default', 'file:///library/x.pdf', 's', 'running', 1, 'killed', 1000, '{}', 1000)
      """),
    Damage(
      "job.orphaned", repairable: true,
      """
      INSERT INTO jobs (collection, uri, stamp, state, attempts, stages, updated)
      VALUES ('default', 'file:///library/x.pdf', 's', 'done', 1, '{}', 1000)
      """),
    Damage(
      "job.malformed", repairable: true,
      """
      INSERT INTO jobs (collection, uri, stamp, state, attempts, stages, updated)
      VALUES ('default', 'file:///library/x.pdf', 's', 'sleeping', 1, '{}', 1000)
      """),
    Damage(
      "tombstone.of_live_document", repairable: true,
      """
      INSERT INTO tombstones SELECT c.name, d.uri, d.id, 0, 'v', 's', 'p', s.identity, 0
      FROM documents d JOIN collections c ON c.key = d.collection, spaces s WHERE d.key = 1
      """),
    Damage("tombstone.malformed", "INSERT INTO tombstones VALUES ('c', 'u', 'd', 0, 'v', 's', 'p', '{', 0)"),
    Damage("origin.generation", repairable: true, "DELETE FROM origins"),
    Damage("conversation.role", "INSERT INTO turns VALUES (1, 'c', 'v', 'judge', 'guilty', 0)"),
    Damage(
      "key.malformed",
      "INSERT INTO api_keys (id, label, hash, collections, created) VALUES ('k', '', 'h', '[', 0)"),
  ]
}

/// A store with two documents, a cache and a job, to be damaged.
struct DamagedStore: ~Copyable {
  let folder = TemporaryFolder()

  init() async throws {
    let database = try await SQLiteDatabase.open(folder.database)
    let index = SQLiteDocumentIndex(database)
    try await index.commit(
      Sample.indexed(
        texts: ["The pump moves water.", "The pump is cleaned weekly.", ""], attributes: ["kind": "manual"]))
    try await index.commit(Sample.indexed(Sample.document("水.pdf"), texts: ["水流过大坝。"]))
    let embedder = FakeEmbedder()
    try await SQLiteEmbeddingCache(database).store(
      [TextHash(rawValue: Sample.hex("cached", digits: 64)): embedder.embedding(of: "cached")],
      identity: embedder.identity)
    await database.close()
  }

  deinit { folder.remove() }

  /// Runs SQL past everything that guards the file.
  func run(_ sql: String) throws {
    let connection = try Connection(path: folder.database)
    try connection.setDefensive(false)
    try connection.setForeignKeys(false)
    try connection.execute(sql)
  }
}

@Suite struct DamageTests {
  @Test(arguments: Damage.all)
  func findsWhatWasDamaged_andNothingElse(_ damage: Damage) async throws {
    let store = try await DamagedStore()
    #expect(try await inspect(store.folder.database).findings == [])
    try store.run(damage.sql)
    let report = try await inspect(store.folder.database)
    let found = try #require(
      report.findings.first { $0.code == damage.code }, "\(report.findings.map(\.code)): \(report.findings)")
    #expect(found.isRepairable == damage.isRepairable)
    #expect(Set(report.counts.keys).subtracting(damage.others) == [damage.code], "\(report.findings)")
    #expect(report.needsRepair)
  }

  @Test(arguments: Damage.all.filter(\.isRepairable))
  func mendsWhatIsRepairable_butNothingInADryRun(_ damage: Damage) async throws {
    let store = try await DamagedStore()
    try store.run(damage.sql)
    let before = try await inspect(store.folder.database)
    let database = try await SQLiteDatabase.open(store.folder.database)
    let upkeep = SQLiteStoreUpkeep(database, cache: SQLiteEmbeddingCache(database))
    let dry = try await upkeep.tidy(rules: Sample.rules, isDryRun: true) { _ in }
    #expect(dry.actions.contains { $0.code == damage.code })
    #expect(try await inspect(database).counts == before.counts)
    let report = try await upkeep.tidy(rules: Sample.rules, isDryRun: false) { _ in }
    #expect(report.actions.contains { $0.code == damage.code && $0.count > 0 }, "\(report.actions)")
    #expect(try await inspect(database).findings == [])
    // What was not damaged is still found.
    let found = try await SQLiteDocumentIndex(database).candidates(
      for: CandidateRequest(
        embedding: FakeEmbedder().embedding(of: "水流过大坝。"), identity: Sample.identity, lexicalText: nil,
        trigramText: "大坝", filter: .init(), depth: 3))
    #expect(found.legs[.trigram]?.count == 1)
    await database.close()
  }

  @Test func restoresALostVector_whenTheCacheHasIt() async throws {
    let store = try await DamagedStore()
    try store.run(
      """
      UPDATE embedding_cache SET text_hash = (SELECT text_hash FROM chunks WHERE key = 1);
      DELETE FROM vectors WHERE chunk IN (1, 2)
      """)
    let database = try await SQLiteDatabase.open(store.folder.database)
    let report = try await SQLiteStoreUpkeep(database, cache: SQLiteEmbeddingCache(database)).tidy(
      rules: Sample.rules, isDryRun: false
    ) { _ in }
    #expect(report.beyondRepair.map(\.code) == ["vector.missing"])
    #expect(try await inspect(database).counts == ["vector.missing": 1])
    await database.close()
  }

  @Test func saysThatALostVectorCanBeMended_whenTheCacheHasIt() async throws {
    let store = try await DamagedStore()
    try store.run(
      """
      UPDATE embedding_cache SET text_hash = (SELECT text_hash FROM chunks WHERE key = 1);
      DELETE FROM vectors WHERE chunk IN (1, 2)
      """)
    let report = try await inspect(store.folder.database)
    #expect(report.findings.map(\.code) == ["vector.missing", "vector.missing"])
    #expect(report.findings.map(\.isRepairable) == [true, false])
  }

  @Test func keepsFewFindingsOfEachCode_butCountsAll() async throws {
    let store = try await DamagedStore()
    try store.run(
      """
      WITH RECURSIVE n(i) AS (VALUES (100) UNION ALL SELECT i + 1 FROM n WHERE i < 1099)
      INSERT INTO vectors SELECT i, 1, x'0000' FROM n
      """)
    let report = try await inspect(store.folder.database)
    #expect(report.findings.count == IntegrityReport.keptOfEachCode)
    #expect(report.counts == ["vector.orphaned": 1_000] && report.warnings == 1_000)
  }

  @Test func givesOverwrittenPagesAsAFinding() async throws {
    let store = try await DamagedStore()
    let url = URL(filePath: store.folder.database)
    var bytes = try [UInt8](Data(contentsOf: url))
    for index in 8_192..<bytes.count { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
    try Data(bytes).write(to: url)
    let report = try await inspect(store.folder.database)
    #expect(!report.isSound)
    #expect(report.counts.keys.allSatisfy { ["store.pages", "store.corrupt"].contains($0) }, "\(report.counts)")
  }

  @Test(arguments: [
    ("PRAGMA application_id = 42", "store.foreign"), ("PRAGMA user_version = 99", "store.newer_schema"),
  ])
  func givesAnotherOwnerOrSchemaAsAFinding(sql: String, code: String) async throws {
    let store = try await DamagedStore()
    try store.run("PRAGMA journal_mode = DELETE; \(sql)")
    #expect(try await inspect(store.folder.database).counts == [code: 1])
  }

  @Test func givesATextFileAsAFinding_andLeavesItAsItIs() async throws {
    let folder = TemporaryFolder()
    defer { folder.remove() }
    let text = Data(String(repeating: "not a database\n", count: 500).utf8)
    try text.write(to: URL(filePath: folder.database))
    #expect(try await inspect(folder.database).counts == ["store.foreign": 1])
    #expect(try Data(contentsOf: URL(filePath: folder.database)) == text)
  }

  @Test func throws_whenThereIsNoStore() async throws {
    let folder = TemporaryFolder()
    defer { folder.remove() }
    let error = await #expect(throws: StoreError.self) { try await inspect(folder.database) }
    #expect(error?.code == "store.missing")
    #expect(!FileManager.default.fileExists(atPath: folder.database))
  }
}
