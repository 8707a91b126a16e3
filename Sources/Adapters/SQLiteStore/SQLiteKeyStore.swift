public import Core
public import FoundationEssentials
import SQLite

/// The keys of the HTTP API, stored by the hash of their secret.
public final class SQLiteKeyStore: KeyStore {
  private let database: SQLiteDatabase

  /// Creates the key table of `database`.
  public init(_ database: SQLiteDatabase) { self.database = database }

  private static let query = "SELECT id, label, hash, collections, created, revoked, permission FROM api_keys"

  private static func key(_ row: Row) throws -> APIKey {
    let names = try row.optionalText(3).map { try Stored.value([String].self, $0, "the collections of a key") }
    return APIKey(
      id: row.text(0), label: row.text(1), hash: row.text(2),
      allowedCollections: names.map { Set($0.map(CollectionName.init(rawValue:))) },
      permission: try Stored.word(KeyPermission.self, row.text(6), "permission of a key"), created: row.date(4),
      revoked: row.optionalDate(5))
  }

  /// Adds a key.
  public func add(_ key: APIKey) async throws {
    let collections = try key.allowedCollections.map { try Stored.json($0.map(\.rawValue).sorted()) }
    try await database.write { connection in
      do {
        try connection.run(
          """
          INSERT INTO api_keys (id, label, hash, collections, created, revoked, permission)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          """, key.id, key.label, key.hash, collections, key.created.seconds, key.revoked?.seconds,
          key.permission.rawValue)
      } catch let error as SQLiteError where error.isUniqueViolation {
        throw StoreError(
          code: "keys.duplicate", category: .conflict, message: "there is a key \(key.id) already",
          remedy: "Create another key.", underlying: error)
      }
    }
  }

  /// The key with this id, revoked or not.
  public func key(_ id: String) async throws -> APIKey? {
    try await database.read { try $0.first("\(Self.query) WHERE id = ?", id, row: Self.key) }
  }

  /// All keys, oldest first.
  public func keys() async throws -> [APIKey] {
    try await database.read { try $0.map("\(Self.query) ORDER BY created, id", row: Self.key) }
  }

  /// Revokes a key; false when none with this id is still good.
  public func revoke(_ id: String, now: Date) async throws -> Bool {
    try await database.write { connection in
      try connection.run("UPDATE api_keys SET revoked = ? WHERE id = ? AND revoked IS NULL", now.seconds, id) > 0
    }
  }
}
