public import FoundationEssentials

/// One line of the event log: what happened, append-only and versioned. Keys are these names in snake_case;
/// `docs/events.md` publishes them.
public struct Event: Sendable, Hashable {
  /// The version of the schema written by this Quarry.
  public static let currentSchemaVersion = 1

  /// The schema's version.
  public var schemaVersion: Int
  /// A unique id, sortable by time.
  public var eventID: String
  /// When it happened.
  public var time: Date
  /// The answer it is about; nil for embeddings and tombstones.
  public var answerID: AnswerID?
  /// The trace it belongs to.
  public var traceID: TraceID
  /// The application's name.
  public var app: String
  /// The environment's name.
  public var environment: String
  /// The version of Quarry that wrote it.
  public var quarryVersion: String
  /// What caused it.
  public var traffic: TrafficKind
  /// The caller's id, hashed; nil when nobody called.
  public var caller: String?
  /// The collection; nil when several or all were searched.
  public var collection: CollectionName?
  /// What happened.
  public var payload: EventPayload
  /// Names of fields that were redacted before writing.
  public var redacted: [String]

  /// Creates an event.
  public init(
    schemaVersion: Int = Event.currentSchemaVersion, eventID: String, time: Date, answerID: AnswerID? = nil,
    traceID: TraceID, app: String, environment: String, quarryVersion: String, traffic: TrafficKind,
    caller: String? = nil, collection: CollectionName? = nil, payload: EventPayload, redacted: [String] = []
  ) {
    self.schemaVersion = schemaVersion
    self.eventID = eventID
    self.time = time
    self.answerID = answerID
    self.traceID = traceID
    self.app = app
    self.environment = environment
    self.quarryVersion = quarryVersion
    self.traffic = traffic
    self.caller = caller
    self.collection = collection
    self.payload = payload
    self.redacted = redacted
  }
}

/// The kinds of event.
public enum EventKind: String, Sendable, Codable, CaseIterable {
  /// A question was answered, refused, blocked or failed.
  case answer
  /// A person judged an answer.
  case feedback
  /// A judge or validator scored an answer.
  case evaluation
  /// A chunk was committed with its embedding.
  case embedding
  /// A chunk was removed.
  case tombstone
}

/// What happened, by kind.
public enum EventPayload: Sendable, Hashable {
  /// A question and its answer.
  case answer(AnswerEvent)
  /// A person's judgement.
  case feedback(FeedbackEvent)
  /// A score.
  case evaluation(EvaluationEvent)
  /// A committed chunk.
  case embedding(EmbeddingEvent)
  /// A removed chunk.
  case tombstone(TombstoneEvent)

  /// The kind.
  public var kind: EventKind {
    switch self {
    case .answer: .answer
    case .feedback: .feedback
    case .evaluation: .evaluation
    case .embedding: .embedding
    case .tombstone: .tombstone
    }
  }
}

/// Everything about one answer: enough to replay it.
public struct AnswerEvent: Sendable, Hashable, Codable {
  /// A passage as recorded.
  public struct RecordedPassage: Sendable, Hashable, Codable {
    /// The chunk.
    public var chunkID: ChunkID
    /// Its document.
    public var documentID: DocumentID
    /// The document's name then.
    public var documentName: String
    /// The document's version.
    public var version: ContentVersion
    /// Its pages, 1-based.
    public var pages: [Int]
    /// Rank among the passages, from 1.
    public var rank: Int
    /// Cosine between question and chunk.
    public var similarity: Float
    /// The fused score.
    public var score: Double
    /// The reranker's score; nil when none ordered the passages.
    public var rerankScore: Double?
    /// Rank and raw score by leg.
    public var legs: [RetrievalLeg: LegScore]
    /// Whether it went into the prompt.
    public var usedInPrompt: Bool

