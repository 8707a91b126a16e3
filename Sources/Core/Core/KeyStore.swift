public import FoundationEssentials

/// What the holder of a key may do.
public enum KeyPermission: String, Sendable, Codable, CaseIterable {
  /// Ask, search, and look at documents.
  case read
  /// The same, and upload and delete documents.
  case write
}

/// A key that lets a program use the HTTP API. The secret itself is never stored.
public struct APIKey: Sendable, Hashable, Codable {
  /// A short public id, part of the secret that the user holds; also the caller's id.
  public var id: String
  /// What the key is for, in the words of whoever made it.
  public var label: String
  /// SHA-256 of the whole secret, 64 lower-case hex digits.
  public var hash: String
  /// The collections that it is good for; nil for all.
  public var allowedCollections: Set<CollectionName>?
  /// What it allows there.
  public var permission: KeyPermission
  /// When it was made.
  public var created: Date
  /// When it was revoked; nil while it is good.
  public var revoked: Date?

  /// Creates a key's record.
  public init(
    id: String, label: String, hash: String, allowedCollections: Set<CollectionName>? = nil,
    permission: KeyPermission = .write, created: Date, revoked: Date? = nil
  ) {
    self.id = id
    self.label = label
    self.hash = hash
    self.allowedCollections = allowedCollections
    self.permission = permission
    self.created = created
    self.revoked = revoked
  }
}

/// Keeps the keys of the HTTP API.
public protocol KeyStore: Sendable {
  /// Adds a key.
  /// - Throws: `conflict` (`keys.duplicate`) when its id or hash is taken.
  func add(_ key: APIKey) async throws
  /// The key with this id, revoked or not; nil when there is none. The caller compares hashes in constant time.
  func key(_ id: String) async throws -> APIKey?
  /// All keys, revoked ones included, oldest first.
  func keys() async throws -> [APIKey]
  /// Revokes a key; false when there is none with this id that is still good.
  func revoke(_ id: String, now: Date) async throws -> Bool
}
