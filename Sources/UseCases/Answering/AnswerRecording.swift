import Core
import FoundationEssentials
import Telemetry

extension QuestionAnswering {
  /// Sends an answer's event and metrics on their way; never waits and never fails.
  /// - Returns: What was recorded, before anything is redacted.
  func record(_ answer: Answer, draft: DraftAnswer, work: Work, context: RequestContext) -> AnswerEvent {
    let used = Set(draft.usedChunks)
    var event = baseEvent(work)
    event.passages = (work.retrieval?.passages ?? []).map { passage in
      AnswerEvent.RecordedPassage(
        chunkID: passage.chunk.id, documentID: passage.document.id, documentName: passage.document.name,
        version: passage.document.version, pages: Array(Set(passage.chunk.pages.map(\.page))).sorted(),
        rank: passage.rank, similarity: passage.similarity, score: passage.score, rerankScore: passage.rerankScore,
        legs: passage.legs,
        usedInPrompt: used.contains(passage.chunk.id))
    }
    event.prompt = draft.prompt
    event.promptLength = draft.prompt.map { prompt in
      prompt.system.unicodeScalars.count + prompt.turns.reduce(0) { $0 + $1.text.unicodeScalars.count }
    }
    event.promptSource = draft.prompt == nil ? nil : "template"
    event.model = answer.model
    event.answer = answer.text
    event.citations = answer.citations.map { citation in
      AnswerEvent.RecordedCitation(
        number: citation.number, chunkID: citation.chunk, page: citation.pages.first?.page ?? 0,
        quote: citation.quote, verified: citation.isVerified)
    }
    event.sentences = answer.sentences.isEmpty ? nil : answer.sentences
    event.outcome = answer.outcome
    event.stopReason = draft.stopReason
    event.usage = answer.usage
    if let model = answer.model, let price = settings.prices[model] {
      event.inputPrice = price.input
      event.outputPrice = price.output
      event.cost = answer.usage.map {
        (Double($0.inputTokens) * price.input + Double($0.outputTokens) * price.output) / 1000
      }
    }
    event.timings = answer.timings
    recorder.record(.answer(event), context: context, collection: collection(of: work), answerID: answer.id)
    log.log(
      .info, "question answered", context: context,
      [
        ("answer_id", .string(answer.id.rawValue)), ("outcome", .string(answer.outcome.rawValue)),
        ("passages", .int(answer.passages.count)), ("seconds", .double(answer.timings.total)),
      ])
    publish(answer, cost: event.cost, work: work, context: context)
    return event
  }

  /// Records that a question could not be answered.
  func recordFailure(_ error: any Error, id: AnswerID, work: Work, seconds: Double, context: RequestContext) {
    var event = baseEvent(work)
    event.outcome = .failed
    event.timings.total = seconds
    event.errorCode = (error as? any CategorizedError)?.code ?? (error is CancellationError ? "cancelled" : "internal")
    recorder.record(.answer(event), context: context, collection: collection(of: work), answerID: id)
    let isFault = (error as? any CategorizedError)?.category.isServiceFault ?? !(error is CancellationError)
    log.log(isFault ? .error : .info, "a question failed", error: error, context: context)
    publishFailure(code: event.errorCode ?? "internal", context: context)
  }

  private func baseEvent(_ work: Work) -> AnswerEvent {
    let retrieval = work.retrieval
    return AnswerEvent(
      conversationID: work.question.conversation,
      turn: work.question.conversation == nil ? nil : work.history.count { $0.role == .user } + 1,
      // A question over the limit is refused; what is recorded of it is bounded all the same.
      question: String(work.question.text.prefix(settings.questionCharacters)), rewrittenQuestion: work.searched,
      rewrite: work.rewriting?.record,
      questionEmbedding: retrieval?.questionEmbedding?.vector,
      embeddingIdentity: retrieval?.embeddingIdentity?.canonical,
      indexGeneration: retrieval?.storeVersion.number,
      retrievalParameters: parameters(of: work), answer: "", outcome: .failed,
      gateLabels: work.gateLabels, timings: StageTimings(),
      confidence: retrieval?.confidence)
  }

  /// What an answer can be asked for again with.
  private func parameters(of work: Work) -> [String: String] {
    let filter = work.question.filter
    var parameters = [
      "top_k": work.question.topK.map(String.init) ?? "default",
      "minimum_similarity": work.question.minimumSimilarity.map { "\($0)" } ?? "default",
      "legs": work.retrieval?.legs.map(\.rawValue).joined(separator: ",") ?? "",
      "refusal_threshold": "\(settings.refusalThreshold)",
    ]
    parameters["reranker"] = work.retrieval?.reranker
    if let collections = filter.collections {
      parameters["collections"] = collections.map(\.rawValue).sorted().joined(separator: ",")
    }
    if let documents = filter.documents {
      parameters["documents"] = documents.map(\.rawValue).sorted().joined(separator: ",")
    }
    if !filter.attributes.isEmpty {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      parameters["attributes"] = (try? encoder.encode(filter.attributes)).map { String(decoding: $0, as: UTF8.self) }
    }
    return parameters
  }

  private func collection(of work: Work) -> CollectionName? {
    guard let collections = work.question.filter.collections, collections.count == 1 else { return nil }
    return collections.first
  }

}
