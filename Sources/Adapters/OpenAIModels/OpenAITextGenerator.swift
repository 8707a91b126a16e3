public import Core
import FoundationEssentials
public import HTTPClient

/// Text models of any server that speaks OpenAI's chat completions: Ollama, vLLM, llama.cpp, and OpenAI itself.
public struct OpenAITextGenerator: TextGenerator {
  /// The model's name at the server.
  public let model: String
  /// Longest prompt in tokens.
  public let contextTokens: Int
  private let http: HTTPClient
  private let endpoint: String
  private let key: String?
  private let policy: RetryPolicy
  private let budget = RetryBudget()
  private let idleTimeout: Duration

  /// Creates a generator.
  /// - Parameters:
  ///   - url: The base with its version, such as `http://localhost:11434/v1`.
  ///   - key: Sent as a bearer token; nil for none.
  ///   - idleTimeout: The longest silence: a model on a CPU may think for minutes before its first token.
  public init(
    url: String, model: String, key: String?, http: HTTPClient, contextTokens: Int = 8_000,
    policy: RetryPolicy = RetryPolicy(), idleTimeout: Duration = .seconds(300)
  ) {
    endpoint = (url.hasSuffix("/") ? String(url.dropLast()) : url) + "/chat/completions"
    self.model = model
    self.key = key
    self.http = http
    self.contextTokens = contextTokens
    self.policy = policy
    self.idleTimeout = idleTimeout
  }

  /// Generates, piece by piece. Once text was given out nothing is asked again.
  public func generate(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
    .generating { say in try await stream(request, yield: say) }
  }

  private func stream(_ request: GenerationRequest, yield: (GenerationEvent) -> Void) async throws {
    let response = try await send(try ChatBodies.request(request, model: model))
    var decoder = ServerSentEventDecoder()
    var stopReason: String?
    var usage: TokenUsage?
    var isDone = false
    do {
      reading: for try await bytes in response.body {
        for event in try decoder.append(bytes) {
          if event.data == "[DONE]" {
            isDone = true
            break reading
          }
          let chunk = try chunk(event.data)
          if let counts = chunk.usage {
            usage = TokenUsage(inputTokens: counts.prompt_tokens ?? 0, outputTokens: counts.completion_tokens ?? 0)
          }
          // Only one answer is asked for.
          guard let choice = chunk.choices?.first else { continue }
          if let text = choice.delta?.content, !text.isEmpty { yield(.text(text)) }
          if let reason = choice.finish_reason { stopReason = Self.stopReason(reason) }
        }
      }
    } catch let error as HTTPClientError {
      throw broke(error.message, error.code == .timedOut ? .timedOut : .unavailable, error)
    } catch let error as ServerSentEventDecoder.TooLong {
      throw broke("an event has no end", .unavailable, error)
    }
    guard isDone || stopReason != nil else { throw broke("it ended without saying why", .unavailable, nil) }
    yield(.end(stopReason: stopReason ?? "unknown", usage: usage))
  }

  private func chunk(_ data: String) throws -> ChatBodies.Chunk {
    guard let chunk = try? JSONDecoder().decode(ChatBodies.Chunk.self, from: Data(data.utf8)) else {
      throw broke("a part is not JSON of the expected form", .unavailable, nil)
    }
    if let failure = chunk.error { throw broke(String(failure.message.prefix(300)), .unavailable, nil) }
    return chunk
  }

  private func broke(_ reason: String, _ category: ErrorCategory, _ underlying: (any Error)?) -> OpenAIError {
    OpenAIError(
      "openai.stream_failed", category, "the answer of \(name) broke off: \(reason)", remedy: "Ask again.",
      underlying: underlying)
  }

  /// Quarry's words for the reasons it knows; others stay as they are.
  private static func stopReason(_ reason: String) -> String {
    switch reason {
    case "stop": "end_turn"
    case "length": "max_tokens"
    case "content_filter": "content_filtered"
    default: reason
    }
  }

  private var name: String { "model \(model) at \(endpoint.split(separator: "/").dropFirst().first ?? "?")" }

  // MARK: - The request

  private struct Refused: Error {
    var status: Int
    var message: String
    var retryAfter: Duration?
  }

  private func send(_ body: [UInt8]) async throws -> HTTPClientResponse {
    var headers = [
      HTTPClientRequest.Header("Content-Type", "application/json"), .init("Accept", "text/event-stream"),
    ]
    if let key { headers.append(.init("Authorization", "Bearer \(key)")) }
    let request = HTTPClientRequest(
      method: "POST", url: endpoint, headers: headers, body: body, timeout: nil, idleTimeout: idleTimeout,
      isIdempotent: true)
    do {
      return try await policy.run(
        budget: budget,
        judge: { error in
          switch error {
          case let refused as Refused:
            .init(
              isTransient: [408, 429, 500, 502, 503, 504].contains(refused.status), retryAfter: refused.retryAfter)
          case let error as HTTPClientError: .init(isTransient: error.isTransient, isTimeout: error.code == .timedOut)
          default: nil
          }
        },
        attempt: { _ in
          let response = try await http.execute(request)
          if response.status == 200 { return response }
          let said = try await response.body.collect(upTo: 64 << 10)
          let message = (try? JSONDecoder().decode(ChatBodies.Failure.self, from: Data(said)))?.message ?? ""
          throw Refused(
            status: response.status, message: String(message.prefix(300)),
            retryAfter: RetryAfter.parse(response["Retry-After"]))
        })
    } catch let refused as Refused {
      throw error(refused)
    } catch let error as HTTPClientError {
      throw OpenAIError(
        "openai.unreachable", error.code == .timedOut ? .timedOut : .unavailable, "\(name): \(error.message)",
        remedy: error.remedy.isEmpty ? nil : error.remedy, underlying: error)
    }
  }

  private func error(_ refused: Refused) -> OpenAIError {
    let said = refused.message.isEmpty ? "status \(refused.status)" : refused.message
    switch refused.status {
    case 401:
      return OpenAIError(
        "openai.unauthenticated", .unauthenticated, "\(name) wants another key: \(said)",
        remedy: "Check generation.key.")
    case 403: return OpenAIError("openai.forbidden", .forbidden, "\(name) is not allowed to this key: \(said)")
    case 404:
      return OpenAIError(
        "openai.model_unknown", .notFound, "\(name) is not there: \(said)",
        remedy: "Check the URL, which ends in /v1, and the model's name (`ollama list`).")
    case 429:
      return OpenAIError("openai.throttled", .rateLimited, "\(name) is busy: \(said)", remedy: "Try again later.")
    case 400, 413, 422:
      return OpenAIError(
        "openai.refused", .invalidInput, "\(name) refuses the request: \(said)",
        remedy: "Check the inference parameters and the context length.")
    default: return OpenAIError("openai.unavailable", .unavailable, "\(name): \(said)", remedy: "Try again later.")
    }
  }
}
