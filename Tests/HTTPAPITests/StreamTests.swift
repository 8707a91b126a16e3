import Core
import HTTPAPI
import QuarryTesting
import Testing

@Suite struct StreamTests {
  /// The events of a stream in order, and its comments.
  private struct Events {
    var names: [String] = []
    var data: [JSONValue] = []
    var comments = 0

    init(_ text: String) {
      for block in text.split(separator: "\n\n") {
        let lines = block.split(separator: "\n")
        if lines.allSatisfy({ $0.hasPrefix(":") }) {
          comments += 1
          continue
        }
        guard lines.count == 2 else {
          Issue.record("not an event: \(block)")
          continue
        }
        names.append(String(lines[0].trimming(prefix: "event: ")))
        data.append((try? JSONReader.read(Array(lines[1].trimming(prefix: "data: ").utf8))) ?? .null)
      }
    }
  }

  private static let question = #"{"question": "What moves water from the lower basin?", "stream": true}"#

  @Test func tellsPassagesThenTokensThenTheWholeAnswer() async throws {
    try await withAPI(script: [.text("The pump moves water [1].")]) { api in
      let reply = try await api.post("/v1/query", Self.question)
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "text/event-stream")
      #expect(reply.headers["cache-control"] == "no-store")
      let events = Events(reply.text)
      #expect(events.names.first == "passages")
      #expect(events.names.last == "answer")
      #expect(events.names.count > 3)
      #expect(events.names.dropFirst().dropLast().allSatisfy { $0 == "token" })
      let tokens = events.data.compactMap { $0["text"]?.text }.joined()
      #expect(tokens.contains("The pump moves water"))
      #expect(events.data.last?["answer"]?.text?.hasPrefix("The pump moves water") == true)
      #expect(events.data.last?["passages"] == events.data.first?["passages"])
      let schemas = Described.document["components"]?["schemas"]
      for (name, schema) in [("passages", "PassagesEvent"), ("token", "TokenEvent"), ("answer", "Answer")] {
        for (event, data) in zip(events.names, events.data) where event == name {
          let faults = Described.faults(data, schemas?[schema] ?? .null, at: name)
          #expect(faults == [])
        }
      }
    }
  }

  @Test func streams_whenTheAcceptHeaderAsks() async throws {
    try await withAPI { api in
      let accept = ("Accept", "text/html, text/event-stream")
      let body = #"{"question": "What moves water?"}"#
      let asked = try await api.post("/v1/query", body, headers: [accept])
      #expect(asked.headers["content-type"] == "text/event-stream")
      let declined = try await api.post(
        "/v1/query", #"{"question": "What moves water?", "stream": false}"#, headers: [accept])
      #expect(declined.headers["content-type"] == "application/json")
    }
  }

  @Test func refusesByStatus_whenTheQuestionBreaksARule() async throws {
    try await withAPI { api in
      let reply = try await api.post("/v1/query", #"{"question": " ", "stream": true}"#)
      #expect(reply.status == 400)
      #expect(reply.code == "question.empty")
      let unknown = try await api.post("/v1/query", #"{"question": "a", "stream": true, "collection": "nowhere"}"#)
      #expect(unknown.status == 404)
    }
  }

  @Test func endsWithAnErrorEvent_whenTheModelFails() async throws {
    let error = CoreError(code: "model.down", category: .unavailable, message: "the model is down")
    try await withAPI(script: [.failure(after: "The pump ", error)]) { api in
      let reply = try await api.post("/v1/query", Self.question)
      #expect(reply.status == 200)
      let events = Events(reply.text)
      #expect(events.names.last == "error")
      #expect(!events.names.contains("answer"))
      #expect(events.data.last?["code"]?.text == "model.down")
      #expect(events.data.last?["status"] == .number(503))
      #expect(api.lines(with: "a streamed answer failed").count == 1)
    }
  }

  @Test func endsWithAnErrorEvent_whenTheDeadlinePasses() async throws {
    let settings = API.Settings(version: "1", requestTimeout: .milliseconds(300))
    try await withAPI(script: [.stalled(after: "The pump ")], settings: settings) { api in
      let events = Events(try await api.post("/v1/query", Self.question).text)
      #expect(events.names.last == "error")
      #expect(events.data.last?["code"]?.text == "request.timed_out")
    }
  }

  @Test func sendsHeartbeats_whileNothingElseIsToBeSaid() async throws {
    let settings = API.Settings(version: "1", requestTimeout: .seconds(3), heartbeat: .milliseconds(20))
    try await withAPI(script: [.stalled(after: "")], settings: settings) { api in
      let events = Events(try await api.post("/v1/query", Self.question).text)
      #expect(events.comments >= 2)
    }
  }

  @Test func cancelsTheModel_whenTheClientLeaves() async throws {
    try await withAPI(script: [.stalled(after: "The pump moves ")]) { api in
      let client = try await TestClient.connected(to: api.port)
      await client.write(
        "POST /v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
          + "Content-Length: \(Self.question.utf8.count)\r\n\r\n\(Self.question)")
      let beginning = try await client.take(through: "event: token")
      #expect(beginning.hasPrefix("HTTP/1.1 200 OK\r\n"))
      await client.close()
      try await eventually { api.generator.cancellations == 1 }
      try await eventually { api.server.requestsInFlight == 0 }
      try await eventually { !api.lines(with: "client_left").isEmpty }
      #expect(!api.lines(with: "\"message\":\"request\"").contains { $0.contains("\"level\":\"error\"") })
    }
  }
}

extension Substring {
  /// What follows `prefix`; the whole text when it does not begin so.
  fileprivate func trimming(prefix: String) -> Substring { hasPrefix(prefix) ? dropFirst(prefix.count) : self }
}
