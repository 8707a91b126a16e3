import Concurrency
public import Core

/// Makes the last question of a conversation stand alone, by one call of a text model.
///
/// The model may fail, take too long, answer instead of rewriting, or invent: then the question stays as it is, and the
/// answer says so. A rewritten question is taken only when it is one line, is not much longer than what it came
/// from, brings no number of its own, and shares at least half of its content words with the conversation.
public struct QuestionRewriter: Sendable {
  /// What became of a question.
  public struct Outcome: Sendable, Hashable {
    /// The question rewritten; nil when it stays as it is.
    public var question: String?
    /// The call, for the event.
    public var record: RewriteRecord
    /// Wall time, seconds.
    public var seconds: Double
  }

  /// Most tokens of a prompt, unless said otherwise: enough for the last turns, which a question points back to.
  public static let defaultPromptTokens = 2_000

  private let generator: any TextGenerator
  private let template: PromptTemplate
  private let maxTokens: Int
  private let promptTokens: Int
  private let timeout: Duration

  /// Creates a rewriter.
  /// - Parameters:
  ///   - generator: The text model.
  ///   - template: The prompt; for ``PromptTemplate/Purpose/rewrite``.
  ///   - maxTokens: Most tokens of a rewritten question.
  ///   - promptTokens: Most tokens of the prompt; the newest turns that fit are shown.
  ///   - timeout: The longest wait for the model.
  public init(
    generator: any TextGenerator, template: PromptTemplate = .rewrite, maxTokens: Int = 128,
    promptTokens: Int = defaultPromptTokens,
    timeout: Duration = .seconds(10)
  ) {
    self.generator = generator
    self.template = template
    self.maxTokens = maxTokens
    self.promptTokens = min(promptTokens, generator.contextTokens - maxTokens)
    self.timeout = timeout
  }

  /// Rewrites `question`, which follows `history`.
  /// - Throws: `CancellationError` only.
  public func rewrite(_ question: String, history: [Turn]) async throws -> Outcome {
    let clock = ContinuousClock()
    let start = clock.now
    var record = RewriteRecord(
      template: template.name, version: template.version, hash: template.hash, model: generator.model)
    var rewritten: String?
    do {
      let said = try await ask(request(question, history))
      record.usage = said.usage
      switch Self.judged(said, question: question, history: history) {
      case .success(let text): rewritten = text
      case .failure(let fault): record.failure = fault.code
      }
    } catch is DeadlineExceeded {
      record.failure = "rewrite.timed_out"
    } catch {
      try Task.checkCancellation()
      record.failure = (error as? any CategorizedError)?.code ?? "internal"
    }
    return Outcome(question: rewritten, record: record, seconds: start.duration(to: clock.now).seconds)
  }

  private func request(_ question: String, _ history: [Turn]) -> GenerationRequest {
    let quoting = PromptQuoting(texts: [question] + history.map(\.text))
    func message(_ turns: [Turn]) -> String {
      let blocks = turns.map { turn in
        template.render(
          "turn", ["mark": quoting.mark, "role": turn.role.rawValue, "text": quoting.body(turn.text)])
      }
      return template.render(
        "user",
        ["mark": quoting.mark, "turns": blocks.joined(separator: "\n"), "question": quoting.body(question)])
    }
    let left = promptTokens - generator.countTokens(template.system) - generator.countTokens(message([]))
    // A turn's tags take tokens too: as many as an empty turn.
    let tags = generator.countTokens(template.render("turn", ["mark": quoting.mark, "role": "assistant", "text": ""]))
    let kept = PromptBuilder.newest(history, within: left) { generator.countTokens($0) + tags }
    return GenerationRequest(
      system: template.system, turns: [Turn(role: .user, text: message(kept))],
      parameters: InferenceParameters(temperature: 0, maxTokens: maxTokens))
  }

  private struct Said: Sendable {
    var text = ""
    var stopReason: String?
    var usage: TokenUsage?
  }

  /// The model's words, within the time there is.
  private func ask(_ request: GenerationRequest) async throws -> Said {
    try await withTimeout(timeout) { [generator] in
      var said = Said()
      for try await event in generator.generate(request) {
        switch event {
        case .text(let piece):
          said.text += piece
          // A model that does not keep to its limit is not listened to any longer.
          guard said.text.utf8.count <= 16 << 10 else { return said }
        case .end(let stopReason, let usage):
          said.stopReason = stopReason
          said.usage = usage
        }
      }
      return said
    }
  }

  private struct Fault: Error { var code: String }

  private static func judged(_ said: Said, question: String, history: [Turn]) -> Result<String, Fault> {
    let lines = said.text.split(whereSeparator: \.isNewline).map { trimmed($0) }.filter { !$0.isEmpty }
    guard var text = lines.first, !text.isEmpty else { return .failure(Fault(code: "rewrite.empty")) }
    guard lines.count == 1, said.stopReason != "max_tokens" else { return .failure(Fault(code: "rewrite.too_long")) }
    if text.count > 2, let first = text.first, let last = text.last, "\"“„«".contains(first), "\"”“»".contains(last) {
      text = trimmed(text.dropFirst().dropLast())
    }
    guard text.unicodeScalars.count <= question.unicodeScalars.count + 400 else {
      return .failure(Fault(code: "rewrite.too_long"))
    }
    let conversation = history.map(\.text) + [question]
    let known = conversation.map { Statement($0) }
    let statement = Statement(String(text))
    guard statement.numbers.allSatisfy({ number in known.contains { $0.numbers.contains(number) } }) else {
      return .failure(Fault(code: "rewrite.invented_number"))
    }
    let words = Set(Words.content(of: String(text)))
    let shared = words.intersection(conversation.flatMap { Words.content(of: $0) })
    guard !words.isEmpty, shared.count * 2 >= words.count else {
      return .failure(Fault(code: "rewrite.unrelated"))
    }
    return .success(String(text))
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
