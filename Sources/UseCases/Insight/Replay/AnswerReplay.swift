public import Answering
public import Core
import FoundationEssentials

/// Asks archived questions again, of today's index, model and templates.
public struct AnswerReplay: Sendable {
  private let answering: QuestionAnswering
  private let quarryVersion: String

  /// Creates the use case.
  public init(_ answering: QuestionAnswering, quarryVersion: String = QuarryVersion.current) {
    self.answering = answering
    self.quarryVersion = quarryVersion
  }

  /// Asks the question of an archived answer again. The answer is recorded as a replay; no conversation goes on.
  /// - Throws: `replay.not_an_answer`, `replay.redacted` with the field that prevents it, and what prevents an answer
  ///   today.
  public func replay(_ event: Event, context: RequestContext) async throws -> ReplayReport {
    guard case .answer(let before) = event.payload else {
      throw InsightError(
        code: "replay.not_an_answer", category: .invalidInput,
        message: "event \(event.eventID) is no answer, but of type \(event.payload.kind.rawValue)",
        remedy: "Name an answer: quarry archive list --type answer")
    }
    var notes: [String] = []
    let question = try Self.question(of: before, event: event, notes: &notes)
    var context = context
    context.traffic = .replay
    let (answer, after) = try await answering.answerWithRecord(question, context: context)
    return report(event, before, answer, after, notes)
  }

  /// The question with what retrieval was asked for then.
  static func question(of answer: AnswerEvent, event: Event, notes: inout [String]) throws -> Question {
    for field in ["rewritten_question", "question", "retrieval_parameters"] where event.redacted.contains(field) {
      throw InsightError(
        code: "replay.redacted", category: .gone,
        message: "answer \(event.answerID?.rawValue ?? event.eventID) cannot be asked again: its \(field) was redacted",
        remedy: "What was redacted is nowhere; events.redact decides for answers to come.")
    }
    let parameters = answer.retrievalParameters
    var question = Question(text: answer.rewrittenQuestion ?? answer.question)
    if let rewritten = answer.rewrittenQuestion, rewritten != answer.question {
      notes.append(
        "the question was part of a conversation; it is asked as it was searched then, without what went before")
    } else if answer.conversationID != nil {
      notes.append("the question was part of a conversation; it is asked without what went before")
    }
    question.topK = parameters["top_k"].flatMap { Int($0) }
    question.minimumSimilarity = parameters["minimum_similarity"].flatMap { Float($0) }
    func names(_ key: String) -> [String]? {
      parameters[key].map { $0.split(separator: ",").map(String.init) }
    }
    question.filter.collections =
      names("collections").map { Set($0.map(CollectionName.init(rawValue:))) } ?? event.collection.map { [$0] }
    question.filter.documents = names("documents").map { Set($0.map(DocumentID.init(rawValue:))) }
    if let text = parameters["attributes"] {
      question.filter.attributes = (try? JSONDecoder().decode([String: String].self, from: Data(text.utf8))) ?? [:]
    }
    return question
  }

  private func report(
    _ event: Event, _ before: AnswerEvent, _ answer: Answer, _ after: AnswerEvent, _ notes: [String]
  ) -> ReplayReport {
    var notes = notes
    for field in event.redacted where field == "answer" || field == "citations.quote" || field == "prompt" {
      notes.append("\(field) was redacted: it cannot be compared")
    }
    var changes: [ReplayReport.Change] = []
    func compare(_ what: String, _ old: String?, _ new: String?) {
      if old != new { changes.append(.init(what: what, before: old, after: new)) }
    }
    compare("outcome", before.outcome.rawValue, after.outcome.rawValue)
    compare("error_code", before.errorCode, after.errorCode)
    compare("model", before.model, after.model)
    compare("template", Self.template(before), Self.template(after))
    compare("index_generation", before.indexGeneration.map(String.init), after.indexGeneration.map(String.init))
    compare("embedding_identity", before.embeddingIdentity, after.embeddingIdentity)
    compare("quarry_version", event.quarryVersion, quarryVersion)
    compare("confidence", Self.rounded(before.confidence), Self.rounded(after.confidence))
    compare("citations", Self.citations(before), Self.citations(after))
    for name in Set(before.retrievalParameters.keys).union(after.retrievalParameters.keys).sorted() {
      compare("retrieval_parameters.\(name)", before.retrievalParameters[name], after.retrievalParameters[name])
    }
    if before.embeddingIdentity != after.embeddingIdentity {
      notes.append("similarities are of two embedding models: they cannot be compared")
    }
    return ReplayReport(
      answerID: event.answerID?.rawValue ?? event.eventID, replayID: answer.id.rawValue, question: after.question,
      changes: changes, isSameText: event.redacted.contains("answer") ? nil : before.answer == after.answer,
      answerBefore: before.answer, answerAfter: after.answer,
      passages: PassageComparison(before: before.passages, after: after.passages).passages, notes: notes)
  }

  private static func template(_ answer: AnswerEvent) -> String? {
    answer.prompt.map { "\($0.template) \($0.version) \($0.hash.prefix(12))" }
  }

  private static func rounded(_ value: Double?) -> String? {
    value.map { "\(($0 * 1000).rounded() / 1000)" }
  }

  private static func citations(_ answer: AnswerEvent) -> String {
    answer.citations.map { "[\($0.number)] p. \($0.page)\($0.verified ? "" : " unverified")" }.joined(separator: ", ")
  }
}
