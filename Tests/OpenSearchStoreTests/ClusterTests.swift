import Core
import OpenSearchStore
import Testing

@Suite(.enabled(if: OpenSearchNode.absence == nil, "needs ../shared/opensearch")) struct ClusterTests {
  @Test func isMissing_untilSomebodyMakesIt() async throws {
    let client = try OpenSearchNode.client()
    await #expect(throws: OpenSearchError.self) { _ = try await OpenSearchCluster.open(client, mustExist: true) }
    let cluster = try await OpenSearchCluster.open(client)
    _ = try await OpenSearchCluster.open(client, mustExist: true)
    try await cluster.removeEverything()
  }
}
