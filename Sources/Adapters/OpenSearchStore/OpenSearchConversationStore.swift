public import Core
public import FoundationEssentials

/// Conversations in the cluster, so that any query service can go on with them.
public final class OpenSearchConversationStore: ConversationStore {
  private let cluster: OpenSearchCluster
  private var index: String { cluster.names.turns }

  /// Creates the store of an opened cluster.
  public init(_ cluster: OpenSearchCluster) { self.cluster = cluster }

  private struct Source: Decodable { var record: Turn }

  /// The newest turns of a conversation of `caller`, oldest first.
  public func turns(of id: ConversationID, caller: String, limit: Int) async throws -> [Turn] {
    guard limit > 0 else { return [] }
    try await cluster.refresh([index])
    return try await cluster.hits(
      Source.self, index,
      [
        "size": .int(min(limit, 10_000)), "track_total_hits": false,
        "query": ["term": ["conversation": .string(RecordID.of(caller, id.rawValue))]],
        "sort": [["time": "desc"], ["ordinal": "desc"]],
      ], doing: "reading a conversation"
    ).reversed().compactMap { $0.source?.record }
  }

  /// Adds a question and its answer.
  public func append(_ turns: [Turn], to id: ConversationID, caller: String, now: Date) async throws {
    let (index, conversation) = (index, RecordID.of(caller, id.rawValue))
    let call = TraceID.random().rawValue
    let items = turns.enumerated().lazy.map { ordinal, turn in
      BulkWriter.Item.write(index, "\(call)-\(ordinal)") {
        $0.append([
          "conversation": .string(conversation), "time": .double(now.timeIntervalSince1970), "ordinal": .int(ordinal),
          "record": ["role": .string(turn.role.rawValue), "text": .string(turn.text)],
        ])
      }
    }
    try await BulkWriter(client: cluster.client).write(items, doing: "keeping a conversation")
  }
}
