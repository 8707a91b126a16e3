import Concurrency
import HTTPAPI
import Testing

@Suite struct ProbeTests {
  @Test func saysLive_whateverTheState() async throws {
    try await withAPI { api in
      api.notReady.withLock { $0 = [ReasonBody(code: "store.locked", message: "the store is locked")] }
      let reply = try await api.send("GET", "/health/live")
      #expect(reply.status == 200)
      #expect(reply.text.contains(#""status":"live""#))
    }
  }
}
