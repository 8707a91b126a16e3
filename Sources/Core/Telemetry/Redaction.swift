public import Core

/// What is taken out of events before they leave the process. Text that contains or retells a field goes with it.
public enum RedactedField: String, Sendable, CaseIterable {
  /// The question as asked and as rewritten, its embedding, from which the text can be guessed, the prompt around it,
  /// comments and explanations about it.
  case question
  /// The answer's text, the quotes in it, earlier answers in the prompt, explanations of scores.
  case answer
  /// The prompt's text: system and turns.
  case prompt
  /// The quotes of citations, and the text of extractive answers, which consists of them.
  case quotes
  /// Vectors of questions and chunks.
  case vectors
}

/// The rules by which events are redacted.
public struct Redaction: Sendable {
  /// Fields taken out whole.
  public var fields: Set<RedactedField>
  /// What is taken out wherever it stands in a text.
  public var patterns: [RedactionPattern]

  /// Creates rules; by default there are none.
  public init(fields: Set<RedactedField> = [], patterns: [RedactionPattern] = []) {
    self.fields = fields
    self.patterns = patterns
  }

  /// Whether nothing is taken out.
  public var isEmpty: Bool { fields.isEmpty && patterns.isEmpty }
}

extension Event {
  /// What stands where a text was redacted whole.
  public static let redactionMark = "[redacted]"

  /// The event without what the rules take out; `redacted` names the fields that lost something.
  public func redacting(_ redaction: Redaction) -> Event {
    redaction.isEmpty ? self : withoutFields(redaction.fields).withoutPatterns(redaction.patterns)
  }

  private func withoutFields(_ fields: Set<RedactedField>) -> Event {
    guard !fields.isEmpty else { return self }
    var copy = self
    var names: [String] = []
    func mark(_ name: String) { names.append(name) }
    switch payload {
    case .answer(var answer):
      if fields.contains(.question) {
        answer.question = Event.redactionMark
        mark("question")
        if answer.rewrittenQuestion != nil {
          answer.rewrittenQuestion = Event.redactionMark
          mark("rewritten_question")
        }
      }
      if fields.contains(.answer) || (fields.contains(.quotes) && answer.outcome == .extractive) {
        answer.answer = Event.redactionMark
        mark("answer")
        // What a sentence lacks is words of it.
        if answer.sentences?.contains(where: { !$0.missing.isEmpty }) == true {
          for index in (answer.sentences ?? []).indices { answer.sentences?[index].missing = [] }
          mark("sentences.missing")
        }
      }
      // A prompt carries the question, so hiding the question alone would hide nothing.
      if answer.prompt != nil, fields.contains(.prompt) || fields.contains(.question) {
        answer.prompt?.system = Event.redactionMark
        answer.prompt?.turns = [Turn(role: .user, text: Event.redactionMark)]
        mark("prompt")
      } else if let turns = answer.prompt?.turns, fields.contains(.answer), turns.contains(where: \.isAnswer) {
        answer.prompt?.turns = turns.map { $0.isAnswer ? Turn(role: $0.role, text: Event.redactionMark) : $0 }
        mark("prompt.turns")
      }
      // An extractive answer is its quotes, so hiding the answer hides them too.
      if !answer.citations.isEmpty, fields.contains(.quotes) || fields.contains(.answer) {
        for index in answer.citations.indices { answer.citations[index].quote = Event.redactionMark }
        mark("citations.quote")
      }
      if answer.questionEmbedding != nil, fields.contains(.vectors) || fields.contains(.question) {
        answer.questionEmbedding = nil
        mark("question_embedding")
      }
      copy.payload = .answer(answer)
    case .embedding(var embedding):
      if fields.contains(.vectors) {
        embedding.vector = []
        mark("vector")
        copy.payload = .embedding(embedding)
      }
    case .feedback(var feedback):
      if fields.contains(.question), feedback.comment != nil {
        feedback.comment = Event.redactionMark
        mark("comment")
        copy.payload = .feedback(feedback)
      }
    case .evaluation(var evaluation):
      // Judges quote what they judge.
      if fields.contains(.question) || fields.contains(.answer), evaluation.explanation != nil {
        evaluation.explanation = Event.redactionMark
        mark("explanation")
        copy.payload = .evaluation(evaluation)
      }
    case .tombstone: break
    }
    copy.redacted = redacted + names
    return copy
  }
}

extension Turn {
  fileprivate var isAnswer: Bool { role == .assistant }
}
