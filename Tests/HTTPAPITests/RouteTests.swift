import Core
import HTTPAPI
import QuarryTesting
import Testing

@Suite struct RouteTests {
  @Test(arguments: [
    ("GET", "/v1/query", "POST"), ("DELETE", "/v1/search", "POST"), ("DELETE", "/v1/documents", "GET, HEAD, POST"),
    ("POST", "/v1/documents/x", "DELETE, GET, HEAD, PUT"), ("POST", "/v1/ingestion", "GET, HEAD"),
    ("POST", "/v1/documents/x/pages/1", "GET, HEAD"),
    ("DELETE", "/v1/documents/x/pages/1.png", "GET, HEAD"), ("POST", "/health/live", "GET, HEAD"),
    ("OPTIONS", "/health/ready", "GET, HEAD"), ("BREW", "/openapi.json", "GET, HEAD"),
  ])
  func saysWhichMethods_whenTheMethodIsWrong(method: String, target: String, allowed: String) async throws {
    try await withAPI { api in
      let reply = try await api.send(method, target)
      #expect(reply.status == 405)
      #expect(reply.headers["allow"] == allowed)
      #expect(reply.code == "request.method_not_allowed")
    }
  }

  @Test(arguments: [
    "/", "/v1", "/v1/", "/v1/query/", "//v1/query", "/v2/query", "/v1/documents/", "/v1/documents/x/", "/v1/nothing",
    "/v1/documents/x/pages", "/v1/documents/x/pages/", "/v1/documents/x/pages/1/2", "/v1%2Fquery", "/health",
    "/v1/../health/live",
  ])
  func isNotFound_whenThePathIsUnknown(target: String) async throws {
    try await withAPI { api in
      let reply = try await api.send("GET", target)
      #expect(reply.status == 404)
      #expect(reply.code == "request.not_found")
    }
  }

  @Test func namesTheNearestPath_whenOneIsMistyped() async throws {
    try await withAPI { api in
      let reply = try await api.post("/v1/qurey", "{}")
      #expect(reply.json["remedy"]?.text?.contains("Did you mean /v1/query?") == true)
    }
  }

  @Test func refusesParameters_whenTheyAreUnknownOrRepeated() async throws {
    try await withAPI { api in
      let unknown = try await api.send("GET", "/v1/documents?limits=3")
      #expect(unknown.code == "request.unknown_parameter")
      #expect(unknown.json["remedy"]?.text == "Did you mean 'limit'?")
      #expect(try await api.send("GET", "/v1/documents?limit=3&limit=4").code == "request.repeated_parameter")
      #expect(try await api.send("GET", "/openapi.json?pretty").code == "request.unknown_parameter")
    }
  }

  @Test func answersHeadAsGet_withoutABody() async throws {
    try await withAPI { api in
      let reply = try await TestClient.send("HEAD", "/v1/documents", to: api.port)
      #expect(reply.status == 200)
      #expect(reply.body.isEmpty)
      #expect((Int(reply.headers["content-length"] ?? "") ?? 0) > 100)
    }
  }

  @Test func protectsEveryAnswer_fromBrowsers() async throws {
    try await withAPI { api in
      for target in ["/health/live", "/v1/documents", "/nowhere"] {
        let reply = try await api.send("GET", target)
        #expect(reply.headers["x-content-type-options"] == "nosniff")
        #expect(reply.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'")
        #expect(reply.headers["cache-control"] == "no-store")
      }
    }
  }
}
