public import Core
public import FoundationEssentials

extension Sample {
  /// An event with a given payload; its id follows from its time and `id`.
  public static func event(
    _ payload: EventPayload = .tombstone(Sample.tombstoneEvent()), time: Date = Sample.date, id: String = "1",
    answerID: AnswerID? = nil, redacted: [String] = []
  ) -> Event {
    Event(
      eventID: "event-\(id)", time: time, answerID: answerID, traceID: TraceID(rawValue: hex("trace \(id)")),
      app: "quarry", environment: "test", quarryVersion: "0.1.0", traffic: .live, caller: hex("caller", digits: 16),
      collection: .default, payload: payload, redacted: redacted)
  }

  /// One event of each kind with every field filled.
  public static var eventsOfEveryKind: [Event] {
    [
      event(.answer(answerEvent()), id: "a", answerID: AnswerID(rawValue: "answer-1")),
      event(.feedback(FeedbackEvent(rating: -1, comment: "Falsche Seite 🙁")), time: date + 1, id: "f"),
      event(
        .evaluation(
          EvaluationEvent(
            name: "faithfulness", score: 0.75, label: "supported", judge: "judge-1", explanation: "3 of 4 claims")),
        time: date + 2, id: "v"),
      event(.embedding(embeddingEvent()), time: date + 3, id: "e"),
      event(.tombstone(tombstoneEvent()), time: date + 4, id: "t"),
    ]
  }

  /// An answer's record with every field filled.
  public static func answerEvent(question: String = "How high is the \"dam\"?\n") -> AnswerEvent {
    let chunk = ChunkID(rawValue: hex("chunk"))
    let document = Sample.document()
    return AnswerEvent(
      conversationID: ConversationID(rawValue: "talk-1"), turn: 2, question: question,
      rewrittenQuestion: "How high is the dam of the upper basin?",
      rewrite: RewriteRecord(
        template: "rewrite", version: "1", hash: hex("rewrite", digits: 64), model: "model-1",
        usage: TokenUsage(inputTokens: 90, outputTokens: 9), failure: "rewrite.empty"), questionEmbedding: [0.6, -0.8],
      embeddingIdentity: identity.canonical, indexGeneration: 41, retrievalParameters: ["top_k": "5", "topK": "5"],
      passages: [
        .init(
          chunkID: chunk, documentID: document.id, documentName: "manual.pdf", version: document.version,
          pages: [3, 4], rank: 1, similarity: 0.71, score: 0.0325, rerankScore: 0.93,
          legs: [.dense: LegScore(rank: 1, score: 0.71), .lexical: LegScore(rank: 4, score: 7.5)],
          usedInPrompt: true)
      ],
      prompt: PromptRecord(
        template: "answer", version: "1", hash: hex("template", digits: 64), system: "Answer from the passages.",
        turns: [Turn(role: .user, text: question), Turn(role: .assistant, text: "…")], model: "model-1",
        parameters: InferenceParameters(
          temperature: 0.2, topP: 0.9, topK: 40, maxTokens: 512, stop: ["END"], frequencyPenalty: 0.1,
          presencePenalty: -0.1, repetitionPenalty: 1.1)),
      promptLength: 1234, promptSource: "template", model: "model-1", answer: "It is 40 m high [1].",
      citations: [.init(number: 1, chunkID: chunk, page: 3, quote: "The dam is 40 m high.", verified: true)],
      sentences: [
        AnswerSentence(start: 0, end: 20, citations: [1], coverage: 0.5, reason: .number, missing: ["40"])
      ], outcome: .answered, stopReason: "end", gateLabels: ["pii"],
      usage: TokenUsage(inputTokens: 700, outputTokens: 12), inputPrice: 0.003, outputPrice: 0, cost: 0.0021,
      timings: StageTimings(
        rewriting: 0.2, embedding: 0.01, retrieval: 0.02, reranking: 0.1, timeToFirstToken: 0.3, generation: 0.5,
        grounding: 0.001, total: 0.84),
      retries: 1, cacheHit: true, confidence: 0.9, errorCode: "model.slow", experimentID: "b")
  }

  /// A committed chunk.
  public static func embeddingEvent(_ name: String = "chunk", vector: [Float] = [0.6, -0.8]) -> EmbeddingEvent {
    EmbeddingEvent(
      chunkID: ChunkID(rawValue: hex(name)), documentID: document().id, version: document().version, pages: [1],
      embeddingIdentity: identity.canonical, vector: vector, reused: false)
  }

  /// A removed chunk.
  public static func tombstoneEvent(_ name: String = "chunk") -> TombstoneEvent {
    TombstoneEvent(chunkID: ChunkID(rawValue: hex(name)), documentID: document().id)
  }
}
