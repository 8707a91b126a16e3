import Concurrency
public import Core

/// A text model that says what it was told to, one response a call, and remembers what it was asked.
public final class ScriptedTextGenerator: TextGenerator {
  /// One call's behaviour.
  public enum Response: Sendable {
    /// Streams the text word by word, then ends with `stopReason`.
    case text(String, stopReason: String = "end_turn")
    /// Streams exactly these events.
    case events([GenerationEvent])
    /// Streams the text, then throws.
    case failure(after: String = "", any Error)
    /// Streams the text, then says nothing more until it is cancelled.
    case stalled(after: String)
  }

  private struct State {
    var responses: [Response]
    var requests: [GenerationRequest] = []
    var cancellations = 0
  }

  /// Its id, as prices name it.
  public let model: String
  /// Longest prompt in tokens.
  public let contextTokens: Int
  private let state: Locked<State>

  /// Creates a model that gives `responses` in order; one call more throws `generator.script_exhausted`.
  public init(_ responses: [Response], model: String = "scripted", contextTokens: Int = 8_000) {
    self.model = model
    self.contextTokens = contextTokens
    state = Locked(State(responses: responses))
  }

  /// What it was asked, in order.
  public var requests: [GenerationRequest] { state.withLock { $0.requests } }
  /// How many streams were left before their end.
  public var cancellations: Int { state.withLock { $0.cancellations } }

  /// One token for every three bytes, rounded up.
  public func countTokens(_ text: String) -> Int { (text.utf8.count + 2) / 3 }

  /// Plays the next response.
  public func generate(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error> {
    let response = state.withLock { state -> Response in
      state.requests.append(request)
      guard !state.responses.isEmpty else {
        let error = CoreError(
          code: "generator.script_exhausted", category: .internal,
          message: "the scripted model was asked more often than it has responses")
        return .failure(error)
      }
      return state.responses.removeFirst()
    }
    let input = countTokens(request.system) + request.turns.reduce(0) { $0 + countTokens($1.text) }
    let (stream, continuation) = AsyncThrowingStream.makeStream(of: GenerationEvent.self)
    continuation.onTermination = { [state] termination in
      if case .cancelled = termination { state.withLock { $0.cancellations += 1 } }
    }
    switch response {
    case .text(let text, let stopReason):
      Self.pieces(of: text).forEach { continuation.yield(.text($0)) }
      let usage = TokenUsage(inputTokens: input, outputTokens: countTokens(text))
      continuation.yield(.end(stopReason: stopReason, usage: usage))
      continuation.finish()
    case .events(let events):
      events.forEach { continuation.yield($0) }
      continuation.finish()
    case .failure(let text, let error):
      Self.pieces(of: text).forEach { continuation.yield(.text($0)) }
      continuation.finish(throwing: error)
    case .stalled(let text):
      Self.pieces(of: text).forEach { continuation.yield(.text($0)) }
    }
    return stream
  }

  /// Words with the space that follows them: joined they are the text again.
  private static func pieces(of text: String) -> [String] {
    var pieces: [String] = []
    var current = ""
    for character in text {
      current.append(character)
      if character.isWhitespace {
        pieces.append(current)
        current = ""
      }
    }
    if !current.isEmpty { pieces.append(current) }
    return pieces
  }
}
