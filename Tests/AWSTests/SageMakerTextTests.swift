import Concurrency
import Core
import Foundation
import HTTPClient
import Testing

@testable import AWS

@Suite(.serialized, .enabled(if: ContractServer.python != nil, "botocore is not installed (make setup-check)"))
struct SageMakerTextTests {
  /// One for all tests, which take turns with it.
  private static let shared = Task { try await ContractServer() }

  private static func server() async throws -> ContractServer {
    let server = try await shared.value
    try await server.setFaults()
    return server
  }

  private static let parameters = InferenceParameters(
    temperature: 0.5, topP: 0.9, topK: 40, maxTokens: 100, stop: ["STOP"])
  private static let custom = #"""
    {"ask": "{{prompt}}", "limit": "{{max_tokens}}", "heat": "{{temperature}}", "note": "of {{max_tokens}} \"tokens\""}
    """#

  private func generate(
    _ server: ContractServer, _ name: String, _ dialect: SageMakerTextDialect, streams: Bool = true,
    parameters: InferenceParameters = parameters, question: String = "Überblick \"first\". And then?",
    attempts: Int = 5,
    pace: RequestPace = RequestPace()
  ) async throws -> (text: String, pieces: Int, end: GenerationEvent?) {
    let generator = SageMakerTextGenerator(
      client: try server.client(attempts: attempts),
      endpoint: SageMakerEndpoint(name: name, acceptsEULA: name.hasSuffix("-eula")), dialect: dialect, streams: streams,
      pace: pace)
    let request = GenerationRequest(
      system: "Be short.",
      turns: [Turn(role: .user, text: "Hi?"), Turn(role: .assistant, text: "Ja."), Turn(role: .user, text: question)],
      parameters: parameters)
    var text = ""
    var pieces = 0
    var end: GenerationEvent?
    for try await event in generator.generate(request) {
      if case .text(let piece) = event {
        text += piece
        pieces += 1
      } else {
        end = event
      }
    }
    return (text, pieces, end)
  }

  private static let answer = "You said: Überblick \"first\"."

  @Test(
    arguments: [
      ("tgi", SageMakerTextDialect.tgi), ("tgi-eula", .tgi), ("djl", .djl),
    ],
    [
      "[]", #"[{"parts":1}]"#, #"[{"parts":7}]"#, #"[{"parts":100000}]"#, #"[{"stream":"bytewise"}]"#,
      #"[{"status":429}]"#,
    ])
  func streamsText_howeverPartsCutTheLines(endpoint: (String, SageMakerTextDialect), faults: String) async throws {
    let server = try await Self.server()
    try await server.setFaults(faults)
    let (text, pieces, end) = try await generate(server, endpoint.0, endpoint.1)
    #expect(text == Self.answer)
    #expect(pieces > 2)
    #expect(end == .end(stopReason: "end_turn", usage: TokenUsage(inputTokens: 9, outputTokens: 4)))
    #expect(try await server.record().calls == ["InvokeEndpointWithResponseStream"])
  }

  @Test(arguments: [
    ("tgi", SageMakerTextDialect.tgi, "end_turn"), ("djl-eula", .djl, "end_turn"), ("falcon", .falcon, "end_turn"),
    ("flan", .flanT5, "stop_sequence"),
    ("custom-text", .custom(try! .init(template: custom, responsePath: "results[0].outputText")), "unknown"),
  ])
  func answersAtOnce_inEveryDialect(name: String, dialect: SageMakerTextDialect, reason: String) async throws {
    let server = try await Self.server()
    let (text, _, end) = try await generate(server, name, dialect, streams: false)
    #expect(text.trimmingCharacters(in: .whitespaces) == Self.answer)
    #expect(end == .end(stopReason: reason, usage: nil))
    #expect(try await server.record().calls == ["InvokeEndpoint"])
  }

  @Test(arguments: ["[]", #"[{"parts":3}]"#])
  func endsWhereTheModelBeginsTheUsersTurn(faults: String) async throws {
    let server = try await Self.server()
    try await server.setFaults(faults)
    let (text, _, end) = try await generate(server, "falcon", .falcon)
    #expect(text == Self.answer)
    #expect(end == .end(stopReason: "stop_sequence", usage: TokenUsage(inputTokens: 9, outputTokens: 8)))
  }

  @Test func sendsTheParametersUnderTheNamesOfTheContainer() async throws {
    let server = try await Self.server()
    var parameters = Self.parameters
    parameters.repetitionPenalty = 1.2
    parameters.frequencyPenalty = 0.5
    _ = try await generate(server, "tgi", .tgi, parameters: parameters)
    parameters.presencePenalty = -0.5
    _ = try await generate(server, "djl", .djl, parameters: parameters)
    _ = try await generate(server, "tgi", .tgi, parameters: .init(temperature: 0, topP: 1, topK: 9))
    _ = try await generate(server, "flan", .flanT5, parameters: .init(temperature: 0.7, maxTokens: 50))
    _ = try await generate(
      server, "custom-text", .custom(.init(template: Self.custom, responsePath: "results[0].outputText")),
      parameters: .init(maxTokens: 3))
    struct Sent: Decodable {
      var prompt: String
      var parameters: RequestTemplate.Node
    }
    let sent = try await server.record().prompts.map { try JSONDecoder().decode(Sent.self, from: Data($0.utf8)) }
    func object(_ json: String) throws -> RequestTemplate.Node {
      try JSONDecoder().decode(RequestTemplate.Node.self, from: Data(json.utf8))
    }
    try #require(sent.count == 5)
    #expect(
      sent[0].prompt
        == "Be short.\n\nUser: Hi?\n\nAssistant: Ja.\n\nUser: Überblick \"first\". And then?\n\nAssistant:")
    let common = #""temperature":0.5,"top_p":0.9,"top_k":40,"max_new_tokens":100,"details":true,"do_sample":true"#
    let penalties = #""return_full_text":false,"repetition_penalty":1.2,"frequency_penalty":0.5"#
    #expect(sent[0].parameters == (try object("{\(common),\(penalties),\"stop\":[\"STOP\"]}")))
    #expect(
      sent[1].parameters
        == (try object("{\(common),\(penalties),\"presence_penalty\":-0.5,\"stop_sequences\":[\"STOP\"]}")))
    #expect(sent[2].parameters == (try object(#"{"details":true,"return_full_text":false,"do_sample":false}"#)))
    #expect(sent[3].parameters == (try object(#"{"temperature":0.7,"max_length":50,"do_sample":true}"#)))
    #expect(sent[3].prompt == "Be short.\n\nHi?\n\nJa.\n\nÜberblick \"first\". And then?")
    #expect(sent[4].parameters == (try object(#"{"limit":3,"note":"of 3 \"tokens\""}"#)))
  }

  @Test func refusesAPenaltyThatTheContainerDoesNotKnow() async throws {
    let server = try await Self.server()
    let error = await #expect(throws: AWSError.self) {
      _ = try await generate(server, "flan", .flanT5, parameters: .init(presencePenalty: 1))
    }
    #expect(error?.code == "aws.parameter_unsupported")
    #expect(error?.remedy?.contains("generation.presencePenalty") == true)
    #expect(try await server.record().calls.isEmpty)
  }

  @Test(arguments: [
    (#"{"model_error":"reason"}"#, "djl", "aws.model_failed"), (#"{"model_error":"body"}"#, "djl", "aws.model_failed"),
    (#"{"model_error":"body"}"#, "tgi", "aws.model_failed"), (#"{"stream":"exception"}"#, "tgi", "aws.stream_failed"),
    (#"{"silent_end":true}"#, "tgi", "aws.stream_cut"), (#"{"stream":"cut"}"#, "djl", "aws.stream_damaged"),
    (#"{"stream":"bad_crc"}"#, "djl", "aws.stream_damaged"), (#"{"nonsense":true}"#, "djl", "aws.dialect_mismatch"),
    (#"{"status":424,"code":"ModelError"}"#, "djl", "aws.unavailable"), (#"{"drop":true}"#, "tgi", "aws.unreachable"),
    (#"{"status":429,"code":"ModelNotReadyException"}"#, "tgi", "aws.throttled"),
  ])
  func saysThatAnAnswerFailed(fault: String, name: String, code: String) async throws {
    let server = try await Self.server()
    try await server.setFaults("[\(fault)]")
    let error = await #expect(throws: AWSError.self) {
      _ = try await generate(server, name, name == "djl" ? .djl : .tgi, attempts: 1)
    }
    #expect(error?.code == code)
    #expect(error?.message.contains("endpoint \(name)") == true)
    #expect(error?.remedy?.isEmpty == false)
    if fault.contains("exception") { #expect(error?.category == .timedOut) }
  }

  @Test(arguments: ["body", "reason"])
  func recognisesAFailureWithStatus200_answeredAtOnce(form: String) async throws {
    let server = try await Self.server()
    try await server.setFaults(#"[{"model_error":"\#(form)"}]"#)
    let error = await #expect(throws: AWSError.self) { _ = try await generate(server, "djl", .djl, streams: false) }
    #expect(error?.code == "aws.model_failed")
  }

  @Test func slowsDown_whenTheModelIsOverloadedInMidStream() async throws {
    let server = try await Self.server()
    try await server.setFaults(#"[{"model_error":"body"}]"#)
    let pace = RequestPace(concurrency: 4)
    _ = await #expect(throws: AWSError.self) { _ = try await generate(server, "tgi", .tgi, pace: pace) }
    #expect(await pace.share == 0.5)
    #expect(await pace.inFlightLimit == 2)
  }

  @Test func saysThatTheContainerSpeaksAnotherDialect() async throws {
    let server = try await Self.server()
    let error = await #expect(throws: AWSError.self) {
      let dialect = SageMakerTextDialect.custom(
        try .init(template: #"{"ask": "{{question}}"}"#, responsePath: "[0].text"))
      _ = try await generate(server, "custom-text", dialect)
    }
    #expect(error?.code == "aws.dialect_mismatch")
    #expect(error?.message.contains(#"it answered: {"results""#) == true)
    #expect(error?.remedy?.contains("generation.dialect") == true)
    let refused = await #expect(throws: AWSError.self) { _ = try await generate(server, "flan", .tgi, streams: false) }
    #expect(refused?.code == "aws.model_refused")
    let eula = await #expect(throws: AWSError.self) {
      let generator = SageMakerTextGenerator(
        client: try server.client(), endpoint: SageMakerEndpoint(name: "tgi-eula"), dialect: .tgi, pace: RequestPace())
      for try await _ in generator.generate(.init(system: "", turns: [Turn(role: .user, text: "x")])) {}
    }
    #expect(eula?.message.contains("accept_eula") == true)
  }

  @Test func tellsTheObserverOfThrottlingAndRetries() async throws {
    let server = try await Self.server()
    try await server.setFaults(#"[{"status":429},{"status":503}]"#)
    let told = Locked<[AWSClient.Setback.Kind]>([])
    let client = try server.client { setback in told.withLock { $0.append(setback.kind) } }
    let generator = SageMakerTextGenerator(
      client: client, endpoint: SageMakerEndpoint(name: "tgi"), dialect: .tgi, pace: RequestPace())
    for try await _ in generator.generate(.init(system: "", turns: [Turn(role: .user, text: "x")])) {}
    #expect(told.withLock { $0 } == [.throttled, .retried, .retried])
  }

  @Test func stopTextsEndAnAnswer_howeverPiecesCutThem() {
    for size in 1...5 {
      var stops = StopTexts(["\nUser:", "ENDE"])
      let text = Array("One EN line\nUse it, then ENDE and more")
      var given = ""
      for start in stride(from: 0, to: text.count, by: size) {
        given += stops.take(String(text[start..<min(start + size, text.count)]))
      }
      #expect(given + stops.finish() == "One EN line\nUse it, then ")
      #expect(stops.isStopped)
    }
    var never = StopTexts(["STOP"])
    #expect(never.take("a ST") + never.finish() == "a ST")
  }
}