    /// Creates a record.
    public init(
      chunkID: ChunkID, documentID: DocumentID, documentName: String, version: ContentVersion, pages: [Int],
      rank: Int, similarity: Float, score: Double, rerankScore: Double? = nil, legs: [RetrievalLeg: LegScore],
      usedInPrompt: Bool
    ) {
      self.rerankScore = rerankScore
      self.chunkID = chunkID
      self.documentID = documentID
      self.documentName = documentName
      self.version = version
      self.pages = pages
      self.rank = rank
      self.similarity = similarity
      self.score = score
      self.legs = legs
      self.usedInPrompt = usedInPrompt
    }
  }

  /// A citation with its verdict.
  public struct RecordedCitation: Sendable, Hashable, Codable {
    /// Its number.
    public var number: Int
    /// The chunk.
    public var chunkID: ChunkID
    /// The first page of the quote.
    public var page: Int
    /// The quote.
    public var quote: String
    /// Whether it was found in the stored text.
    public var verified: Bool

    /// Creates a record.
    public init(number: Int, chunkID: ChunkID, page: Int, quote: String, verified: Bool) {
      self.number = number
      self.chunkID = chunkID
      self.page = page
      self.quote = quote
      self.verified = verified
    }
  }

  /// The conversation.
  public var conversationID: ConversationID?
  /// Which turn of it this is, from 1.
  public var turn: Int?
  /// The question as asked.
  public var question: String
  /// The question as searched, when a conversation changed it.
  public var rewrittenQuestion: String?
  /// How a text model was asked to rewrite it; nil when none was.
  public var rewrite: RewriteRecord?
  /// The question's embedding.
  public var questionEmbedding: [Float]?
  /// Its identity in canonical form.
  public var embeddingIdentity: String?
  /// The store version searched.
  public var indexGeneration: Int64?
  /// How retrieval was set: numbers and words by name.
  public var retrievalParameters: [String: String]
  /// What was retrieved.
  public var passages: [RecordedPassage]
  /// The prompt; its text is the archive's reason to exist.
  public var prompt: PromptRecord?
  /// Characters of the prompt.
  public var promptLength: Int?
  /// Where the prompt came from: `template`, or the caller.
  public var promptSource: String?
  /// The text model.
  public var model: String?
  /// The answer.
  public var answer: String
  /// The citations with verdicts.
  public var citations: [RecordedCitation]
  /// The sentences of the answer, with the verdict on each; nil when nothing was judged.
  public var sentences: [AnswerSentence]?
  /// How it ended.
  public var outcome: Outcome
  /// Why the model stopped.
  public var stopReason: String?
  /// Labels that gates gave.
  public var gateLabels: [String]
  /// Tokens.
  public var usage: TokenUsage?
  /// USD for 1,000 input tokens; nil when unknown, zero when free.
  public var inputPrice: Double?
  /// USD for 1,000 output tokens; nil when unknown, zero when free.
  public var outputPrice: Double?
  /// USD for this answer; nil when unknown.
  public var cost: Double?
  /// Stage latencies, seconds.
  public var timings: StageTimings
  /// Retries of all calls.
  public var retries: Int
  /// Whether a cache served embedding or result.
  public var cacheHit: Bool
  /// Confidence of retrieval, 0 to 1.
  public var confidence: Double?
  /// The code of the error, when it failed.
  public var errorCode: String?
  /// The experiment the caller named.
  public var experimentID: String?

