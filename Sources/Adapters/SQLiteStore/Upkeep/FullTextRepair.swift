import Core
import SQLite

/// Fills full-text tables again from the stored texts.
///
/// A whole table in one transaction: a row of a table without content can only be taken out by giving exactly what was
/// put in, and what that was is just what is in doubt. Readers go on with the old rows meanwhile; writers wait.
enum FullTextRepair {
  static let repair = StoreRepair(
    codes: FullTextTable.Kind.allCases.flatMap { kind in
      ["structure", "missing", "orphaned", "text"].map { "\(kind.rawValue).\($0)" }
    } + ["space.full_text_missing", "chunk.orphaned", "revision.orphaned"],
    message: "filled full-text tables again from the stored texts"
  ) { connection, _ in
    let spaces = try connection.map("SELECT key FROM spaces ORDER BY key") { $0.integer(0) }
    var count = 0
    for space in spaces {
      for kind in FullTextTable.Kind.allCases {
        count += try refill(FullTextTable(kind: kind, space: space), connection)
      }
    }
    return (count, true)
  }

  /// Makes the table anew. Returns the chunks put in.
  private static func refill(_ table: FullTextTable, _ connection: Connection) throws -> Int {
    try connection.execute("DROP TABLE IF EXISTS \(table.name)")
    try table.create(connection)
    var count = 0
    try connection.forEach(
      """
      SELECT c.key, c.prefix, coalesce(c.embedded, c.content) FROM chunks c JOIN revisions r ON r.key = c.revision
      WHERE r.space = ? ORDER BY c.key
      """, table.space
    ) { row in
      try table.insert(FullTextTable.Entry(chunk: row.integer(0), prefix: row.text(1), body: row.text(2)), connection)
      count += 1
    }
    return count
  }
}

/// Makes lost or damaged vectors again from the embedding cache.
enum VectorRepair {
  static let repair = StoreRepair(
    codes: ["vector.missing", "vector.shape", "vector.values"], message: "restored vectors from the embedding cache"
  ) { connection, _ in
    // Reads every vector in one transaction: this is for a store that is damaged.
    var count = 0
    var changed: [Int64: Int64] = [:]
    try connection.forEach(
      """
      SELECT c.key, r.key, r.space, v.norm, v.vector, s.dimension, e.norm, e.vector
      FROM chunks c JOIN revisions r ON r.key = c.revision JOIN spaces s ON s.key = r.space
      JOIN cached_identities i ON i.canonical = s.canonical
      JOIN embedding_cache e ON e.identity = i.key AND e.text_hash = c.text_hash
      LEFT JOIN vectors v ON v.chunk = c.key ORDER BY c.key
      """
    ) { row in
      let dimension = row.int(5)
      let isSound = row.withBytes(4) { bytes in
        bytes.count == 2 * dimension && VectorCheck.isUnit(VectorCheck.lengthOfHalves(bytes)) && row.double(3) > 0
      }
      let cached = row.withBytes(7, Stored.floats)
      guard !isSound, cached.count == dimension else { return }
      let halves = HalfVectors.halves(cached)
      try halves.withUnsafeBytes { vector in
        _ = try connection.run("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", row.integer(0), row.double(6), vector)
      }
      changed[row.integer(1)] = row.integer(2)
      count += 1
    }
    if !changed.isEmpty {
      try ChangeLog.record("repair", revisions: changed.map { (space: $0.value, key: $0.key) }, connection)
    }
    return (count, true)
  }
}

/// Takes damaged embeddings out of the cache.
enum CacheRepair {
  static let repair = StoreRepair(codes: ["cache.vector"], message: "removed damaged cached embeddings") {
    connection, _ in
    var damaged: [Int64] = []
    try connection.forEach(
      """
      SELECT e.rowid, e.norm, e.vector, i.canonical FROM embedding_cache e JOIN cached_identities i ON i.key = e.identity
      """
    ) { row in
      if !CachedVector.isSound(row, norm: 1, vector: 2, canonical: 3) { damaged.append(row.integer(0)) }
    }
    for key in damaged { try connection.run("DELETE FROM embedding_cache WHERE rowid = ?", key) }
    return (damaged.count, true)
  }
}
