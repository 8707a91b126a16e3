import Core
import FoundationEssentials
import HTTPClient

extension AWSClient {
  /// Sends a call whose answer is a stream of messages, and hands on each event as it comes.
  ///
  /// Nothing is asked again once the answer has begun. An exception in mid-stream ends it with an error; throttling
  /// there slows the pace down too.
  /// - Throws: ``AWSError``; `CancellationError`; what `take` throws.
  func events(
    _ call: AWSCall, pace: RequestPace, tokens: Int, take: (EventStreamMessage) throws -> Void
  ) async throws {
    try await pace.hold {
      let response = try await send(call, pace: pace, tokens: tokens)
      var decoder = EventStreamDecoder()
      do {
        for try await bytes in response.body {
          decoder.append(bytes)
          while let message = try decoder.next() {
            guard message.kind == "event" else {
              let failure = Self.failure(message, of: call)
              if failure.category == .rateLimited {
                tell(.throttled, of: call)
                await pace.throttled()
              }
              throw failure
            }
            try take(message)
          }
        }
        try decoder.finish()
      } catch let error as EventStreamError {
        throw AWSError(
          "aws.stream_damaged", .unavailable, "the answer of \(call.resource) was damaged on its way (\(error))",
          remedy: "Ask again.", underlying: error)
      } catch let error as HTTPClientError {
        throw AWSError(
          "aws.stream_cut", error.code == .timedOut ? .timedOut : .unavailable,
          "the answer of \(call.resource) broke off: \(error.message)", remedy: "Ask again.", underlying: error)
      }
    }
  }

  /// The exceptions of ConverseStream and InvokeEndpointWithResponseStream, as their service models have them.
  private static func failure(_ message: EventStreamMessage, of call: AWSCall) -> AWSError {
    let said = try? JSONDecoder().decode(Failure.self, from: Data(message.payload))
    let text = said?.text ?? message.headers[":error-message"] ?? "no reason"
    let category: ErrorCategory =
      switch message.name {
      case "throttlingException": .rateLimited
      case "validationException": .invalidInput
      case "modelTimeoutException": .timedOut
      case "ModelStreamError" where said?.code == "ModelInvocationTimeExceeded": .timedOut
      default: .unavailable
      }
    return AWSError(
      "aws.stream_failed", category, "\(call.resource) broke off with \(message.name): \(text.prefix(300))",
      remedy: "Ask again.", serviceCode: message.name)
  }

  private struct Failure: Decodable {
    var text: String?
    var code: String?

    private enum Key: String, CodingKey {
      case message, Message, originalMessage
      case code = "ErrorCode"
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Key.self)
      for key in [Key.originalMessage, .message, .Message] where text == nil {
        text = try? values.decode(String.self, forKey: key)
      }
      code = try? values.decode(String.self, forKey: .code)
    }
  }
}

extension TextGenerator {
  /// What a request takes of a quota: its prompt, and the answer as long as it may be.
  func tokens(of request: GenerationRequest) -> Int {
    // Four bytes a token is the usual English; `countTokens` is for limits, and too many for a rate.
    let bytes = request.turns.reduce(request.system.utf8.count) { $0 + $1.text.utf8.count }
    return bytes / 4 + (request.parameters.maxTokens ?? 0)
  }
}
