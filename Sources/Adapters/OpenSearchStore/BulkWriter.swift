import Concurrency
import FoundationEssentials

/// Writes many records by `_bulk`: batches bounded by bytes and count, several under way, each item's outcome looked at.
///
/// Items that an overloaded cluster turned down are sent again, in smaller batches and one batch at a time, after waits
/// that double. Ids are the caller's, so that sending twice is writing once.
struct BulkWriter: Sendable {
  /// One record to write or remove.
  struct Item: Sendable {
    /// The action's line and the record's, each with its line feed.
    var bytes: [UInt8]

    static func write(_ index: String, _ id: String, _ body: (inout JSONText) -> Void) -> Item {
      var text = JSONText(capacity: 512)
      text.append(.object([("index", ["_index": .string(index), "_id": .string(id)])]))
      text.raw("\n")
      body(&text)
      text.raw("\n")
      return Item(bytes: text.bytes)
    }

    static func update(_ index: String, _ id: String, _ body: JSON) -> Item {
      var text = JSONText(capacity: 512)
      text.append(
        .object([("update", ["_index": .string(index), "_id": .string(id), "retry_on_conflict": 20])]))
      text.raw("\n")
      text.append(body)
      text.raw("\n")
      return Item(bytes: text.bytes)
    }
  }

  /// How often an item is sent before the cluster counts as overloaded for good.
  private static let tries = 8
  private static let itemsOfBatch = 2_000

  let client: OpenSearchClient
  /// Called before every batch: throws when its writer's time is over.
  var mayGoOn: @Sendable () async throws -> Void = {}

  /// Writes everything that `items` gives.
  /// - Parameter accepted: Statuses of items that are no failure, such as 409 for a record that is there already.
  /// - Throws: ``OpenSearchError`` for the first item that cannot be written; others may have been.
  func write(_ items: some Sequence<Item>, accepted: Set<Int> = [], doing: String) async throws {
    var iterator = items.makeIterator()
    try await withThrowingTaskGroup(of: Void.self) { group in
      var underWay = 0
      while let batch = Self.batch(&iterator, bytes: client.configuration.bulkBytes) {
        if underWay == client.configuration.bulkConcurrency {
          try await group.next()
          underWay -= 1
        }
        try await mayGoOn()
        group.addTask { try await send(batch, accepted: accepted, doing: doing) }
        underWay += 1
      }
      try await group.waitForAll()
    }
  }

  private static func batch(_ items: inout some IteratorProtocol<Item>, bytes: Int) -> [Item]? {
    var batch: [Item] = []
    var size = 0
    while size < bytes, batch.count < itemsOfBatch, let item = items.next() {
      size += item.bytes.count
      batch.append(item)
    }
    return batch.isEmpty ? nil : batch
  }

  private func send(_ batch: [Item], accepted: Set<Int>, doing: String) async throws {
    var left = [batch[...]]
    var attempt = 1
    while let part = left.popLast() {
      let again: [Item]
      let overload: OpenSearchError?
      do {
        (again, overload) = try await once(Array(part), accepted: accepted, doing: doing)
      } catch let error as OpenSearchError where Self.mayRepeat(error) {
        // The whole request was turned down: its size may have been too much.
        (again, overload) = (Array(part), error)
      }
      guard !again.isEmpty, let overload else { continue }
      guard attempt < Self.tries else { throw overload }
      let longest = min(100 << attempt, 10_000)
      try await Task.sleep(for: .milliseconds(Int.random(in: longest / 2...longest)))
      attempt += 1
      try await mayGoOn()
      let middle = again.count / 2
      left += middle == 0 ? [again[...]] : [again[middle...], again[..<middle]]
    }
  }

  private static func mayRepeat(_ error: OpenSearchError) -> Bool {
    guard let failure = error.underlying as? OpenSearchFailure else { return false }
    return failure.isOverload || failure.isTransient
  }

  private struct Answer: Decodable {
    struct Outcome: Decodable {
      var status: Int
      var error: FailureCause?
    }
    var errors: Bool
    var items: [[String: Outcome]]?
  }

  /// The items to be sent again, and why.
  private func once(
    _ batch: [Item], accepted: Set<Int>, doing: String
  ) async throws -> (again: [Item], overload: OpenSearchError?) {
    var body: [UInt8] = []
    body.reserveCapacity(batch.reduce(0) { $0 + $1.bytes.count })
    for item in batch { body += item.bytes }
    let response = try await client.send(
      "POST", "/_bulk", query: [("filter_path", "errors,items.*.status,items.*.error"), ("require_alias", "false")],
      body: body, contentType: "application/x-ndjson", timeout: .seconds(60), retries: false, doing: doing)
    let answer: Answer
    do { answer = try JSONText.decode(Answer.self, response.body) } catch {
      throw OpenSearchError.badResponse(doing, error)
    }
    guard answer.errors else { return ([], nil) }
    guard let items = answer.items, items.count == batch.count else { throw OpenSearchError.badResponse(doing) }
    var again: [Item] = []
    var overload: OpenSearchError?
    for (item, outcome) in zip(batch, items) {
      guard let outcome = outcome.values.first else { throw OpenSearchError.badResponse(doing) }
      guard outcome.status >= 300, !accepted.contains(outcome.status) else { continue }
      let failure =
        outcome.error.map { OpenSearchFailure($0, status: outcome.status) }
        ?? OpenSearchFailure(status: outcome.status, type: "", reason: "no explanation")
      guard failure.isOverload || failure.isTransient else { throw failure.error(doing) }
      again.append(item)
      overload = failure.error(doing)
    }
    return (again, overload)
  }
}
