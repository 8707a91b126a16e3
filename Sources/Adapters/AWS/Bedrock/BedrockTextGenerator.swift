import AWSSigning
public import Core
import FoundationEssentials
import HTTPClient

/// Text models of Amazon Bedrock through ConverseStream.
///
/// Unknown events and stop reasons are passed on or over: services add to both. An exception in mid-stream ends the
/// answer with an error; nothing is asked again once text was given out.
public struct BedrockTextGenerator: TextGenerator {
  /// The model id, an inference profile's id or an ARN of either.
  public let model: String
  /// Longest prompt in tokens.
  public let contextTokens: Int
  private let client: AWSClient
  private let guardrail: (id: String, version: String)?

  /// Creates a generator.
  /// - Parameter guardrail: Id and version of a guardrail to apply.
  public init(
    client: AWSClient, model: String, contextTokens: Int = 32_000, guardrail: (id: String, version: String)? = nil
  ) {
    self.client = client
    self.model = model
    self.contextTokens = contextTokens
    self.guardrail = guardrail
  }

  /// A conservative count: two bytes a token is more than any of the models' tokenizers makes of ordinary text.
  public func countTokens(_ text: String) -> Int { text.utf8.count / 2 + 1 }

  /// Generates, piece by piece.
  public func generate(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
    AsyncThrowingStream(bufferingPolicy: .unbounded) { continuation in
      let task = Task {
        do {
          try await stream(request) { continuation.yield($0) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  private func stream(_ request: GenerationRequest, yield: (GenerationEvent) -> Void) async throws {
    let call = AWSCall(
      .bedrock, "InvokeModelWithResponseStream", on: "model \(model)",
      path: URIEncoding.path(segments: ["model", model, "converse-stream"]),
      headers: [.init("Content-Type", "application/json"), .init("Accept", "application/vnd.amazon.eventstream")],
      body: try ConverseBodies.request(request, guardrail: guardrail, topKField: topKField), timeout: nil,
      idleTimeout: .seconds(60))
    let response = try await client.send(call)
    var decoder = EventStreamDecoder()
    var stopReason: String?
    var usage: TokenUsage?
    do {
      for try await bytes in response.body {
        decoder.append(bytes)
        while let message = try decoder.next() {
          try handle(message, yield: yield, stopReason: &stopReason, usage: &usage)
        }
      }
      try decoder.finish()
    } catch let error as EventStreamError {
      throw AWSError(
        "aws.stream_damaged", .unavailable, "the answer of model \(model) was damaged on its way (\(error))",
        remedy: "Ask again.", underlying: error)
    } catch let error as HTTPClientError {
      throw AWSError(
        "aws.stream_cut", error.code == .timedOut ? .timedOut : .unavailable,
        "the answer of model \(model) broke off: \(error.message)", remedy: "Ask again.", underlying: error)
    }
    guard let stopReason else {
      throw AWSError(
        "aws.stream_cut", .unavailable, "the answer of model \(model) ended without saying why", remedy: "Ask again.")
    }
    yield(.end(stopReason: stopReason, usage: usage))
  }

  private func handle(
    _ message: EventStreamMessage, yield: (GenerationEvent) -> Void, stopReason: inout String?,
    usage: inout TokenUsage?
  ) throws {
    let payload = Data(message.payload)
    guard message.kind == "event" else { throw failure(message) }
    let decoder = JSONDecoder()
    switch message.name {
    case "contentBlockDelta":
      if let text = try? decoder.decode(ConverseBodies.Delta.self, from: payload).delta?.text, !text.isEmpty {
        yield(.text(text))
      }
    case "messageStop":
      stopReason = (try? decoder.decode(ConverseBodies.Stop.self, from: payload))?.stopReason ?? "unknown"
    case "metadata":
      if let counts = try? decoder.decode(ConverseBodies.Metadata.self, from: payload).usage {
        usage = TokenUsage(inputTokens: counts.inputTokens ?? 0, outputTokens: counts.outputTokens ?? 0)
      }
    default: break
    }
  }

  private func failure(_ message: EventStreamMessage) -> AWSError {
    let said = (try? JSONDecoder().decode(ConverseBodies.Failure.self, from: Data(message.payload)))
    let text = said?.originalMessage ?? said?.message ?? message.headers[":error-message"] ?? "no reason"
    let category: ErrorCategory =
      switch message.name {
      case "throttlingException": .rateLimited
      case "validationException": .invalidInput
      case "modelTimeoutException": .timedOut
      default: .unavailable
      }
    return AWSError(
      "aws.stream_failed", category, "model \(model) broke off with \(message.name): \(text.prefix(300))",
      remedy: "Ask again.", serviceCode: message.name)
  }

  /// Converse has no top-k: it goes by the name that the model's own request has for it.
  private var topKField: String? {
    if model.contains("anthropic.") || model.contains("mistral.") { return "top_k" }
    if model.contains("cohere.") { return "k" }
    return nil
  }
}
