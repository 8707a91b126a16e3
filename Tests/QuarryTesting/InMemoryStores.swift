public import Core
public import FoundationEssentials

/// An embedding cache in memory.
public actor InMemoryEmbeddingCache: EmbeddingCache {
  private var entries: [EmbeddingIdentity: [TextHash: Embedding]] = [:]

  /// Creates an empty cache.
  public init() {}

  /// The embeddings known for these texts under `identity`.
  public func embeddings(
    for hashes: [TextHash], identity: EmbeddingIdentity
  ) async throws -> [TextHash: Embedding] {
    var found: [TextHash: Embedding] = [:]
    for hash in hashes { found[hash] = entries[identity]?[hash] }
    return found
  }

  /// Remembers embeddings.
  public func store(_ embeddings: [TextHash: Embedding], identity: EmbeddingIdentity) async throws {
    entries[identity, default: [:]].merge(embeddings) { _, new in new }
  }
}

/// Conversations in memory.
public actor InMemoryConversationStore: ConversationStore {
  private struct Key: Hashable {
    var id: ConversationID
    var caller: String
  }

  private var conversations: [Key: [Turn]] = [:]

  /// Creates an empty store.
  public init() {}

  /// The newest turns, oldest first.
  public func turns(of id: ConversationID, caller: String, limit: Int) async throws -> [Turn] {
    Array((conversations[Key(id: id, caller: caller)] ?? []).suffix(max(0, limit)))
  }

  /// Adds turns.
  public func append(_ turns: [Turn], to id: ConversationID, caller: String, now: Date) async throws {
    conversations[Key(id: id, caller: caller), default: []] += turns
  }
}

/// API keys in memory.
public actor InMemoryKeyStore: KeyStore {
  private var records: [APIKey] = []

  /// Creates an empty store.
  public init() {}

  /// Adds a key.
  public func add(_ key: APIKey) async throws {
    guard !records.contains(where: { $0.id == key.id || $0.hash == key.hash }) else {
      throw CoreError(code: "keys.duplicate", category: .conflict, message: "key \(key.id) exists already")
    }
    records.append(key)
  }

  /// The key with this id.
  public func key(_ id: String) async throws -> APIKey? { records.first { $0.id == id } }

  /// All keys, oldest first.
  public func keys() async throws -> [APIKey] { records.sorted { ($0.created, $0.id) < ($1.created, $1.id) } }

  /// Revokes a key.
  public func revoke(_ id: String, now: Date) async throws -> Bool {
    guard let index = records.firstIndex(where: { $0.id == id && $0.revoked == nil }) else { return false }
    records[index].revoked = now
    return true
  }
}
