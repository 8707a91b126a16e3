import Concurrency
import Core
import HTTPAPI
import Testing

@Suite struct SyncRouteTests {
  @Test func hasTheWatchedSourcesListed_andDoesNotWait() async throws {
    try await withAPI { api in
      let reply = try await api.send("POST", "/v1/ingestion/sync")
      #expect(reply.status == 202)
      #expect(reply.json["sources"] == .number(2))
      #expect(api.synced.withLock { $0.count } == 2)
    }
  }

  @Test func leavesSourcesAlone_thatTheKeyMayNotRead() async throws {
    try await withAPI { api in
      let key = try await api.makeKey(collections: [.default])
      let reply = try await api.send("POST", "/v1/ingestion/sync", headers: [key.header])
      #expect(reply.json["sources"] == .number(1))
      #expect(api.synced.withLock { $0 } == [.default])
    }
  }

  @Test func saysWhatToDo_whenNobodyWatches() async throws {
    try await withAPI(isWatching: false) { api in
      let reply = try await api.send("POST", "/v1/ingestion/sync")
      #expect(reply.status == 409)
      #expect(reply.code == "ingestion.not_watching")
      #expect(reply.json["remedy"]?.text?.contains("--watch") == true)
    }
  }
}
