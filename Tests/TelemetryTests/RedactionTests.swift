import Core
import Foundation
import QuarryTesting
import Telemetry
import Testing

@Suite struct RedactionTests {
  private func redacted(_ event: Event, _ fields: Set<RedactedField>) throws -> (Event, line: String) {
    let event = event.redacting(Redaction(fields: fields))
    return (event, String(decoding: try EventCoding.encode(event), as: UTF8.self))
  }

  /// An answer whose every text can be told apart.
  private func answer(outcome: Outcome = .answered) -> Event {
    var answer = Sample.answerEvent(question: "SECRET-QUESTION")
    answer.rewrittenQuestion = "SECRET-REWRITTEN"
    answer.answer = "SECRET-ANSWER"
    answer.citations[0].quote = "SECRET-QUOTE"
    answer.prompt?.system = "SECRET-SYSTEM"
    answer.prompt?.turns = [
      Turn(role: .assistant, text: "SECRET-EARLIER"), Turn(role: .user, text: "SECRET-TURN"),
    ]
    answer.sentences?[0].missing = ["SECRET-MISSING"]
    answer.outcome = outcome
    return Sample.event(.answer(answer))
  }

  @Test(
    arguments: [
      (
        .question, ["QUESTION", "REWRITTEN", "SYSTEM", "EARLIER", "TURN"],
        ["question", "rewritten_question", "prompt", "question_embedding"]
      ),
      (
        .answer, ["ANSWER", "MISSING", "QUOTE", "EARLIER"],
        ["answer", "sentences.missing", "prompt.turns", "citations.quote"]
      ),
      (.prompt, ["SYSTEM", "EARLIER", "TURN"], ["prompt"]),
      (.quotes, ["QUOTE"], ["citations.quote"]),
      (.vectors, [], ["question_embedding"]),
    ] as [(RedactedField, [String], [String])])
  func takesOutOneField_andSaysSo(_ field: RedactedField, _ gone: [String], _ marks: [String]) throws {
    let (event, line) = try redacted(answer(), [field])
    #expect(event.redacted == marks)
    for part in ["QUESTION", "REWRITTEN", "ANSWER", "MISSING", "QUOTE", "SYSTEM", "EARLIER", "TURN"] {
      #expect(line.contains("SECRET-\(part)") == !gone.contains(part), "\(part)")
    }
    #expect(line.contains("question_embedding\":") == (field != .vectors && field != .question))
    #expect(try EventCoding.decode(Array(line.utf8)) == event)
  }

  @Test func takesOutExtractiveAnswer_withItsQuotes() throws {
    let (event, line) = try redacted(answer(outcome: .extractive), [.quotes])
    #expect(!line.contains("SECRET-ANSWER"))
    #expect(event.redacted == ["answer", "sentences.missing", "citations.quote"])
  }

  @Test func leavesNoText_whenEverythingIsRedacted() throws {
    let (_, line) = try redacted(answer(), Set(RedactedField.allCases))
    #expect(!line.contains("SECRET"))
    for event in Sample.eventsOfEveryKind {
      let (_, line) = try redacted(event, Set(RedactedField.allCases))
      for text in ["dam", "Falsche", "3 of 4", "[0.6"] { #expect(!line.contains(text), "\(text) in \(line)") }
    }
  }

  @Test func marksOnlyWhatWasThere() throws {
    let empty = Sample.event(
      .answer(AnswerEvent(question: "q", answer: "a", outcome: .refused, timings: StageTimings())))
    #expect(empty.redacting(Redaction(fields: [.prompt, .quotes, .vectors])).redacted == [])
    #expect(empty.redacting(Redaction(fields: [.question])).redacted == ["question"])
    let feedback = Sample.event(.feedback(FeedbackEvent(rating: 1)))
    #expect(feedback.redacting(Redaction(fields: Set(RedactedField.allCases))) == feedback)
    let tombstone = Sample.event()
    #expect(tombstone.redacting(Redaction(fields: Set(RedactedField.allCases))) == tombstone)
    #expect(answer().redacting(Redaction()) == answer())
  }

  @Test func takesOutVectorsOfChunks_keepingTheRest() {
    let event = Sample.event(.embedding(Sample.embeddingEvent()))
    let copy = event.redacting(Redaction(fields: [.vectors]))
    guard case .embedding(let embedding) = copy.payload else { return }
    #expect(embedding.vector.isEmpty)
    #expect(embedding.chunkID == Sample.embeddingEvent().chunkID)
    #expect(copy.redacted == ["vector"])
  }
}
