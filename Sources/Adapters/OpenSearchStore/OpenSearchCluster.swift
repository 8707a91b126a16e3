import Concurrency
import Core
import FoundationEssentials

/// An opened index in a cluster: what the stores of each role share.
public final class OpenSearchCluster: Sendable {
  /// What requests go through.
  public let client: OpenSearchClient
  let clock: ClusterClock
  let lastSweep = Locked<ContinuousClock.Instant?>(nil)
  /// Indices that were made, or seen, by this process.
  let known = Locked<Set<String>>([])
  /// The space that the alias shows, as far as this process knows.
  let shownByAlias = Locked<String?>(nil)
  var names: IndexNames { client.names }
  var configuration: OpenSearchConfiguration { client.configuration }

  private init(_ client: OpenSearchClient) {
    self.client = client
    clock = ClusterClock(client)
  }

  /// Looks whether the cluster has the index, and makes it when it has not.
  /// - Parameter mustExist: Whether a missing index is an error.
  /// - Throws: `store.missing`, `opensearch.…` with what is wrong with the cluster.
  public static func open(_ client: OpenSearchClient, mustExist: Bool = false) async throws -> OpenSearchCluster {
    guard IndexNames.isValid(client.configuration.index) else {
      throw OpenSearchError(
        "opensearch.index_name", .invalidConfiguration,
        "\(client.configuration.index) cannot be the name of an index",
        remedy: "Set store.index to lower-case letters, digits, '-', '_' and '.', beginning with a letter or digit.")
    }
    if case .signed(let signing) = client.configuration.authentication, signing.service == .serverless {
      throw OpenSearchError.serverless
    }
    let cluster = OpenSearchCluster(client)
    if try await client.state() == nil {
      if mustExist { throw OpenSearchError.noState(client.configuration.index) }
      try await cluster.make()
    }
    return cluster
  }

  private func make() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for name in names.fixed {
        group.addTask { try await self.makeIndex(name, IndexDesign.fixed(name, self.names, self.configuration)) }
      }
      try await group.waitForAll()
    }
    try await waitForShards()
    let record = JSON.object([("record", .raw(try JSONText.encode(StoreState())))])
    // Who comes second finds the record there, and that is as good.
    _ = try await client.send(
      "PUT", "/\(names.control)/_create/state", body: record.bytes, accepted: [409], doing: "making the index")
  }

  /// Waits until every index of this library can be read and written.
  private func waitForShards() async throws {
    struct Health: Decodable { var status: String }
    let health = try await client.json(
      Health.self, "GET", "/_cluster/health/\(names.prefix)-*",
      query: [("wait_for_status", "yellow"), ("timeout", "60s")], accepted: [408], timeout: .seconds(70),
      doing: "waiting for the index")
    guard health.status != "red" else {
      throw OpenSearchError(
        "opensearch.red", .unavailable, "the cluster did not bring up the index \(names.prefix) within a minute",
        remedy: "Look at _cluster/allocation/explain: often a disk is above its watermark, or nodes are missing.")
    }
  }

  /// Makes an index unless it is there.
  func makeIndex(_ name: String, _ body: JSON) async throws {
    do {
      _ = try await client.send(
        "PUT", "/\(name)", body: body.bytes, timeout: .seconds(90), doing: "making the index \(name)")
    } catch let error as OpenSearchError
      where (error.underlying as? OpenSearchFailure)?.type == "resource_already_exists_exception"
    {}
  }

  /// Makes what was written to these indices searchable.
  func refresh(_ indices: [String]) async throws {
    struct Answer: Decodable {
      struct Shards: Decodable { var failed: Int }
      var shards: Shards
      enum CodingKeys: String, CodingKey { case shards = "_shards" }
    }
    let answer = try await client.json(
      Answer.self, "POST", "/\(indices.joined(separator: "%2C"))/_refresh", doing: "refreshing the index")
    guard answer.shards.failed == 0 else {
      throw OpenSearchError(
        "opensearch.partial", .unavailable, "\(answer.shards.failed) shards could not be refreshed",
        remedy: "Look at _cluster/health.")
    }
  }
}

extension OpenSearchError {
  /// Why Serverless is refused: see docs/opensearch.md.
  static let serverless = OpenSearchError(
    "opensearch.serverless", .invalidConfiguration,
    "OpenSearch Serverless has no refresh, no conditional writes that are visible at once and, for vectors, no ids of "
      + "one's own; without them an answer could show half a document",
    remedy: "Use a managed domain (store.signing: es) or a cluster of your own, or the SQLite store.")
}

extension OpenSearchCluster {
  /// Empties the library without making its indices anew: for tests, which begin with an empty one.
  package func empty() async throws {
    // What was not refreshed yet would be left.
    try await refresh(names.fixed)
    _ = try await client.send(
      "POST", "/" + names.fixed.joined(separator: "%2C") + "/_delete_by_query",
      query: [("refresh", "true"), ("conflicts", "proceed")],
      body: JSON.object([("query", ["match_all": .object([])])]).bytes,
      timeout: .seconds(120), doing: "emptying the index")
    try await remove("\(names.prefix)-chunks-*")
    let record = JSON.object([("record", .raw(try JSONText.encode(StoreState())))])
    _ = try await client.send(
      "PUT", "/\(names.control)/_doc/state", body: record.bytes, doing: "emptying the index")
  }

  /// Deletes every index of this library from the cluster: for tests, and for `quarry store` when it is told so.
  package func removeEverything() async throws { try await remove("\(names.prefix)-*") }

  private func remove(_ pattern: String) async throws {
    struct Listed: Decodable { var index: String }
    let all = try await client.json(
      [Listed].self, "GET", "/_cat/indices/\(pattern)", query: [("format", "json"), ("h", "index")],
      doing: "listing indices")
    guard !all.isEmpty else { return }
    _ = try await client.send(
      "DELETE", "/" + all.map(\.index).joined(separator: "%2C"), accepted: [404], doing: "removing the indices")
  }
}

// MARK: - For tests

extension OpenSearchCluster {
  /// Makes everything that was written searchable, as other workers do for their own documents.
  package func refresh() async throws {
    let spaces = try await client.state()?.state.spaces ?? []
    try await refresh([names.pages, names.documents] + spaces.map { names.chunks($0.key) })
  }

  /// The index of the chunks that are searched.
  package func activeChunks() async throws -> String? { try await client.state()?.state.active.map(names.chunks) }

  /// Sends what Quarry itself never would.
  package func tamper(_ method: String, _ target: String, _ body: String) async throws {
    let parts = target.split(separator: "?", maxSplits: 1)
    let query = parts.count > 1 ? [("refresh", "true")] : []
    _ = try await client.send(method, String(parts[0]), query: query, body: Array(body.utf8), doing: "tampering")
  }
}
