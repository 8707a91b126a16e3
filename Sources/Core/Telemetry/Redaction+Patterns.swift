import Core

extension Event {
  /// The event with every match of the patterns replaced by its mark, in every text that a person, a document or a
  /// model wrote; what is left of `redacted` fields is not looked at again.
  func withoutPatterns(_ patterns: [RedactionPattern]) -> Event {
    guard !patterns.isEmpty else { return self }
    var scrubber = TextScrubber(patterns: patterns)
    var copy = self
    switch payload {
    case .answer(var answer):
      scrubber.scrub(&answer.question, "question")
      scrubber.scrub(&answer.rewrittenQuestion, "rewritten_question")
      // A vector lets its text be guessed, what was taken out of it too.
      if !scrubber.names.isEmpty, answer.questionEmbedding != nil {
        answer.questionEmbedding = nil
        scrubber.names.append("question_embedding")
      }
      scrubber.scrub(&answer.answer, "answer")
      // Words of sentences may be parts of what was taken out of the answer.
      if scrubber.names.contains("answer"), answer.sentences?.contains(where: { !$0.missing.isEmpty }) == true {
        for index in (answer.sentences ?? []).indices { answer.sentences?[index].missing = [] }
        scrubber.names.append("sentences.missing")
      }
      if var prompt = answer.prompt {
        scrubber.scrub(&prompt.system, "prompt.system")
        for index in prompt.turns.indices { scrubber.scrub(&prompt.turns[index].text, "prompt.turns") }
        for index in prompt.parameters.stop.indices {
          scrubber.scrub(&prompt.parameters.stop[index], "prompt.parameters.stop")
        }
        answer.prompt = prompt
      }
      for index in answer.citations.indices { scrubber.scrub(&answer.citations[index].quote, "citations.quote") }
      for index in answer.passages.indices {
        scrubber.scrub(&answer.passages[index].documentName, "passages.document_name")
      }
      for (name, value) in answer.retrievalParameters {
        var value = value
        scrubber.scrub(&value, "retrieval_parameters")
        answer.retrievalParameters[name] = value
      }
      for index in answer.gateLabels.indices { scrubber.scrub(&answer.gateLabels[index], "gate_labels") }
      scrubber.scrub(&answer.experimentID, "experiment_id")
      if var conversation = answer.conversationID?.rawValue {
        scrubber.scrub(&conversation, "conversation_id")
        answer.conversationID = ConversationID(rawValue: conversation)
      }
      copy.payload = .answer(answer)
    case .feedback(var feedback):
      scrubber.scrub(&feedback.comment, "comment")
      copy.payload = .feedback(feedback)
    case .evaluation(var evaluation):
      scrubber.scrub(&evaluation.explanation, "explanation")
      scrubber.scrub(&evaluation.label, "label")
      copy.payload = .evaluation(evaluation)
    case .embedding, .tombstone: break
    }
    copy.redacted += scrubber.names.filter { !copy.redacted.contains($0) }
    return copy
  }
}

/// Replaces matches in the texts of one event and keeps the names of the fields that had any.
private struct TextScrubber {
  let patterns: [RedactionPattern]
  var names: [String] = []

  mutating func scrub(_ text: inout String, _ name: String) {
    var isChanged = false
    for pattern in patterns {
      guard let scrubbed = pattern.scrubbed(text) else { continue }
      text = scrubbed
      isChanged = true
    }
    if isChanged, !names.contains(name) { names.append(name) }
  }

  mutating func scrub(_ text: inout String?, _ name: String) {
    guard var known = text else { return }
    scrub(&known, name)
    text = known
  }
}
