import Concurrency
import Core

/// The number under which one version is written, and the time that its writer has.
///
/// The cluster's clock says when the time is over. The writer itself stops well before by its own monotonic clock, which
/// goes on while a machine sleeps: what it would write after others cleared its number away could be seen.
final class WriteLease: Sendable {
  private static let seconds = 300

  let vn: Int
  private let cluster: OpenSearchCluster
  private let document: Document
  private let since: Locked<ContinuousClock.Instant>

  private init(vn: Int, document: Document, cluster: OpenSearchCluster, since: ContinuousClock.Instant) {
    self.vn = vn
    self.document = document
    self.cluster = cluster
    self.since = Locked(since)
  }

  static func take(
    for document: Document, space: StoreState.Space, in cluster: OpenSearchCluster
  ) async throws -> WriteLease {
    let began = ContinuousClock.now
    let until = try await cluster.clock.now() + seconds * 1_000
    let vn = try await cluster.client.change(doing: "beginning to write \(document.name)") { state in
      var state = state
      let vn = state.next
      state.next += 1
      state.hidden.append(
        .init(vn: vn, document: document.id.rawValue, space: space.key, kind: .pending, until: until))
      return Changed(state, vn)
    }
    guard let vn else { throw OpenSearchError.noState(cluster.configuration.index) }
    return WriteLease(vn: vn, document: document, cluster: cluster, since: began)
  }

  /// Takes more time when a third of it is gone.
  /// - Throws: `store.lost_lease` when the time was over.
  func extendIfNeeded() async throws {
    let now = ContinuousClock.now
    let used = now - since.withLock { $0 }
    guard used > .seconds(Self.seconds / 3) else { return }
    guard used < .seconds(Self.seconds - 30) else { throw OpenSearchError.lost(document) }
    let until = try await cluster.clock.now() + Self.seconds * 1_000
    let isOurs = try await cluster.client.change(doing: "going on writing \(document.name)") {
      (state) -> Changed<Bool>? in
      guard let position = state.hidden.firstIndex(where: { $0.vn == vn && $0.kind == .pending }) else { return nil }
      var state = state
      state.hidden[position].until = until
      return Changed(state, true)
    }
    guard isOurs == true else { throw OpenSearchError.lost(document) }
    since.withLock { $0 = now }
  }

  /// Ends the writer's time, so that the next sweep clears away what it wrote. Best effort.
  func giveUp() async {
    _ = try? await cluster.client.change(doing: "giving up \(document.name)") { (state) -> Changed<Void>? in
      guard let position = state.hidden.firstIndex(where: { $0.vn == vn && $0.kind == .pending }) else { return nil }
      var state = state
      state.hidden[position].until = 0
      return Changed(state)
    }
  }
}
