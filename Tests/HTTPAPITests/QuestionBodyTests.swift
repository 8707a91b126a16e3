import HTTPAPI
import Testing

@Suite struct QuestionBodyTests {
  private static let long = String(repeating: "pump ", count: 2000)

  @Test(arguments: [
    ("", 400, "request.malformed_json", nil),
    ("{\"question\": \"a\",}", 400, "request.malformed_json", nil),
    ("{\"question\": 'a'}", 400, "request.malformed_json", nil),
    ("{\"question\": \"a\", \"question\": \"b\"}", 400, "request.malformed_json", nil),
    ("[]", 400, "request.wrong_type", nil),
    ("{}", 400, "request.missing_field", "question"),
    ("{\"question\": null}", 400, "request.missing_field", "question"),
    ("{\"question\": 5}", 400, "request.wrong_type", "question"),
    ("{\"question\": \"\"}", 400, "question.empty", nil),
    ("{\"question\": \" \\n \"}", 400, "question.empty", nil),
    ("{\"questoin\": \"a\"}", 400, "request.unknown_field", "questoin"),
    ("{\"question\": \"a\", \"top_k\": \"5\"}", 400, "request.wrong_type", "top_k"),
    ("{\"question\": \"a\", \"top_k\": 2.5}", 400, "request.wrong_type", "top_k"),
    ("{\"question\": \"a\", \"top_k\": 0}", 400, "request.out_of_range", "top_k"),
    ("{\"question\": \"a\", \"top_k\": 101}", 400, "request.out_of_range", "top_k"),
    ("{\"question\": \"a\", \"top_k\": 1e300}", 400, "request.out_of_range", "top_k"),
    ("{\"question\": \"a\", \"collection\": \"No Such!\"}", 400, "collection.invalid", "collection"),
    ("{\"question\": \"a\", \"collection\": \"nowhere\"}", 404, "collection.unknown", nil),
    ("{\"question\": \"a\", \"filters\": []}", 400, "request.wrong_type", "filters"),
    ("{\"question\": \"a\", \"filters\": {\"document\": []}}", 400, "request.unknown_field", "filters.document"),
    ("{\"question\": \"a\", \"filters\": {\"documents\": [7]}}", 400, "request.wrong_type", "filters.documents[0]"),
    ("{\"question\": \"a\", \"filters\": {\"documents\": [\"x\"]}}", 400, "request.invalid_field", "filters.documents"),
    (
      "{\"question\": \"a\", \"filters\": {\"attributes\": {\"x\": 1}}}", 400, "request.wrong_type",
      "filters.attributes.x"
    ),
  ])
  func isRefused_whenItBreaksARule(body: String, status: Int, code: String, field: String?) async throws {
    try await withAPI { api in
      for target in ["/v1/query", "/v1/search"] {
        let reply = try await api.post(target, body)
        #expect(reply.status == status)
        #expect(reply.headers["content-type"] == "application/problem+json")
        #expect(reply.code == code)
        #expect(reply.json["field"]?.text == field)
        #expect(reply.json["type"]?.text == "urn:quarry:problem:\(code)")
        #expect(reply.json["status"] == .number(Double(status)))
        #expect(reply.json["trace_id"]?.text == reply.headers["x-trace-id"])
      }
    }
  }

  @Test func namesTheNearestField_whenOneIsMistyped() async throws {
    try await withAPI { api in
      let reply = try await api.post("/v1/query", #"{"question": "a", "topK": 3}"#)
      #expect(reply.json["remedy"]?.text == "Did you mean 'top_k'?")
    }
  }

  @Test func saysWhere_whenItIsNotJSON() async throws {
    try await withAPI { api in
      let reply = try await api.post("/v1/query", "{\n  \"question\": \"a\"\n  \"top_k\": 3}")
      #expect(reply.json["position"]?["line"] == .number(3))
      #expect(reply.json["position"]?["column"] == .number(3))
      #expect(reply.json["detail"]?.text?.contains("a comma or the object's end") == true)
    }
  }

  @Test func isTooLarge_whenTheQuestionHasTooManyCharacters() async throws {
    try await withAPI { api in
      let reply = try await api.post("/v1/query", "{\"question\": \"\(Self.long)\"}")
      #expect(reply.status == 413)
      #expect(reply.code == "question.too_long")
    }
  }

  @Test func isTooLarge_whenItHasOneMegabyte() async throws {
    try await withAPI { api in
      let question = String(repeating: "a", count: 1 << 20)
      let reply = try await api.post("/v1/query", "{\"question\": \"\(question)\"}")
      #expect(reply.status == 413)
      #expect(reply.code == "http.body_too_large")
      #expect(reply.headers["content-type"] == "application/problem+json")
    }
  }

  @Test func takesNullAsAbsent() async throws {
    try await withAPI { api in
      let body = """
        {"question": "What moves water?", "collection": null, "filters": null, "top_k": null, "stream": null,
         "conversation_id": null}
        """
      let reply = try await api.post("/v1/query", body)
      #expect(reply.status == 200)
    }
  }

  @Test func hasNoConversationAndNoStream_inASearch() async throws {
    try await withAPI { api in
      for field in [#""stream": true"#, #""conversation_id": "c""#] {
        let reply = try await api.post("/v1/search", #"{"question": "a", \#(field)}"#)
        #expect(reply.code == "request.unknown_field")
      }
    }
  }

  @Test(arguments: [
    nil, "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/problem+json",
  ])
  func isUnsupported_whenTheTypeIsNotJSON(type: String?) async throws {
    try await withAPI { api in
      let headers = type.map { [("Content-Type", $0)] } ?? []
      let reply = try await api.send("POST", "/v1/search", headers: headers, body: #"{"question": "a"}"#)
      #expect(reply.status == 415)
      #expect(reply.code == "request.unsupported_media_type")
    }
  }

  @Test func isUnsupported_whenItIsCompressed() async throws {
    try await withAPI { api in
      let reply = try await api.post("/v1/search", "x", headers: [("Content-Encoding", "gzip")])
      #expect(reply.status == 415)
    }
  }

  @Test func isTaken_whenTheTypeHasParametersAndCapitals() async throws {
    try await withAPI { api in
      let reply = try await api.send(
        "POST", "/v1/search", headers: [("Content-Type", "Application/JSON; charset=utf-8")],
        body: #"{"question": "What moves water?"}"#)
      #expect(reply.status == 200)
    }
  }
}