  /// Creates an answer event.
  public init(
    conversationID: ConversationID? = nil, turn: Int? = nil, question: String, rewrittenQuestion: String? = nil,
    rewrite: RewriteRecord? = nil, questionEmbedding: [Float]? = nil, embeddingIdentity: String? = nil,
    indexGeneration: Int64? = nil,
    retrievalParameters: [String: String] = [:], passages: [RecordedPassage] = [], prompt: PromptRecord? = nil,
    promptLength: Int? = nil, promptSource: String? = nil, model: String? = nil, answer: String,
    citations: [RecordedCitation] = [], sentences: [AnswerSentence]? = nil, outcome: Outcome,
    stopReason: String? = nil, gateLabels: [String] = [],
    usage: TokenUsage? = nil, inputPrice: Double? = nil, outputPrice: Double? = nil, cost: Double? = nil,
    timings: StageTimings, retries: Int = 0, cacheHit: Bool = false, confidence: Double? = nil,
    errorCode: String? = nil, experimentID: String? = nil
  ) {
    self.conversationID = conversationID
    self.turn = turn
    self.question = question
    self.rewrittenQuestion = rewrittenQuestion
    self.rewrite = rewrite
    self.questionEmbedding = questionEmbedding
    self.embeddingIdentity = embeddingIdentity
    self.indexGeneration = indexGeneration
    self.retrievalParameters = retrievalParameters
    self.passages = passages
    self.prompt = prompt
    self.promptLength = promptLength
    self.promptSource = promptSource
    self.model = model
    self.answer = answer
    self.citations = citations
    self.sentences = sentences
    self.outcome = outcome
    self.stopReason = stopReason
    self.gateLabels = gateLabels
    self.usage = usage
    self.inputPrice = inputPrice
    self.outputPrice = outputPrice
    self.cost = cost
    self.timings = timings
    self.retries = retries
    self.cacheHit = cacheHit
    self.confidence = confidence
    self.errorCode = errorCode
    self.experimentID = experimentID
  }
}

/// A person's judgement of an answer.
public struct FeedbackEvent: Sendable, Hashable, Codable {
  /// −1 or 1.
  public var rating: Int
  /// Free text.
  public var comment: String?

  /// Creates feedback.
  public init(rating: Int, comment: String? = nil) {
    self.rating = rating
    self.comment = comment
  }
}

/// A score of an answer by a judge or validator.
public struct EvaluationEvent: Sendable, Hashable, Codable {
  /// What was measured.
  public var name: String
  /// The score; nil when it does not apply.
  public var score: Double?
  /// The label, when the measure is categorical.
  public var label: String?
  /// Who judged: a model id or the validator's name.
  public var judge: String
  /// Why.
  public var explanation: String?

  /// Creates an evaluation.
  public init(name: String, score: Double?, label: String? = nil, judge: String, explanation: String? = nil) {
    self.name = name
    self.score = score
    self.label = label
    self.judge = judge
    self.explanation = explanation
  }
}

/// A chunk committed, computed or reused.
public struct EmbeddingEvent: Sendable, Hashable, Codable {
  /// The chunk.
  public var chunkID: ChunkID
  /// Its document.
  public var documentID: DocumentID
  /// The document's version.
  public var version: ContentVersion
  /// Its pages, 1-based.
  public var pages: [Int]
  /// The embedding identity in canonical form.
  public var embeddingIdentity: String
  /// The unit vector.
  public var vector: [Float]
  /// Whether the cache gave it.
  public var reused: Bool

  /// Creates an embedding event.
  public init(
    chunkID: ChunkID, documentID: DocumentID, version: ContentVersion, pages: [Int], embeddingIdentity: String,
    vector: [Float], reused: Bool
  ) {
    self.chunkID = chunkID
    self.documentID = documentID
    self.version = version
    self.pages = pages
    self.embeddingIdentity = embeddingIdentity
    self.vector = vector
    self.reused = reused
  }
}

/// A chunk removed, so that drift never counts text that is gone.
public struct TombstoneEvent: Sendable, Hashable, Codable {
  /// The chunk.
  public var chunkID: ChunkID
  /// Its document.
  public var documentID: DocumentID

  /// Creates a tombstone.
  public init(chunkID: ChunkID, documentID: DocumentID) {
    self.chunkID = chunkID
    self.documentID = documentID
  }
}

/// Where events are kept: append-only.
public protocol EventLog: EventReader {
  /// Appends events, in order; durable when it returns.
  func append(_ events: [Event]) async throws
}

/// Where events can be read.
public protocol EventReader: Sendable {
  /// Events of a span of time (half-open), oldest first, one kind or all; lines that cannot be read are
  /// reported to `unreadable` and passed over.
  func events(
    from start: Date, to end: Date, kind: EventKind?, unreadable: @escaping @Sendable (String) -> Void
  ) -> AsyncThrowingStream<Event, any Error>
}
