public import Core
import Cryptography
public import FoundationEssentials
import IndexEncoding
import SQLite

extension SQLiteDocumentIndex {
  /// Makes one version of a document searchable, replacing its earlier one, in one transaction.
  @discardableResult
  public func commit(_ indexed: IndexedDocument) async throws -> StoreVersion {
    // Encoding happens here, before the writer's thread and lock are taken.
    let encoded = try EncodedDocument(indexed)
    return try await database.write { connection in try Self.commit(encoded, connection) }
  }

  private static func commit(_ encoded: EncodedDocument, _ connection: Connection) throws -> StoreVersion {
    let indexed = encoded.indexed
    let document = indexed.document
    try connection.run("INSERT OR IGNORE INTO collections (name) VALUES (?)", document.collection.rawValue)
    let collection =
      try connection.first("SELECT key FROM collections WHERE name = ?", document.collection.rawValue) {
        $0.integer(0)
      } ?? 0
    try refuseTaken(document.uri, collection: collection, by: document.id, connection)
    let space = try Space.make(indexed.identity, connection)
    if try connection.first("SELECT 1 FROM documents LIMIT 1", row: { _ in true }) == nil {
      try connection.run("UPDATE store SET active_space = ?", space.key)
    }
    let (key, isNew) = try upsert(encoded, collection: collection, connection)
    if isNew {
      try connection.run(
        """
        INSERT INTO origins VALUES (?, ?, ?) ON CONFLICT (collection, uri)
        DO UPDATE SET next_generation = max(next_generation, excluded.next_generation)
        """, document.collection.rawValue, document.uri.rawValue, document.generation + 1)
    }
    try connection.run(
      "DELETE FROM tombstones WHERE collection = ? AND uri = ?", document.collection.rawValue, document.uri.rawValue)

    let text = try storeText(encoded, connection)
    var changed: [(space: Int64, key: Int64)] = []
    let old = try connection.first(
      "SELECT key, text FROM revisions WHERE document = ? AND space = ?", key, space.key
    ) { (key: $0.integer(0), text: $0.integer(1)) }
    if let old {
      try removeFromFullText(revision: old.key, space, connection)
      try connection.run("DELETE FROM revisions WHERE key = ?", old.key)
      // The same extraction again, with another title say, keeps its text.
      if old.text != text { try dropOrphan(text: old.text, connection) }
      changed.append((space.key, old.key))
    }
    let revision = try insertRevision(encoded, document: key, space: space, text: text, connection)
    changed.append((space.key, revision))
    if !space.isCoded { try SketchBacklog.begin(space, connection) }
    return try ChangeLog.record("commit", document: document.id, revisions: changed, connection)
  }

  private static func upsert(
    _ encoded: EncodedDocument, collection: Int64, _ connection: Connection
  ) throws -> (key: Int64, isNew: Bool) {
    let document = encoded.indexed.document
    let known = try connection.first("SELECT key FROM documents WHERE id = ?", document.id.rawValue) { $0.integer(0) }
    if let known {
      try connection.run(
        "UPDATE documents SET uri = ?, version = ?, stamp = ? WHERE key = ?", document.uri.rawValue,
        document.version.rawValue, encoded.indexed.sourceStamp, known)
      return (known, false)
    }
    try connection.run(
      "INSERT INTO documents (id, collection, uri, generation, version, stamp) VALUES (?, ?, ?, ?, ?, ?)",
      document.id.rawValue, collection, document.uri.rawValue, document.generation, document.version.rawValue,
      encoded.indexed.sourceStamp)
    return (connection.lastInsertRowID, true)
  }

  /// The key of exactly this extraction, stored unless another revision has it already.
  private static func storeText(_ encoded: EncodedDocument, _ connection: Connection) throws -> Int64 {
    if let known = try connection.first(
      "SELECT key FROM texts WHERE digest = ?", encoded.digest, row: { $0.integer(0) })
    {
      // Not part of the digest: stores of earlier versions know the pages but not the damage.
      try connection.run(
        "UPDATE texts SET damage = ?1 WHERE key = ?2 AND damage IS NOT ?1", encoded.indexed.damage, known)
      return known
    }
    let indexed = encoded.indexed
    try connection.run(
      """
      INSERT INTO texts (digest, version, pipeline, page_count, coverage, unreadable, outline, damage)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """, encoded.digest, indexed.document.version.rawValue, indexed.pipeline.rawValue, indexed.pageCount,
      encoded.coverage, indexed.pages.count { $0.coverage.isUnreadable }, encoded.outline, indexed.damage)
    let text = connection.lastInsertRowID
    for (page, parts) in zip(indexed.pages, encoded.pages) {
      try connection.run(
        """
        INSERT INTO pages (text, number, coverage, reason, label, width, height, content, blocks, boxes, recognizer,
          recognition_confidence)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """, text, page.number, page.coverage.rawValue, page.coverageReason, page.label, Double(page.size.width),
        Double(page.size.height), page.text, parts.blocks, parts.boxes,
        page.recognition?.recognizer, (page.recognition?.confidence).map(Double.init))
    }
    return text
  }

