public import Core
import FoundationEssentials

/// A text model behind an endpoint of SageMaker.
///
/// A container that fails with status 200 is recognised. Nothing is asked again once text was given out.
public struct SageMakerTextGenerator: TextGenerator {
  /// The model's name, as prices name it; the endpoint's without one.
  public let model: String
  /// Longest prompt in tokens.
  public let contextTokens: Int
  private let client: AWSClient
  private let endpoint: SageMakerEndpoint
  private let dialect: SageMakerTextDialect
  private let streams: Bool
  private let pace: RequestPace

  /// Creates a generator.
  /// - Parameters:
  ///   - model: A name for the model; nil for the endpoint's.
  ///   - streams: Whether the answer is asked for in parts; dialects that have none never are.
  ///   - pace: The rate and number in flight that calls keep to, shared by all generators of the endpoint.
  public init(
    client: AWSClient, endpoint: SageMakerEndpoint, dialect: SageMakerTextDialect, model: String? = nil,
    contextTokens: Int = 4_000, streams: Bool = true, pace: RequestPace
  ) {
    self.client = client
    self.endpoint = endpoint
    self.dialect = dialect
    self.model = model ?? endpoint.name
    self.contextTokens = contextTokens
    self.streams = streams && dialect.streams
    self.pace = pace
  }

  /// Generates, piece by piece where the container streams.
  public func generate(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
    .generating { say in
      let body = try dialect.body(request, streams: streams, resource: endpoint.resource)
      var stops = StopTexts(request.parameters.stop + dialect.ownStops)
      func give(_ text: String) { if !text.isEmpty { say(.text(text)) } }
      let end =
        streams
        ? try await stream(body, tokens: tokens(of: request)) { give(stops.take($0)) }
        : try await whole(body, tokens: tokens(of: request)) { give(stops.take($0)) }
      give(stops.finish())
      say(.end(stopReason: stops.isStopped ? "stop_sequence" : end.reason, usage: end.usage))
    }
  }

  private typealias End = (reason: String, usage: TokenUsage?)

  // MARK: - In parts

  private func stream(_ body: [UInt8], tokens: Int, say: (String) -> Void) async throws -> End {
    let call = endpoint.streamingCall(body, accept: dialect.streamType)
    var lines = GeneratedLines()
    var end: End?
    var hasText = false
    func take(_ part: GeneratedPart) throws {
      if let failure = part.failure { throw failed(failure) }
      if let text = part.tokenText {
        hasText = true
        say(text)
      }
      // The last part repeats the whole text; a container that gives no tokens says only this.
      if let text = part.generated_text, !hasText { say(text) }
      if part.generated_text != nil || part.finishReason != nil {
        end = (part.stopReason ?? "unknown", part.usage)
      }
      if part.tokenText == nil && part.token == nil && part.generated_text == nil && part.finishReason == nil {
        throw GeneratedLines.Malformed(line: [])
      }
    }
    do {
      try await client.events(call, pace: pace, tokens: tokens) { event in
        guard event.name == "PayloadPart" else { return }
        for part in try lines.append(event.payload) { try take(part) }
      }
      if let part = try lines.finish() { try take(part) }
    } catch let error as GeneratedLines.Malformed {
      throw mismatch(error.line, "a part of the stream has neither a token nor an end")
    } catch let error as AWSError where error.category == .rateLimited && error.code == "aws.model_failed" {
      client.tell(.throttled, of: call)
      await pace.throttled()
      throw error
    }
    guard let end else { throw AWSError.endedWithoutReason(call) }
    return end
  }

  // MARK: - At once

  private func whole(_ body: [UInt8], tokens: Int, say: (String) -> Void) async throws -> End {
    let call = endpoint.call(body, contentType: "application/json")
    let answer = try await client.bytes(call, pace: pace, tokens: tokens)
    let root = JSONPath("")!
    let one = JSONPath("[0]")!
    // An object, or a list of one: Text Generation Inference answers either.
    let part = [root, one].lazy.compactMap { try? $0.values(of: GeneratedPart.self, in: answer).first }.first
    if let failure = part?.failure { throw failed(failure) }
    if case .custom(let custom) = dialect {
      guard let text = try? custom.path.values(of: String.self, in: answer).first else {
        throw mismatch(answer, "there is no text at generation.responsePath")
      }
      say(text)
      return (part?.stopReason ?? "unknown", part?.usage)
    }
    guard let part, let text = part.generated_text ?? part.generated_texts?.first else {
      throw mismatch(answer, "there is no generated text in it")
    }
    say(text)
    return (part.stopReason ?? "unknown", part.usage)
  }

  // MARK: - Errors

  private func failed(_ failure: (reason: String, category: ErrorCategory)) -> AWSError {
    AWSError(
      "aws.model_failed", failure.category,
      "the model behind \(endpoint.resource) failed, with status 200: \(failure.reason.prefix(300))",
      remedy: failure.category == .invalidInput
        ? "Check the inference parameters and generation.contextTokens." : "Ask again; see the endpoint's log.")
  }

  private func mismatch(_ answer: [UInt8], _ problem: String) -> AWSError {
    endpoint.mismatch("generation.dialect", dialect: dialect.name, answer: answer, problem)
  }
}
