import Concurrency
public import Core
import FoundationEssentials
import SQLite

/// The embedded index: whole documents, their pages, chunks, full-text tables and vectors in one SQLite file.
///
/// Dense search scans one-bit codes in memory (loaded by the first query and kept up with commits of any process) and
/// scores the best with their exact vectors; below 10,000 chunks it is exact. Words and n-grams are ranked by BM25 over
/// FTS5's index, rare ones first. All of a query is answered from one snapshot.
public final class SQLiteDocumentIndex: DocumentIndex {
  let database: SQLiteDatabase
  let resident = ResidentIndex()
  let frequencies = TermFrequencies()
  /// Queries that run.
  let searchers = Locked(0)
  /// The most threads that scan for one query.
  static let searchWidth = max(1, ProcessInfo.processInfo.activeProcessorCount)

  /// Postings walked in words that could be left out.
  let lexicalBudget: Int

  /// Creates the index of `database`.
  public convenience init(_ database: SQLiteDatabase) {
    self.init(database, lexicalBudget: LexicalSearch.defaultBudget)
  }

  package init(_ database: SQLiteDatabase, lexicalBudget: Int) {
    self.database = database
    self.lexicalBudget = lexicalBudget
  }

  /// The identity searched; nil while nothing is indexed.
  public func activeIdentity() async throws -> EmbeddingIdentity? {
    try await database.read { try Space.active($0)?.identity }
  }

  /// The store's version.
  public func version() async throws -> StoreVersion {
    try await database.read { StoreVersion(try $0.storeVersion()) }
  }

  // MARK: Sources

  private static let sourceColumns = """
    d.id, c.name, d.uri, d.generation, d.version, d.stamp, r.pipeline, s.identity, 0, t.coverage
    FROM documents d JOIN collections c ON c.key = d.collection
    JOIN revisions r ON r.key = (SELECT max(key) FROM revisions WHERE document = d.key)
    JOIN spaces s ON s.key = r.space JOIN texts t ON t.key = r.text
    """
  private static let tombstoneColumns =
    "document, collection, uri, generation, version, stamp, pipeline, identity, 1, '{}' FROM tombstones"

  private static func source(_ row: Row) throws -> IndexedSource {
    var decoded = Decoded()
    return try source(row, &decoded)
  }

  /// Many rows have few identities and few distinct counts of pages: each is decoded once.
  private struct Decoded {
    var identities: [String: EmbeddingIdentity] = [:]
    var coverages: [String: [PageCoverage: Int]] = [:]
  }

  /// The same for many rows.
  private static func source(_ row: Row, _ decoded: inout Decoded) throws -> IndexedSource {
    let text = row.text(7)
    let identity = try decoded.identities[text] ?? Stored.value(EmbeddingIdentity.self, text, "an identity")
    decoded.identities[text] = identity
    let counts = row.text(9)
    let coverage = try decoded.coverages[counts] ?? Stored.value([PageCoverage: Int].self, counts, "coverage")
    decoded.coverages[counts] = coverage
    return IndexedSource(
      document: Document(
        id: DocumentID(rawValue: row.text(0)), collection: CollectionName(rawValue: row.text(1)),
        uri: SourceURI(rawValue: row.text(2)), generation: row.int(3),
        version: ContentVersion(rawValue: row.text(4))),
      stamp: row.text(5), pipeline: PipelineVersion(rawValue: row.text(6)),
      identity: identity, isTombstone: row.bool(8), coverage: coverage)
  }

  /// What is known of the object at `uri`: of a rebuild under way, the newest commit.
  public func source(at uri: SourceURI, collection: CollectionName) async throws -> IndexedSource? {
    try await database.snapshot { connection in
      try connection.first(
        "SELECT \(Self.sourceColumns) WHERE c.name = ? AND d.uri = ?", collection.rawValue, uri.rawValue,
        row: Self.source)
        ?? connection.first(
          "SELECT \(Self.tombstoneColumns) WHERE collection = ? AND uri = ?", collection.rawValue, uri.rawValue,
          row: Self.source)
    }
  }

