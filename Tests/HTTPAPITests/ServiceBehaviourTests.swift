import Concurrency
import Answering
import Core
import HTTPAPI
import QuarryTesting
import Telemetry
import Testing

@Suite struct ServiceBehaviourTests {
  @Test func isNotReady_withReasons() async throws {
    try await withAPI { api in
      let ready = try await api.send("GET", "/health/ready")
      #expect(ready.status == 200)
      #expect(ready.json["status"]?.text == "ready")
      api.notReady.withLock { $0 = [ReasonBody(code: "model.missing", message: "the model is missing")] }
      let reply = try await api.send("GET", "/health/ready")
      #expect(reply.status == 503)
      #expect(reply.code == "service.not_ready")
      #expect(reply.json["reasons"]?.elements.first?["code"]?.text == "model.missing")
    }
  }

  @Test(arguments: [
    ("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("Transfer-Encoding: chunked\r\n\r\n80000\r\n" + String(repeating: "a", count: 0x80000) + "\r\n0\r\n\r\n", 413),
    ("Content-Length: 9999999\r\n\r\n", 413),
    ("Expect: miracles\r\nContent-Length: 2\r\n\r\n{}", 417),
  ])
  func refusesAmbiguousAndOverlongBodies_asProblems(rest: String, status: Int) async throws {
    try await withAPI { api in
      let client = try await TestClient.connected(to: api.port)
      await client.write(
        "POST /v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n" + rest)
      let reply = try await client.reply()
      #expect(reply.status == status)
      #expect(reply.headers["content-type"] == "application/problem+json")
      #expect(reply.headers["x-trace-id"]?.utf8.count == 32)
      #expect(reply.code?.hasPrefix("http.") == true)
      try await eventually { !api.lines(with: "request refused").isEmpty }
    }
  }

  @Test func refusesMalformedEscapes_asAProblem() async throws {
    try await withAPI { api in
      let reply = try await api.send("GET", "/v1/documents/%zz")
      #expect(reply.status == 400)
      #expect(reply.code == "http.malformed_target")
    }
  }

  @Test func endsClients_thatDrip() async throws {
    let limits = APIServer.Settings(port: 0, readTimeout: .milliseconds(300), drainTimeout: .zero)
    try await withAPI(limits: limits) { api in
      let client = try await TestClient.connected(to: api.port)
      await client.write("POST /v1/query HTTP/1.1\r\nHost: local")
      let rest = try await client.take(through: "\r\n\r\n")
      #expect(rest.isEmpty)
      try await eventually { !api.lines(with: "too_slow").isEmpty }
    }
  }

  @Test func turnsRequestsAway_whenTooManyAreUnderWay() async throws {
    let limits = APIServer.Settings(port: 0, maxConcurrentRequests: 1, drainTimeout: .zero)
    try await withAPI(script: [.stalled(after: "")], limits: limits) { api in
      let client = try await TestClient.connected(to: api.port)
      let body = #"{"question": "What moves water?"}"#
      await client.write(
        "POST /v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
      try await eventually { !api.generator.requests.isEmpty }
      let reply = try await api.send("GET", "/v1/documents")
      #expect(reply.status == 503)
      #expect(reply.code == "http.overloaded")
      #expect(reply.headers["retry-after"] == "1")
      let live = try await api.send("GET", "/health/live")
      #expect(live.status == 200)
      await client.close()
      try await eventually { api.generator.cancellations == 1 }
    }
  }

  @Test func finishesWhatIsUnderWay_whenItStops() async throws {
    let gate = GatedRetriever()
    let limits = APIServer.Settings(port: 0, drainTimeout: .seconds(20))
    try await withAPI(limits: limits, retriever: gate) { api in
      async let reply = api.post("/v1/search", #"{"question": "pump"}"#)
      try await eventually { gate.entered.withLock { $0 } }
      async let stopped: Void = api.server.shutdown()
      try await Task.sleep(for: .milliseconds(50))
      gate.open()
      let status = try await reply.status
      #expect(status == 200)
      await stopped
      await api.server.run()
    }
  }

  @Test func namesThePort_whenItIsInUse() async throws {
    try await withAPI { api in
      let other = APIServer(api.api, settings: .init(port: api.port))
      let error = #expect(throws: HTTPAPIError.self) { try other.start() }
      #expect(error?.code == "http.port_in_use")
      #expect(error?.category == .unavailable)
      #expect(error?.message.contains("\(api.port)") == true)
    }
  }

  @Test func logsOneLineARequest_withTraceCallerAndRoute() async throws {
    try await withAPI { api in
      let made = try await api.makeKey()
      let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
      _ = try await api.send(
        "GET", "/v1/documents/x", headers: [made.header, ("traceparent", "00-\(trace)-00f067aa0ba902b7-01")])
      try await eventually { !api.lines(with: "\"message\":\"request\"").isEmpty }
      let lines = api.lines(with: "\"message\":\"request\"")
      #expect(lines.count == 1)
      let line = try JSONReader.read(Array((lines.first ?? "").utf8))
      #expect(line["trace_id"]?.text == trace)
      #expect(line["caller"]?.text == made.key.id)
      #expect(line["route"]?.text == "/v1/documents/{id}")
      #expect(line["status"] == .number(404))
      #expect(line["error_code"]?.text == "document.not_found")
      #expect(line["level"]?.text == "info")
      #expect(!lines.joined().contains(made.header.1))
    }
  }

  @Test func countsFailures_byCode() async throws {
    try await withAPI { api in
      _ = try await api.send("GET", "/nowhere")
      _ = try await api.send("GET", "/v1/documents")
      await api.server.shutdown()
      api.recorder.finish()
      try await eventually { !api.metrics.points.withLock { $0.isEmpty } }
      let points = api.metrics.points.withLock { $0 }
      #expect(points.map(\.name) == [MetricName.requestErrors])
      #expect(points.first?.dimensions[DimensionName.code] == "request.not_found")
    }
  }
}

/// Finds nothing, once it is opened.
final class GatedRetriever: Retriever {
  let entered = Locked(false)
  private let isOpen = Locked(false)

  func open() { isOpen.withLock { $0 = true } }

  func retrieve(_ question: Question, context: RequestContext) async throws -> Retrieval {
    entered.withLock { $0 = true }
    while !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
    return Retrieval(
      passages: [], legs: [], questionEmbedding: nil, embeddingIdentity: nil, storeVersion: StoreVersion(1),
      confidence: 0)
  }
}
