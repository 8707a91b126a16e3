import AWSSigning
import Core
import Foundation
import HTTPClient
import Testing

@testable import AWS

@Suite(.enabled(if: ContractServer.python != nil, "botocore is not installed (make setup-check)"))
struct BedrockTests {
  // MARK: - Embeddings

  @Test func anAnswerThatIsCutShort_isAskedForAgain() async throws {
    let server = try await ContractServer()
    try await server.setFaults(#"[{"truncate": true}, {"truncate": true}]"#)
    let embedder = try BedrockEmbedder(
      client: server.client(), model: "amazon.titan-embed-text-v2:0", dimension: 256, pace: RequestPace(), width: 1)
    #expect(try await embedder.embed(["a text"], as: .document).count == 1)
    #expect(try await server.record().calls.count == 3)
  }

  @Test(
    arguments: [
      ("amazon.titan-embed-text-v1", nil, 1_536), ("amazon.titan-embed-text-v2:0", 256, 256),
      ("amazon.titan-embed-text-v2:0", nil, 1_024), ("cohere.embed-english-v3", nil, 1_024),
      ("cohere.embed-multilingual-v3", nil, 1_024), ("cohere.embed-v4:0", 512, 512),
      ("arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.cohere.embed-v4:0", nil, 1_536),
    ] as [(String, Int?, Int)])
  func embedsInOrder(model: String, dimension: Int?, expected: Int) async throws {
    let server = try await ContractServer()
    let embedder = try BedrockEmbedder(
      client: server.client(), model: model, dimension: dimension, pace: RequestPace(), width: 4)
    #expect(embedder.identity.dimension == expected)
    let texts = (0..<200).map { "text number \($0) of two hundred" }
    let vectors = try await embedder.embed(texts, as: .document)
    #expect(vectors.count == 200)
    #expect(vectors.allSatisfy { $0.vector.count == expected && abs($0.cosine(to: $0) - 1) < 1e-4 })
    let again = try await embedder.embed([texts[137]], as: .query)
    #expect(again[0].cosine(to: vectors[137]) > 0.9999)
    let record = try await server.record()
    #expect(Set(record.texts) == Set(texts))
    #expect(record.calls.count == (model.contains("titan") ? 201 : 4))
  }

  @Test func refusesModelsAndDimensionsThatItCannotAsk() async throws {
    let server = try await ContractServer()
    let client = try server.client()
    let unknown = #expect(throws: AWSError.self) {
      _ = try BedrockEmbedder(client: client, model: "meta.llama3", pace: RequestPace())
    }
    #expect(unknown?.code == "aws.model_unknown")
    let dimension = #expect(throws: AWSError.self) {
      _ = try BedrockEmbedder(
        client: client, model: "amazon.titan-embed-text-v2:0", dimension: 300, pace: RequestPace())
    }
    #expect(dimension?.remedy?.contains("1024, 512, 256") == true)
  }

  @Test func triesAgain_throughAStormOfFailures() async throws {
    let server = try await ContractServer()
    // Three in ten calls meet a fault.
    let faults = (0..<100).map { number in
      switch number % 10 {
      case 1: #"{"status":429,"code":"ThrottlingException"}"#
      case 4: #"{"status":503,"code":"ServiceUnavailableException"}"#
      case 8: #"{"drop":true}"#
      default: "{}"
      }
    }
    try await server.setFaults("[\(faults.joined(separator: ","))]")
    let client = try server.client()
    let embedder = try BedrockEmbedder(
      client: client, model: "amazon.titan-embed-text-v2:0", dimension: 256, pace: RequestPace(), width: 4)
    let texts = (0..<60).map { "text \($0)" }
    #expect(try await embedder.embed(texts, as: .document).count == 60)
    #expect(Set(try await server.record().texts) == Set(texts))
    #expect(client.retryBudget(of: .bedrock) > 0)
  }

  @Test func saysThatTheDimensionDiffers_orVectorsAreMissing() async throws {
    let server = try await ContractServer()
    let titan = try BedrockEmbedder(
      client: server.client(), model: "amazon.titan-embed-text-v2:0", dimension: 256, pace: RequestPace())
    try await server.setFaults(#"[{"dimension":7}]"#)
    let other = await #expect(throws: AWSError.self) { _ = try await titan.embed(["a"], as: .query) }
    #expect(other?.code == "aws.dimension")
    let cohere = try BedrockEmbedder(client: server.client(), model: "cohere.embed-english-v3", pace: RequestPace())
    try await server.setFaults(#"[{"short":true}]"#)
    let short = await #expect(throws: AWSError.self) { _ = try await cohere.embed(["a", "b"], as: .query) }
    #expect(short?.code == "aws.dimension")
  }

  @Test func saysThatTheSignatureIsRefused() async throws {
    let server = try await ContractServer()
    let embedder = try BedrockEmbedder(
      client: server.client(secret: "wrong-secret"), model: "amazon.titan-embed-text-v1", pace: RequestPace())
    let error = await #expect(throws: AWSError.self) { _ = try await embedder.embed(["a"], as: .query) }
    #expect(error?.code == "aws.signature_refused")
    #expect(error?.description.contains("wrong-secret") == false)
  }

  // MARK: - Text

  private let request = GenerationRequest(
    system: "Be short.", turns: [Turn(role: .user, text: "Überblick first. And then?")],
    parameters: InferenceParameters(temperature: 1.5, topP: 0.9, topK: 40, maxTokens: 100, stop: ["END"]))

  private func generate(
    _ server: ContractServer, model: String = "anthropic.claude-3-haiku-20240307-v1:0",
    guardrail: (id: String, version: String)? = nil, attempts: Int = 5, parameters: InferenceParameters? = nil
  ) async throws -> (text: String, end: GenerationEvent?) {
    let generator = BedrockTextGenerator(
      client: try server.client(attempts: attempts), model: model, guardrail: guardrail, pace: RequestPace())
    var request = request
    if let parameters { request.parameters = parameters }
    var text = ""
    var end: GenerationEvent?
    for try await event in generator.generate(request) {
      if case .text(let piece) = event { text += piece } else { end = event }
    }
    return (text, end)
  }

  @Test(arguments: [
    "[]", #"[{"stream":"bytewise"}]"#, #"[{"stream":"unknown_event"}]"#,
    #"[{"status":429,"code":"ThrottlingException"}]"#,
  ])
  func streamsText_howeverItArrives(faults: String) async throws {
    let server = try await ContractServer()
    try await server.setFaults(faults)
    let (text, end) = try await generate(server)
    #expect(text == "You said: Überblick first.")
    #expect(end == .end(stopReason: "end_turn", usage: TokenUsage(inputTokens: 11, outputTokens: 7)))
  }

  @Test func passesOnStopReasonsItDoesNotKnow() async throws {
    let server = try await ContractServer()
    let (_, end) = try await generate(server, guardrail: ("abcdefgh", "1"))
    #expect(end == .end(stopReason: "guardrail_intervened", usage: TokenUsage(inputTokens: 11, outputTokens: 7)))
  }

  @Test(arguments: [
    (#"[{"stream":"exception"}]"#, "aws.stream_failed"), (#"[{"stream":"bad_crc"}]"#, "aws.stream_damaged"),
    (#"[{"stream":"cut"}]"#, "aws.stream_damaged"), (#"[{"drop":true}]"#, "aws.unreachable"),
    (#"[{"status":424,"code":"ModelErrorException"}]"#, "aws.unavailable"),
  ])
  func saysThatAnAnswerBrokeOff(faults: String, code: String) async throws {
    let server = try await ContractServer()
    try await server.setFaults(faults)
    let error = await #expect(throws: AWSError.self) { _ = try await generate(server, attempts: 1) }
    #expect(error?.code == code)
    #expect(error?.remedy?.isEmpty == false)
  }

  @Test func namesTheModelThatIsNotAllowed() async throws {
    let server = try await ContractServer()
    let error = await #expect(throws: AWSError.self) {
      _ = try await generate(server, model: "anthropic.claude-none-v1:0")
    }
    #expect(error?.code == "aws.access_denied")
    #expect(
      error?.message.contains("bedrock:InvokeModelWithResponseStream on model anthropic.claude-none-v1:0") == true)
    #expect(error?.remedy?.contains("Bedrock console") == true)
  }

  @Test(arguments: [
    ("anthropic.claude-3-haiku-20240307-v1:0", InferenceParameters(topK: 40), #"{"top_k": 40}"#),
    (
      "cohere.command-r-plus-v1:0", InferenceParameters(topK: 9, frequencyPenalty: 0.5, presencePenalty: 0.25),
      #"{"frequency_penalty": 0.5, "k": 9, "presence_penalty": 0.25}"#
    ),
    ("ai21.jamba-1-5-large-v1:0", InferenceParameters(presencePenalty: 1), #"{"presence_penalty": 1}"#),
  ])
  func sendsWhatConverseHasNoNameFor(model: String, parameters: InferenceParameters, sent: String) async throws {
    let server = try await ContractServer()
    _ = try await generate(server, model: model, parameters: parameters)
    #expect(try await server.record().prompts == [sent])
  }

  @Test(arguments: [
    ("anthropic.claude-3-haiku-20240307-v1:0", InferenceParameters(presencePenalty: 1), "presencePenalty"),
    ("cohere.command-r-v1:0", InferenceParameters(repetitionPenalty: 1.1), "repetitionPenalty"),
    ("meta.llama3-1-8b-instruct-v1:0", InferenceParameters(topK: 40), "topK"),
  ])
  func refusesParametersThatTheModelDoesNotHave(
    model: String, parameters: InferenceParameters, key: String
  ) async throws {
    let server = try await ContractServer()
    let error = await #expect(throws: AWSError.self) {
      _ = try await generate(server, model: model, parameters: parameters)
    }
    #expect(error?.code == "aws.parameter_unsupported")
    #expect(error?.remedy?.contains("generation.\(key)") == true)
  }

  @Test func slowsDown_afterAThrottledAttemptThatARetryMadeGood_andInMidStream() async throws {
    let server = try await ContractServer()
    let pace = RequestPace(concurrency: 8)
    let generator = BedrockTextGenerator(client: try server.client(), model: "anthropic.claude-3", pace: pace)
    try await server.setFaults(#"[{"status":429,"code":"ThrottlingException"}]"#)
    for try await _ in generator.generate(request) {}
    #expect(await pace.share == 0.5)
    #expect(await pace.inFlightLimit == 4)
    try await server.setFaults(#"[{"stream":"exception"}]"#)
    await #expect(throws: AWSError.self) { for try await _ in generator.generate(request) {} }
    #expect(await pace.share == 0.25)
  }
}