  private static func insertRevision(
    _ encoded: EncodedDocument, document: Int64, space: Space, text: Int64, _ connection: Connection
  ) throws -> Int64 {
    let indexed = encoded.indexed
    let metadata = indexed.metadata
    // Consecutive keys: this transaction is the only writer.
    let first = try connection.first("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'") { $0.integer(0) } ?? 0
    try connection.run(
      """
      INSERT INTO revisions (document, space, text, version, pipeline, first_chunk, chunk_count, page_count,
        byte_count, state, reason, title, author, created, modified, attributes, indexed)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, document, space.key, text, indexed.document.version.rawValue, indexed.pipeline.rawValue, first + 1,
      indexed.chunks.count, indexed.pageCount, indexed.byteCount, indexed.state.rawValue, indexed.reason,
      metadata.title, metadata.author, metadata.created?.seconds, metadata.modified?.seconds, encoded.attributes,
      indexed.indexed.seconds)
    let revision = connection.lastInsertRowID
    for (name, value) in metadata.attributes {
      try connection.run("INSERT INTO attributes VALUES (?, ?, ?)", revision, name, value)
    }
    var key = first
    for chunk in encoded.chunks {
      key += 1
      try connection.run(
        """
        INSERT INTO chunks (key, revision, ordinal, id, text_hash, low_value, pages, headings, prefix, content, embedded)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """, key, revision, chunk.source.chunk.ordinal, chunk.source.chunk.id.rawValue,
        chunk.source.textHash.rawValue, chunk.source.chunk.isLowValue, chunk.pages, chunk.headings, chunk.prefix,
        chunk.source.chunk.text, chunk.embedded)
      try chunk.vector.withUnsafeBytes { vector in
        _ = try connection.run(
          "INSERT INTO vectors VALUES (?, ?, ?)", key, Double(chunk.source.embedding.norm), vector)
      }
      try connection.run(
        "INSERT INTO \(space.words) (rowid, prefix, body) VALUES (?, ?, ?)", key, chunk.prefix, chunk.body)
      if !chunk.grams.isEmpty {
        try connection.run("INSERT INTO \(space.grams) (rowid, grams) VALUES (?, ?)", key, chunk.grams)
      }
    }
    if !encoded.chunks.isEmpty {
      let codes = try Centre.read(space, connection).map { centre in
        Sketch.codes(of: encoded.chunks.flatMap(\.vector), centre: centre)
      }
      try Sketch(codes: codes, counting: first + 1..<key + 1, of: space, connection).store(revision, connection)
    }
    return revision
  }

  /// Takes a revision's chunks out of the full-text tables, which need the texts again as they were put in.
  static func removeFromFullText(revision: Int64, _ space: Space, _ connection: Connection) throws {
    let query = "SELECT key, prefix, coalesce(embedded, content) FROM chunks WHERE revision = ?"
    let rows = try connection.map(query, revision) { (key: $0.integer(0), prefix: $0.text(1), body: $0.text(2)) }
    for row in rows {
      try connection.run(
        "INSERT INTO \(space.words) (\(space.words), rowid, prefix, body) VALUES ('delete', ?, ?, ?)", row.key,
        row.prefix, row.body)
      let grams = ScriptGrams.indexed(of: row.prefix + row.body)
      if !grams.isEmpty {
        try connection.run(
          "INSERT INTO \(space.grams) (\(space.grams), rowid, grams) VALUES ('delete', ?, ?)", row.key, grams)
      }
    }
  }

  static func dropOrphan(text: Int64, _ connection: Connection) throws {
    try connection.run(
      "DELETE FROM texts WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM revisions WHERE text = ?1)", text)
  }
}

extension SQLiteDocumentIndex {
  /// Removes a document from every table, index and space.
  @discardableResult
  public func delete(_ id: DocumentID, tombstone: Bool, now: Date) async throws -> [ChunkID] {
    let chunks = try await database.write { connection in
      try Self.delete(id, tombstone: tombstone, now: now, connection)
    }
    if !chunks.isEmpty { await reclaim() }
    return chunks
  }

  private static func delete(
    _ id: DocumentID, tombstone: Bool, now: Date, _ connection: Connection
  ) throws -> [ChunkID] {
    guard let key = try connection.first("SELECT key FROM documents WHERE id = ?", id.rawValue, row: { $0.integer(0) })
    else { return [] }
    if tombstone {
      try connection.run(
        """
        INSERT OR REPLACE INTO tombstones
        SELECT c.name, d.uri, d.id, d.generation, d.version, d.stamp, r.pipeline, s.identity, ?
        FROM documents d JOIN collections c ON c.key = d.collection JOIN revisions r ON r.document = d.key
        JOIN spaces s ON s.key = r.space WHERE d.key = ? ORDER BY r.key DESC LIMIT 1
        """, now.seconds, key)
    }
    let chunks = try connection.map(
      "SELECT DISTINCT c.id FROM chunks c JOIN revisions r ON r.key = c.revision WHERE r.document = ? ORDER BY c.id",
      key
    ) { ChunkID(rawValue: $0.text(0)) }
    let revisions = try connection.map(
      "SELECT r.key, r.text, s.key, s.identity FROM revisions r JOIN spaces s ON s.key = r.space WHERE r.document = ?",
      key
    ) { row in
      let identity = try Stored.value(EmbeddingIdentity.self, row.text(3), "an identity")
      return (key: row.integer(0), text: row.integer(1), space: Space(key: row.integer(2), identity: identity))
    }
    for revision in revisions { try removeFromFullText(revision: revision.key, revision.space, connection) }
    try connection.run("DELETE FROM documents WHERE key = ?", key)
    for revision in revisions { try dropOrphan(text: revision.text, connection) }
    try ChangeLog.record("delete", document: id, revisions: revisions.map { ($0.space.key, $0.key) }, connection)
    if try connection.first("SELECT 1 FROM documents LIMIT 1", row: { _ in true }) == nil {
      // An empty index has no identity: the next commit chooses.
      try connection.run("UPDATE store SET active_space = NULL")
      try dropSpaces(except: nil, connection)
    }
    return chunks
  }

  /// Searches `identity` from now on and drops the other spaces.
  public func activate(_ identity: EmbeddingIdentity) async throws {
    try await database.write { connection in
      let space = try Space.of(identity, connection)
      let missing =
        try connection.first(
          """
          SELECT count(*) FROM documents d WHERE NOT EXISTS (
            SELECT 1 FROM revisions r WHERE r.document = d.key AND r.space = ? AND r.version = d.version)
          """, space?.key ?? -1
        ) { $0.int(0) } ?? 0
      guard missing == 0 else {
        throw StoreError(
          code: "index.rebuild_incomplete", category: .conflict,
          message: "\(missing) documents have no vectors of \(identity.summary) in their newest version yet",
          remedy: "Run `quarry ingest --rebuild` again; it goes on where it stopped.")
      }
      guard let space else { return }
      try connection.run("UPDATE store SET active_space = ?", space.key)
      try Self.dropSpaces(except: space.key, connection)
      try ChangeLog.record("activate", connection)
    }
    await reclaim()
  }

  private static func dropSpaces(except kept: Int64?, _ connection: Connection) throws {
    let others = try connection.map("SELECT key, identity FROM spaces WHERE key IS NOT ?", kept) { row in
      Space(key: row.integer(0), identity: try Stored.value(EmbeddingIdentity.self, row.text(1), "an identity"))
    }
    for space in others { try space.drop(connection) }
    if !others.isEmpty {
      try connection.run("DELETE FROM texts WHERE NOT EXISTS (SELECT 1 FROM revisions WHERE text = texts.key)")
    }
  }

  /// Gives some free pages back to the file system. Best effort: what was asked for has happened already.
  private func reclaim() async {
    _ = try? await database.maintain { try $0.execute("PRAGMA incremental_vacuum(4000)") }
  }
}
