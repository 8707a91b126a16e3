import Core
import HTTPAPI
import QuarryTesting
import Telemetry
import Testing

@Suite struct AnsweringRouteTests {
  @Test func answersWithVerifiedCitations() async throws {
    try await withAPI { api in
      let reply = try await api.post("/v1/query", #"{"question": "What moves water from the lower basin?"}"#)
      #expect(reply.status == 200)
      #expect(reply.json["outcome"]?.text == "extractive")
      let citation = reply.json["citations"]?.elements.first
      #expect(citation?["document"]?["name"]?.text == "pump.pdf")
      #expect(citation?["page"] == .number(1))
      #expect(citation?["quote"]?.text == "The pump moves water from the lower basin.")
      #expect(citation?["verified"] == .bool(true))
      #expect(reply.json["trace_id"]?.text == reply.headers["x-trace-id"])
    }
  }

  @Test func refusesWithStatus200_whenNothingIsThere() async throws {
    try await withAPI { api in
      let body = """
        {"question": "water", "filters": {"documents": ["00000000000000000000000000000000"]}}
        """
      let reply = try await api.post("/v1/query", body)
      #expect(reply.status == 200)
      #expect(reply.json["outcome"]?.text == "refused")
    }
  }

  @Test func findsPassages_withScoresAndLegs() async throws {
    try await withAPI { api in
      let body = #"{"question": "When does the valve close?", "top_k": 2, "collection": "default"}"#
      let reply = try await api.post("/v1/search", body)
      let passages = reply.json["passages"]?.elements ?? []
      #expect(passages.count == 2)
      #expect(passages.first?["document"]?["name"]?.text == "valve.pdf")
      #expect(passages.first?["legs"]?["dense"]?["rank"] == .number(1))
    }
  }

  @Test func searchesOnlyWhatTheFilterLets() async throws {
    try await withAPI { api in
      let body = #"{"question": "pump", "filters": {"attributes": {"plant": "north"}}}"#
      let passages = try await api.post("/v1/search", body).json["passages"]?.elements ?? []
      #expect(passages.compactMap { $0["document"]?["name"]?.text } == ["valve.pdf"])
    }
  }

  @Test func remembersTheConversation() async throws {
    let answer = "The pump does [1]. <quote id=\"1\">moves water</quote>"
    try await withAPI(script: [.text(answer), .text(answer)]) { api in
      for question in ["What moves water?", "And from where?"] {
        let body = "{\"question\": \"\(question)\", \"conversation_id\": \"c-1\"}"
        let reply = try await api.post("/v1/query", body)
        #expect(reply.status == 200)
        #expect(reply.json["conversation_id"]?.text == "c-1")
        #expect(reply.json["usage"] != nil)
      }
      #expect(api.generator.requests.last.map { $0.turns.count > 1 } == true)
    }
  }

  @Test func keepsTheTrace_whenTheRequestHasOne() async throws {
    try await withAPI { api in
      let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
      let body = #"{"question": "pump"}"#
      let w3c = try await api.post("/v1/search", body, headers: [("traceparent", "00-\(trace)-00f067aa0ba902b7-01")])
      #expect(w3c.json["trace_id"]?.text == trace)
      #expect(w3c.headers["traceparent"]?.hasPrefix("00-\(trace)-") == true)
      let amazon = try await api.post(
        "/v1/search", body, headers: [("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678;Sampled=1")])
      #expect(amazon.json["trace_id"]?.text == "67891233abcdef012345678912345678")
      let malformed = try await api.post("/v1/search", body, headers: [("traceparent", "00-nothing-01")])
      #expect(malformed.json["trace_id"]?.text != trace)
    }
  }

  @Test func marksTheTraffic_whenAHeaderSaysSo() async throws {
    try await withAPI { api in
      _ = try await api.post(
        "/v1/query", #"{"question": "pump"}"#, headers: [("X-Quarry-Traffic", "evaluation")])
      let wrong = try await api.post("/v1/query", #"{"question": "pump"}"#, headers: [("X-Quarry-Traffic", "test")])
      #expect(wrong.code == "request.invalid_header")
      await api.server.shutdown()
      api.recorder.finish()
      try await eventually { !api.events.all.isEmpty }
      #expect(api.events.all.map(\.traffic) == [.evaluation])
    }
  }

  @Test func isUnavailable_whenTheDeadlinePasses() async throws {
    let settings = API.Settings(version: "1", requestTimeout: .milliseconds(200))
    try await withAPI(script: [.stalled(after: "The pump ")], settings: settings) { api in
      let reply = try await api.post("/v1/query", #"{"question": "What moves water?"}"#)
      #expect(reply.status == 503)
      #expect(reply.code == "request.timed_out")
      #expect(reply.headers["retry-after"] == "1")
      #expect(api.generator.cancellations == 1)
    }
  }

  @Test func saysTheCategorysStatus_whenAPartFails() async throws {
    let cases: [(ErrorCategory, Int)] = [(.conflict, 409), (.unavailable, 503), (.rateLimited, 429), (.corrupt, 500)]
    for (category, status) in cases {
      let error = CoreError(code: "part.failed", category: category, message: "it failed", remedy: "Mend it.")
      try await withAPI(retriever: FailingRetriever(error: error)) { api in
        let reply = try await api.post("/v1/search", #"{"question": "pump"}"#)
        #expect(reply.status == status)
        #expect(reply.code == "part.failed")
        #expect(reply.json["remedy"]?.text == "Mend it.")
      }
    }
  }

  @Test func tellsNothingOfItself_whenADefectShows() async throws {
    struct Defect: Error { let password = "hunter2" }
    try await withAPI(retriever: FailingRetriever(error: Defect())) { api in
      let reply = try await api.post("/v1/search", #"{"question": "pump"}"#)
      #expect(reply.status == 500)
      #expect(reply.code == "internal")
      #expect(!reply.text.contains("hunter2"))
      #expect(!reply.text.contains("Defect"))
    }
  }
}

/// Fails always.
struct FailingRetriever: Retriever {
  let error: any Error
  func retrieve(_ question: Question, context: RequestContext) async throws -> Retrieval { throw error }
}

/// Waits, ten seconds at most, until `condition` holds.
func eventually(_ condition: () async throws -> Bool) async throws {
  let end = ContinuousClock.now + .seconds(60)
  while try await !condition() {
    guard ContinuousClock.now < end else {
      Issue.record("it did not happen within ten seconds")
      return
    }
    try await Task.sleep(for: .milliseconds(5))
  }
}