  /// Everything indexed at or below `root`, by URI, tombstones included.
  public func sources(under root: SourceURI, collection: CollectionName) async throws -> [IndexedSource] {
    let name = root.rawValue
    let folder = name.hasSuffix("/") ? name : name + "/"
    // The text after every text that begins with the folder: "/" is followed by "0".
    let end = folder.dropLast() + "0"
    return try await database.snapshot { connection in
      var decoded = Decoded()
      let live = try connection.map(
        "SELECT \(Self.sourceColumns) WHERE c.name = ? AND (d.uri = ? OR (d.uri >= ? AND d.uri < ?)) ORDER BY d.uri",
        collection.rawValue, name, folder, String(end)
      ) { try Self.source($0, &decoded) }
      let dead = try connection.map(
        "SELECT \(Self.tombstoneColumns) WHERE collection = ? AND (uri = ? OR (uri >= ? AND uri < ?)) ORDER BY uri",
        collection.rawValue, name, folder, String(end)
      ) { try Self.source($0, &decoded) }
      return dead.isEmpty ? live : (live + dead).sorted { $0.document.uri < $1.document.uri }
    }
  }

  /// The next generation number at `uri`.
  public func nextGeneration(at uri: SourceURI, collection: CollectionName) async throws -> Int {
    try await database.read { connection in
      try connection.first(
        "SELECT next_generation FROM origins WHERE collection = ? AND uri = ?", collection.rawValue, uri.rawValue
      ) { $0.int(0) } ?? 0
    }
  }

  // MARK: Changes of place

  /// Changes a document's URI after a rename.
  public func move(_ id: DocumentID, to uri: SourceURI, stamp: String) async throws {
    try await database.write { connection in
      let known = try connection.first(
        "SELECT d.key, d.collection, c.name FROM documents d JOIN collections c ON c.key = d.collection WHERE d.id = ?",
        id.rawValue
      ) { (key: $0.integer(0), collection: $0.integer(1), name: $0.text(2)) }
      guard let known else { throw StoreError.missing(id) }
      try Self.refuseTaken(uri, collection: known.collection, by: id, connection)
      try connection.run("UPDATE documents SET uri = ?, stamp = ? WHERE key = ?", uri.rawValue, stamp, known.key)
      try connection.run("DELETE FROM tombstones WHERE collection = ? AND uri = ?", known.name, uri.rawValue)
      try ChangeLog.record("move", document: id, connection)
    }
  }

  /// Notes another stamp of an unchanged document or of a tombstone.
  public func updateStamp(_ id: DocumentID, stamp: String) async throws {
    try await database.write { connection in
      let changed =
        try connection.run("UPDATE documents SET stamp = ? WHERE id = ?", stamp, id.rawValue)
        + connection.run("UPDATE tombstones SET stamp = ? WHERE document = ?", stamp, id.rawValue)
      if changed == 0 { throw StoreError.missing(id) }
    }
  }

  static func refuseTaken(
    _ uri: SourceURI, collection: Int64, by id: DocumentID, _ connection: Connection
  ) throws {
    let other = try connection.first(
      "SELECT id FROM documents WHERE collection = ? AND uri = ? AND id <> ?", collection, uri.rawValue, id.rawValue
    ) { $0.text(0) }
    if let other { throw StoreError.uriTaken(uri, by: other) }
  }
}

/// The store's version and what each version changed.
enum ChangeLog {
  /// How many versions readers can catch up with; one that slept longer loads everything anew.
  static let kept: Int64 = 10_000

  /// Raises the store's version, noting revisions that came or went, and returns it.
  @discardableResult
  static func record(
    _ kind: String, document: DocumentID? = nil, revisions: [(space: Int64, key: Int64)] = [],
    _ connection: Connection
  ) throws -> StoreVersion {
    try connection.run("UPDATE store SET version = version + 1")
    let version = try connection.storeVersion()
    let insert = "INSERT INTO changes (version, kind, document, space, revision) VALUES (?, ?, ?, ?, ?)"
    if revisions.isEmpty { try connection.run(insert, version, kind, document?.rawValue, nil, nil) }
    for revision in revisions {
      try connection.run(insert, version, kind, document?.rawValue, revision.space, revision.key)
    }
    try connection.run("DELETE FROM changes WHERE version <= ?", version - kept)
    return StoreVersion(version)
  }
}
