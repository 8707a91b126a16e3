public import Core
import SQLite

/// The durable cache of embeddings, exact to the bit (binary32): what was computed or paid for once is reused by any
/// document, also after the one that it was computed for is gone.
public final class SQLiteEmbeddingCache: EmbeddingCache {
  private let database: SQLiteDatabase

  /// Creates the cache of `database`.
  public init(_ database: SQLiteDatabase) { self.database = database }

  private static func key(of identity: EmbeddingIdentity, _ connection: Connection) throws -> Int64? {
    try connection.first("SELECT key FROM cached_identities WHERE canonical = ?", identity.canonical) { $0.integer(0) }
  }

  /// The embeddings known for these texts under `identity`.
  public func embeddings(
    for hashes: [TextHash], identity: EmbeddingIdentity
  ) async throws -> [TextHash: Embedding] {
    if hashes.isEmpty { return [:] }
    return try await database.snapshot { connection in
      guard let key = try Self.key(of: identity, connection) else { return [:] }
      var found: [TextHash: Embedding] = [:]
      let sql = "SELECT norm, vector FROM embedding_cache WHERE identity = ? AND text_hash = ?"
      try connection.withStatement(sql) { statement in
        for hash in hashes where found[hash] == nil {
          try statement.bind(key, hash.rawValue)
          guard try statement.step() else { continue }
          let vector = statement.row.withBytes(1, Stored.floats)
          guard vector.count == identity.dimension else {
            throw StoreError.damaged("a cached vector has \(vector.count) components of \(identity.dimension)")
          }
          found[hash] = Embedding(unit: vector, norm: Float(statement.row.double(0)))
        }
      }
      return found
    }
  }

  /// Remembers embeddings; durable when it returns.
  public func store(_ embeddings: [TextHash: Embedding], identity: EmbeddingIdentity) async throws {
    if embeddings.isEmpty { return }
    try await database.write { connection in
      try connection.run("INSERT OR IGNORE INTO cached_identities (canonical) VALUES (?)", identity.canonical)
      guard let key = try Self.key(of: identity, connection) else { throw StoreError.damaged("an identity is missing") }
      for (hash, embedding) in embeddings {
        try connection.run(
          "INSERT OR REPLACE INTO embedding_cache (identity, text_hash, norm, vector) VALUES (?, ?, ?, ?)", key,
          hash.rawValue, Double(embedding.norm), Stored.bytes(embedding.vector))
      }
    }
  }
}
