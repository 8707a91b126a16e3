public import Core

/// What is taken out of events before they leave the process.
public enum RedactedField: String, Sendable, CaseIterable {
  /// The question, as asked and as rewritten, and its place in the prompt.
  case question
  /// The answer's text.
  case answer
  /// The prompt's text: system and turns.
  case prompt
  /// The quotes of citations.
  case quotes
  /// Vectors of questions and chunks.
  case vectors
}

extension Event {
  /// What stands where text was redacted.
  public static let redactionMark = "[redacted]"

  /// The event without the given fields; `redacted` names those that it had.
  public func redacting(_ fields: Set<RedactedField>) -> Event {
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
      if fields.contains(.answer) {
        answer.answer = Event.redactionMark
        mark("answer")
      }
      // A prompt carries the question, so hiding the question alone would hide nothing.
      if answer.prompt != nil, fields.contains(.prompt) || fields.contains(.question) {
        answer.prompt?.system = Event.redactionMark
        answer.prompt?.turns = [Turn(role: .user, text: Event.redactionMark)]
        mark("prompt")
      }
      // An extractive answer is its quotes, so hiding the answer hides them too.
      if !answer.citations.isEmpty, fields.contains(.quotes) || fields.contains(.answer) {
        for index in answer.citations.indices { answer.citations[index].quote = Event.redactionMark }
        mark("citations.quote")
      }
      if answer.questionEmbedding != nil, fields.contains(.vectors) {
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
    case .evaluation, .tombstone: break
    }
    copy.redacted = redacted + names
    return copy
  }
}
