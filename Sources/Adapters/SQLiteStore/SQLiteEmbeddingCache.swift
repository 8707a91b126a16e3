import Concurrency
public import Core
public import FoundationEssentials
import SQLite

/// The durable cache of embeddings, exact to the bit (binary32): what was computed or paid for once is reused by any
/// document, also after the one that it was computed for is gone.
///
/// Bounded: beyond its bound the least recently used go, by the day. It looks at its size when it is made, and again
/// whenever it has grown by a sixteenth of the bound.
public final class SQLiteEmbeddingCache: EmbeddingCache {
  /// The default bound, bytes: some 600,000 passages of 384 components.
  public static let defaultBytes = 1 << 30

  private let database: SQLiteDatabase
  private let maximumBytes: Int
  private let now: @Sendable () -> Date
  /// Bytes stored since the size was looked at; nil before the first look.
  private let grown = Locked<Int?>(nil)

  /// What an entry takes beside its vector: its hash twice (row and index), its norm and SQLite's own.
  private static let overhead = 192
  /// Entries deleted in one transaction.
  private static let width = 2_000

  /// Creates the cache of `database`.
  /// - Parameters:
  ///   - database: The store.
  ///   - maximumBytes: The bound, bytes of the file; 0 keeps nothing for longer than a run needs it.
  ///   - now: The clock.
  public init(
    _ database: SQLiteDatabase, maximumBytes: Int = SQLiteEmbeddingCache.defaultBytes,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.database = database
    self.maximumBytes = max(0, maximumBytes)
    self.now = now
  }

  /// Days since 1970: how use is recorded, so that a text that is used all day is written once.
  private var today: Int { Int(now().timeIntervalSince1970 / 86_400) }

  private static func key(of identity: EmbeddingIdentity, _ connection: Connection) throws -> Int64? {
    try connection.first("SELECT key FROM cached_identities WHERE canonical = ?", identity.canonical) { $0.integer(0) }
  }

  /// The embeddings known for these texts under `identity`.
  public func embeddings(
    for hashes: [TextHash], identity: EmbeddingIdentity
  ) async throws -> [TextHash: Embedding] {
    if hashes.isEmpty { return [:] }
    let today = today
    let (found, unused) = try await database.snapshot { connection -> ([TextHash: Embedding], [Int64]) in
      guard let key = try Self.key(of: identity, connection) else { return ([:], []) }
      var found: [TextHash: Embedding] = [:]
      var unused: [Int64] = []
      let sql = "SELECT norm, vector, used, rowid FROM embedding_cache WHERE identity = ? AND text_hash = ?"
      try connection.withStatement(sql) { statement in
        for hash in hashes where found[hash] == nil {
          try statement.bind(key, hash.rawValue)
          guard try statement.step() else { continue }
          let vector = statement.row.withBytes(1, Stored.floats)
          guard vector.count == identity.dimension else {
            throw StoreError.damaged("a cached vector has \(vector.count) components of \(identity.dimension)")
          }
          found[hash] = Embedding(unit: vector, norm: Float(statement.row.double(0)))
          if statement.row.int(2) < today { unused.append(statement.row.integer(3)) }
        }
      }
      return (found, unused)
    }
    if !unused.isEmpty {
      try await database.write { connection in
        for key in unused { try connection.run("UPDATE embedding_cache SET used = ? WHERE rowid = ?", today, key) }
      }
    }
    return found
  }

  /// Remembers embeddings; durable when it returns.
  public func store(_ embeddings: [TextHash: Embedding], identity: EmbeddingIdentity) async throws {
    if embeddings.isEmpty { return }
    let today = today
    try await database.write { connection in
      try connection.run("INSERT OR IGNORE INTO cached_identities (canonical) VALUES (?)", identity.canonical)
      guard let key = try Self.key(of: identity, connection) else { throw StoreError.damaged("an identity is missing") }
      for (hash, embedding) in embeddings {
        try connection.run(
          "INSERT OR REPLACE INTO embedding_cache (identity, text_hash, norm, vector, used) VALUES (?, ?, ?, ?, ?)",
          key, hash.rawValue, Double(embedding.norm), Stored.bytes(embedding.vector), today)
      }
    }
    let added = embeddings.count * Self.bytes(ofDimension: identity.dimension)
    let isDue = grown.withLock { grown in
      let total = grown.map { $0 + added }
      let isDue = total.map { $0 >= maximumBytes / 16 } ?? true
      grown = isDue ? 0 : total
      return isDue
    }
    if isDue { try await trim(isDryRun: false) }
  }

  /// Takes the least recently used out until the cache is a tenth below its bound; nothing while it is within it.
  /// - Returns: How many went, or would go.
  @discardableResult
  public func trim(isDryRun: Bool) async throws -> Int {
    let (size, count) = try await database.snapshot { connection in
      let sizes = try connection.map(
        """
        SELECT i.canonical, count(*) FROM embedding_cache e JOIN cached_identities i ON i.key = e.identity
        GROUP BY e.identity
        """
      ) { (bytes: Self.bytes(ofDimension: CachedVector.dimension(canonical: $0.text(0)) ?? 0) * $0.int(1), $0.int(1)) }
      return (sizes.reduce(0) { $0 + $1.bytes }, sizes.reduce(0) { $0 + $1.1 })
    }
    guard size > maximumBytes, count > 0 else { return 0 }
    // Entries of several models differ in size; their mean will do.
    let excess = size - maximumBytes / 10 * 9
    var left = min(count, (excess * count + size - 1) / size)
    let total = left
    while left > 0, !isDryRun {
      try Task.checkCancellation()
      let slice = min(left, Self.width)
      let gone = try await database.write { connection in
        try connection.run(
          "DELETE FROM embedding_cache WHERE rowid IN (SELECT rowid FROM embedding_cache ORDER BY used, rowid LIMIT ?)",
          slice)
      }
      if gone == 0 { break }
      left -= gone
    }
    return total
  }

  private static func bytes(ofDimension dimension: Int) -> Int { 4 * dimension + overhead }
}
