import ChildProcess
import Core
import Foundation
import HTTPClient
import OpenAIModels
import QuarryTesting
import Testing

@Suite(.enabled(if: OpenAIServer.python != nil, "openai is not installed (make setup-test)"))
struct OpenAITextGeneratorTests {
  private let http = HTTPClient()

  private func generate(
    _ server: OpenAIServer, model: String = "m", key: String? = "right-key", path: String = "/v1/",
    parameters: InferenceParameters = .init(temperature: 0, topP: 1, topK: 40, maxTokens: 100, stop: ["END"])
  ) async throws -> (text: String, end: GenerationEvent?) {
    let generator = OpenAITextGenerator(
      url: server.url + path, model: model, key: key, http: http,
      policy: RetryPolicy(maximumAttempts: 2, baseDelay: .milliseconds(1)))
    let request = GenerationRequest(
      system: "Be short.",
      turns: [
        Turn(role: .user, text: "Ü?"), Turn(role: .assistant, text: "Ja."), Turn(role: .user, text: "And \"then\"?"),
      ], parameters: parameters)
    var text = ""
    var end: GenerationEvent?
    for try await event in generator.generate(request) {
      if case .text(let piece) = event { text += piece } else { end = event }
    }
    return (text, end)
  }

  private static let echo = "system=Be short. | user=Ü? | assistant=Ja. | user=And \"then\"?"

  @Test(arguments: ["{}", #"{"bytewise":true}"#, #"{"status":503}"#])
  func streamsText_howeverItArrives(fault: String) async throws {
    let server = try await OpenAIServer()
    try await server.setFault(fault)
    let (text, end) = try await generate(server)
    #expect(text == Self.echo)
    #expect(end == .end(stopReason: "end_turn", usage: TokenUsage(inputTokens: 5, outputTokens: 9)))
  }

  @Test func saysThatTheTokensWereUsedUp() async throws {
    let server = try await OpenAIServer()
    let (_, end) = try await generate(server, parameters: InferenceParameters(maxTokens: 3))
    guard case .end("max_tokens", _) = end else {
      Issue.record("\(String(describing: end))")
      return
    }
  }

  @Test(arguments: [
    (#"{"cut":true}"#, "openai.stream_failed"), (#"{"nonsense":true}"#, "openai.stream_failed"),
    (#"{"error_chunk":true}"#, "openai.stream_failed"), (#"{"silent_end":true}"#, "openai.stream_failed"),
    (#"{"status":422,"body":{"message":"too long"}}"#, "openai.refused"),
  ])
  func saysThatAnAnswerBrokeOff(fault: String, code: String) async throws {
    let server = try await OpenAIServer()
    try await server.setFault(fault)
    let error = await #expect(throws: OpenAIError.self) { _ = try await generate(server) }
    #expect(error?.code == code)
    if fault.contains("error_chunk") { #expect(error?.message.contains("out of memory") == true) }
    if fault.contains("too long") { #expect(error?.message.contains("too long") == true) }
  }

  @Test func namesWhatIsWrong() async throws {
    let server = try await OpenAIServer()
    let key = await #expect(throws: OpenAIError.self) { _ = try await generate(server, key: "hidden-key") }
    #expect(key?.code == "openai.unauthenticated")
    #expect(key?.description.contains("hidden-key") == false)
    let model = await #expect(throws: OpenAIError.self) { _ = try await generate(server, model: "gone") }
    #expect(model?.code == "openai.model_unknown")
    #expect(model?.message.contains("try pulling it first") == true)
    let path = await #expect(throws: OpenAIError.self) { _ = try await generate(server, path: "") }
    #expect(path?.code == "openai.model_unknown")
    let parameters = await #expect(throws: OpenAIError.self) {
      _ = try await generate(server, parameters: InferenceParameters(temperature: 9))
    }
    #expect(parameters?.code == "openai.refused")
    let nobody = OpenAITextGenerator(
      url: "http://127.0.0.1:1/v1", model: "m", key: nil, http: http,
      policy: RetryPolicy(maximumAttempts: 1))
    let refused = await #expect(throws: OpenAIError.self) {
      for try await _ in nobody.generate(GenerationRequest(system: "", turns: [])) {}
    }
    #expect(refused?.code == "openai.unreachable")
    #expect(refused?.message.contains("127.0.0.1:1") == true)
  }
}

/// The Python server that is strict by openai-python's types; ends when it is released.
final class OpenAIServer: Sendable {
  let url: String
  private let child: ChildProcess
  private let http = HTTPClient()

  /// A Python that has openai: the one of `make setup-test`, or the system's; nil when neither has it.
  static let python: String? = PythonTools.python(with: "import openai")

  init() async throws {
    guard let python = Self.python else { throw CocoaError(.fileNoSuchFile) }
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Contract/openai_server.py"
    child = try ChildProcess.spawn(executable: python, arguments: [script])
    var said = ""
    while !said.contains("\n"), let bytes = try await child.read() { said += String(decoding: bytes, as: UTF8.self) }
    guard let port = said.split(whereSeparator: \.isWhitespace).last.flatMap({ Int($0) }) else {
      throw CocoaError(.executableLoad)
    }
    url = "http://127.0.0.1:\(port)"
  }

  func setFault(_ json: String) async throws {
    let response = try await http.execute(
      HTTPClientRequest(method: "POST", url: url + "/-/fault", body: Array(json.utf8)))
    _ = try await response.body.collect(upTo: 1 << 10)
  }
}
