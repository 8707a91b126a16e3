public import Core
public import FoundationEssentials

/// The durable cache of embeddings in the cluster, exact to the bit (binary32): what one worker computed or paid for, no
/// other does again.
///
/// Bounded by count: ``trim()`` removes the least recently used, by the day.
public final class OpenSearchEmbeddingCache: EmbeddingCache {
  private let cluster: OpenSearchCluster
  private let maximumBytes: Int
  private let now: @Sendable () -> Date
  private var index: String { cluster.names.embeddings }
  /// What an entry takes beside its vector, roughly.
  private static let overhead = 300

  /// Creates the cache of an opened cluster.
  /// - Parameter maximumBytes: The bound that ``trim()`` keeps.
  public init(
    _ cluster: OpenSearchCluster, maximumBytes: Int = 1 << 30, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.cluster = cluster
    self.maximumBytes = maximumBytes
    self.now = now
  }

  private var today: Int { Int(now().timeIntervalSince1970 / 86_400) }

  private struct Got: MultiGetItem {
    struct Source: Decodable, Sendable {
      struct Record: Decodable, Sendable {
        var norm: Float
        var vector: String
      }
      var used: Double
      var record: Record
    }
    var id: String
    var source: Source?
    var error: FailureCause?
    enum CodingKeys: String, CodingKey {
      case id = "_id"
      case source = "_source"
      case error
    }
  }

  /// The embeddings known for these texts under `identity`.
  public func embeddings(
    for hashes: [TextHash], identity: EmbeddingIdentity
  ) async throws -> [TextHash: Embedding] {
    var found: [TextHash: Embedding] = [:]
    var stale: [TextHash: Embedding] = [:]
    let wanted = Array(Set(hashes))
    for start in stride(from: 0, to: wanted.count, by: 500) {
      let part = wanted[start..<min(start + 500, wanted.count)]
      let ids = Dictionary(uniqueKeysWithValues: part.map { (RecordID.of(identity.canonical, $0.rawValue), $0) })
      let got = try await cluster.multiGet(
        Got.self, index, ids.keys.sorted(), doing: "looking for known embeddings")
      for doc in got {
        guard let source = doc.source, let hash = ids[doc.id] else { continue }
        guard let vector = Self.vector(source.record.vector), vector.count == identity.dimension else {
          // Computed again, and then written over.
          continue
        }
        let embedding = Embedding(unit: vector, norm: source.record.norm)
        found[hash] = embedding
        if Int(source.used) < today { stale[hash] = embedding }
      }
    }
    if !stale.isEmpty { try await store(stale, identity: identity) }
    return found
  }

  /// Remembers embeddings; durable when it returns.
  public func store(_ embeddings: [TextHash: Embedding], identity: EmbeddingIdentity) async throws {
    let (index, used) = (index, today)
    let items = embeddings.lazy.map { hash, embedding in
      BulkWriter.Item.write(index, RecordID.of(identity.canonical, hash.rawValue)) {
        $0.append([
          "identity": .string(RecordID.of(identity.canonical)), "used": .int(used),
          "record": [
            "norm": .double(Double(embedding.norm)), "vector": .string(Self.text(embedding.vector)),
          ],
        ])
      }
    }
    try await BulkWriter(client: cluster.client).write(items, doing: "keeping embeddings")
  }

  private static func text(_ vector: [Float]) -> String {
    var bytes = Data(capacity: vector.count * 4)
    for component in vector { withUnsafeBytes(of: component.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
    return bytes.base64EncodedString()
  }

  private static func vector(_ text: String) -> [Float]? {
    guard let data = Data(base64Encoded: text), data.count % 4 == 0 else { return nil }
    return data.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map {
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
      }
    }
  }

  /// Removes the least recently used until the rest fits the bound, by whole days.
  /// - Returns: How many were removed.
  @discardableResult
  public func trim(dimension: Int) async throws -> Int {
    struct Answer: Decodable {
      struct Total: Decodable { var value: Int }
      struct All: Decodable { var total: Total }
      struct Bucket: Decodable {
        var key: Double
        var count: Int
        enum CodingKeys: String, CodingKey {
          case key
          case count = "doc_count"
        }
      }
      struct Days: Decodable { var buckets: [Bucket] }
      struct Aggregations: Decodable { var days: Days }
      var aggregations: Aggregations
    }
    struct Deleted: Decodable { var deleted: Int }
    try await cluster.refresh([index])
    let answer = try await cluster.client.json(
      Answer.self, "POST", "/\(index)/_search",
      body: [
        "size": 0, "aggs": ["days": ["terms": ["field": "used", "size": 4_000, "order": ["_key": "desc"]]]],
      ], doing: "looking at the embedding cache")
    var room = maximumBytes / (dimension * 16 / 3 + Self.overhead)
    var oldest: Double?
    for day in answer.aggregations.days.buckets {
      room -= day.count
      if room < 0 { break }
      oldest = day.key
    }
    guard room < 0 else { return 0 }
    // Days that do not fit go, today's included.
    let query: JSON = oldest.map { ["range": ["used": ["lt": .double($0)]]] } ?? ["match_all": .object([])]
    return try await cluster.client.json(
      Deleted.self, "POST", "/\(index)/_delete_by_query", query: [("conflicts", "proceed"), ("refresh", "true")],
      body: ["query": query], timeout: .seconds(300), doing: "trimming the embedding cache"
    ).deleted
  }
}
