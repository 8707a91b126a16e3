/// The names of the indices of one library.
struct IndexNames: Sendable, Hashable {
  /// What they all begin with; also the alias of the chunks that are searched.
  let prefix: String

  /// One record: what is visible now.
  var control: String { prefix + "-control" }
  /// A record for each document.
  var documents: String { prefix + "-documents" }
  /// A record for each place where documents are or were.
  var places: String { prefix + "-places" }
  /// Pages of all document versions.
  var pages: String { prefix + "-pages" }
  /// The job table.
  var jobs: String { prefix + "-jobs" }
  /// The embedding cache.
  var embeddings: String { prefix + "-embeddings" }
  /// Turns of conversations.
  var turns: String { prefix + "-turns" }
  /// Keys of the HTTP API.
  var keys: String { prefix + "-keys" }
  /// The chunks of an embedding space.
  func chunks(_ space: String) -> String { prefix + "-chunks-" + space }

  /// All but the chunks, which come with their space.
  var fixed: [String] { [control, documents, places, pages, jobs, embeddings, turns, keys] }

  /// Whether OpenSearch takes it as the beginning of names.
  /// Source: https://docs.opensearch.org/docs/2.19/api-reference/index-apis/create-index/#index-naming-restrictions
  static func isValid(_ prefix: String) -> Bool {
    guard let first = prefix.utf8.first, prefix.utf8.count <= 100 else { return false }
    func isPlain(_ byte: UInt8) -> Bool {
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
    return isPlain(first)
      && prefix.utf8.allSatisfy {
        isPlain($0) || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains($0)
      }
  }
}
