import Concurrency
import FoundationEssentials

/// The cluster's time, so that no worker's clock decides how long something is held.
///
/// Asked once a minute; between, this machine's monotonic clock goes on.
final class ClusterClock: Sendable {
  private struct Reading {
    var milliseconds: Int
    var taken: ContinuousClock.Instant
  }

  private let client: OpenSearchClient
  private let last = Locked<Reading?>(nil)

  init(_ client: OpenSearchClient) { self.client = client }

  /// Milliseconds since 1970.
  func now() async throws -> Int {
    let asked = ContinuousClock.now
    if let reading = last.withLock({ $0 }), asked - reading.taken < .seconds(60) {
      return reading.milliseconds + Self.milliseconds(asked - reading.taken)
    }
    let stats = try await client.json(
      NodeTimes.self, "GET", "/_nodes/_local/stats/process", query: [("filter_path", "nodes.*.timestamp")],
      doing: "asking for the cluster's time")
    guard let node = stats.nodes.values.first else { throw OpenSearchError.badResponse("asking for the time") }
    last.withLock { $0 = Reading(milliseconds: node.timestamp, taken: asked) }
    return node.timestamp
  }

  private struct NodeTimes: Decodable {
    struct Node: Decodable { var timestamp: Int }
    var nodes: [String: Node]
  }

  private static func milliseconds(_ duration: Duration) -> Int {
    Int(duration.components.seconds) * 1_000 + Int(duration.components.attoseconds / 1_000_000_000_000_000)
  }
}
