import AWSSigning
public import Core
import FoundationEssentials

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
  private let pace: RequestPace

  /// Creates a generator.
  /// - Parameters:
  ///   - guardrail: Id and version of a guardrail to apply.
  ///   - pace: The rate and number in flight that calls keep to, shared by all generators of the account's quota.
  public init(
    client: AWSClient, model: String, contextTokens: Int = 32_000, guardrail: (id: String, version: String)? = nil,
    pace: RequestPace
  ) {
    self.client = client
    self.model = model
    self.contextTokens = contextTokens
    self.guardrail = guardrail
    self.pace = pace
  }

  /// Generates, piece by piece.
  public func generate(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
    .generating { say in try await stream(request, say: say) }
  }

  private func stream(_ request: GenerationRequest, say: (GenerationEvent) -> Void) async throws {
    let call = AWSCall(
      .bedrock, "InvokeModelWithResponseStream", on: "model \(model)",
      path: URIEncoding.path(segments: ["model", model, "converse-stream"]),
      headers: [.init("Content-Type", "application/json"), .init("Accept", "application/vnd.amazon.eventstream")],
      body: try ConverseBodies.request(request, guardrail: guardrail, additional: additional(request.parameters)),
      timeout: nil, idleTimeout: .seconds(60))
    var stopReason: String?
    var usage: TokenUsage?
    let decoder = JSONDecoder()
    try await client.events(call, pace: pace, tokens: tokens(of: request)) { event in
      let payload = Data(event.payload)
      switch event.name {
      case "contentBlockDelta":
        if let text = try? decoder.decode(ConverseBodies.Delta.self, from: payload).delta?.text, !text.isEmpty {
          say(.text(text))
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
    guard let stopReason else { throw AWSError.endedWithoutReason(call) }
    say(.end(stopReason: stopReason, usage: usage))
  }

  /// What Converse has no names for goes by those of the model's own request.
  ///
  /// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html (Anthropic, Mistral, Cohere
  /// Command R, AI21 Jamba)
  /// - Throws: `aws.parameter_unsupported` for one that the model does not have: it would be recorded with the answer
  ///   and have had no effect.
  private func additional(_ parameters: InferenceParameters) throws -> [String: Double] {
    var fields: [String: Double] = [:]
    if let topK = parameters.topK {
      let isNamedTopK = model.contains("anthropic.") || model.contains("mistral.")
      guard isNamedTopK || model.contains("cohere.") else {
        throw AWSError.parameterUnsupported("topK", by: "model \(model)")
      }
      fields[isNamedTopK ? "top_k" : "k"] = Double(topK)
    }
    let hasPenalties = model.contains("cohere.") || model.contains("ai21.jamba")
    for (key, name, value, isKnown) in [
      ("frequencyPenalty", "frequency_penalty", parameters.frequencyPenalty, hasPenalties),
      ("presencePenalty", "presence_penalty", parameters.presencePenalty, hasPenalties),
      ("repetitionPenalty", "", parameters.repetitionPenalty, false),
    ] {
      guard let value else { continue }
      guard isKnown else { throw AWSError.parameterUnsupported(key, by: "model \(model)") }
      fields[name] = value
    }
    return fields
  }
}
