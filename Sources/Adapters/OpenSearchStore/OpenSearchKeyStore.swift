public import Core
public import FoundationEssentials

/// The keys of the HTTP API in the cluster, so that every query service knows them.
public final class OpenSearchKeyStore: KeyStore {
  private let cluster: OpenSearchCluster
  private var index: String { cluster.names.keys }

  /// Creates the store of an opened cluster.
  public init(_ cluster: OpenSearchCluster) { self.cluster = cluster }

  private struct Source: Decodable { var record: APIKey }

  private static func body(_ key: APIKey) throws -> [UInt8] {
    JSON.object([
      ("created", .double(key.created.timeIntervalSince1970)), ("record", .raw(try StoredJSON.encode(key))),
    ]).bytes
  }

  /// Adds a key.
  /// - Throws: `keys.duplicate` when its id or its hash is taken.
  public func add(_ key: APIKey) async throws {
    let doing = "adding a key"
    let taken = OpenSearchError(
      "keys.duplicate", .conflict, "there is a key \(key.id) already", remedy: "Create another key.")
    if try await keys().contains(where: { $0.hash == key.hash && $0.id != key.id }) { throw taken }
    let response = try await cluster.client.send(
      "PUT", "/\(index)/_create/\(RecordID.of(key.id))", body: try Self.body(key), accepted: [409], doing: doing)
    // An answer that was lost on the way leaves the key itself there.
    if response.status == 409, try await self.key(key.id) != key { throw taken }
  }

  /// The key with this id as it is now, revoked or not.
  public func key(_ id: String) async throws -> APIKey? {
    try await cluster.record(APIKey.self, index, RecordID.of(id), doing: "looking for a key").record
  }

  /// All keys, revoked ones included, oldest first.
  public func keys() async throws -> [APIKey] {
    try await cluster.refresh([index])
    var keys: [APIKey] = []
    let hits = try await cluster.hits(
      Source.self, index,
      ["size": 10_000, "track_total_hits": false, "query": ["match_all": .object([])], "sort": ["created"]],
      doing: "listing keys")
    keys = hits.compactMap { $0.source?.record }
    return keys.sorted { ($0.created, $0.id) < ($1.created, $1.id) }
  }

  /// Revokes a key; false when none with this id is still good.
  public func revoke(_ id: String, now: Date) async throws -> Bool {
    var isRevoked = false
    try await cluster.change(APIKey.self, index, RecordID.of(id), doing: "revoking a key") { key in
      guard var key, key.revoked == nil else {
        // Of a write whose answer was lost, the key says when.
        isRevoked = key?.revoked == now && isRevoked
        return .none
      }
      key.revoked = now
      isRevoked = true
      return .write(try Self.body(key))
    }
    return isRevoked
  }
}
