/// How a question ended. A refusal is an answer, not an error.
public enum Outcome: String, Sendable, Codable, CaseIterable {
  /// A model wrote the answer from the passages.
  case answered
  /// The answer quotes sentences of the passages; no model wrote it.
  case extractive
  /// Nothing relevant enough was found, or the model declined.
  case refused
  /// A gate stopped the question.
  case blockedInput = "blocked_input"
  /// A gate stopped the answer.
  case blockedOutput = "blocked_output"
  /// The question could not be answered because something failed.
  case failed
}

/// A numbered reference from an answer to the text that proves it.
public struct Citation: Sendable, Hashable {
  /// The number used in the answer, from 1.
  public var number: Int
  /// The chunk cited.
  public var chunk: ChunkID
  /// Its document.
  public var document: DocumentReference
  /// Where the quote stands; at least one.
  public var pages: [PageRange]
  /// The verbatim quote.
  public var quote: String
  /// Whether the quote was found in the stored text of those pages.
  public var isVerified: Bool
  /// Set when text of those pages was read from an image: of the least certain page.
  public var recognition: TextRecognition?

  /// Creates a citation.
  public init(
    number: Int, chunk: ChunkID, document: DocumentReference, pages: [PageRange], quote: String, isVerified: Bool,
    recognition: TextRecognition? = nil
  ) {
    self.number = number
    self.chunk = chunk
    self.document = document
    self.pages = pages
    self.quote = quote
    self.isVerified = isVerified
    self.recognition = recognition
  }
}

/// Something the reader of an answer should know, with a stable code.
public struct AnswerWarning: Sendable, Hashable, Codable {
  /// A stable dotted code, such as `coverage.unreadable_pages`.
  public var code: String
  /// One sentence.
  public var message: String

  /// Creates a warning.
  public init(code: String, message: String) {
    self.code = code
    self.message = message
  }
}

/// Tokens consumed by a model.
public struct TokenUsage: Sendable, Hashable, Codable {
  /// Tokens of the prompt.
  public var inputTokens: Int
  /// Tokens generated.
  public var outputTokens: Int

  /// Creates a usage record.
  public init(inputTokens: Int = 0, outputTokens: Int = 0) {
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
  }
}

/// Wall time of the stages of one question, in seconds; nil where a stage did not run.
public struct StageTimings: Sendable, Hashable, Codable {
  /// Rewriting the question to stand alone.
  public var rewriting: Double?
  /// Embedding the question.
  public var embedding: Double?
  /// Searching and fusing.
  public var retrieval: Double?
  /// Ordering passages anew by a reranker.
  public var reranking: Double?
  /// Until the model's first token.
  public var timeToFirstToken: Double?
  /// Generating or extracting the answer.
  public var generation: Double?
  /// Checking quotes and support.
  public var grounding: Double?
  /// From request to answer.
  public var total: Double

  /// Creates timings.
  public init(
    rewriting: Double? = nil, embedding: Double? = nil, retrieval: Double? = nil, reranking: Double? = nil,
    timeToFirstToken: Double? = nil, generation: Double? = nil, grounding: Double? = nil, total: Double = 0
  ) {
    self.rewriting = rewriting
    self.reranking = reranking
    self.embedding = embedding
    self.retrieval = retrieval
    self.timeToFirstToken = timeToFirstToken
    self.generation = generation
    self.grounding = grounding
    self.total = total
  }
}

/// The answer to a question, with everything that proves and explains it.
public struct Answer: Sendable, Hashable {
  /// Its id.
  public var id: AnswerID
  /// The trace it belongs to.
  public var traceID: TraceID
  /// The conversation; nil outside one.
  public var conversation: ConversationID?
  /// How the question ended.
  public var outcome: Outcome
  /// The text, with citation numbers in square brackets.
  public var text: String
  /// The citations, by number.
  public var citations: [Citation]
  /// The sentences of the text, each held against what it cites; empty for refusals and blocked answers.
  public var sentences: [AnswerSentence]
  /// What was retrieved, best first.
  public var passages: [Passage]
  /// What the reader should know.
  public var warnings: [AnswerWarning]
  /// The text model; nil when none was used.
  public var model: String?
  /// Stage times.
  public var timings: StageTimings
  /// Tokens of all calls of the model; nil when none was called.
  public var usage: TokenUsage?

  /// Creates an answer.
  public init(
    id: AnswerID, traceID: TraceID, conversation: ConversationID?, outcome: Outcome, text: String,
    citations: [Citation] = [], sentences: [AnswerSentence] = [], passages: [Passage] = [],
    warnings: [AnswerWarning] = [], model: String? = nil, timings: StageTimings = .init(), usage: TokenUsage? = nil
  ) {
    self.sentences = sentences
    self.id = id
    self.traceID = traceID
    self.conversation = conversation
    self.outcome = outcome
    self.text = text
    self.citations = citations
    self.passages = passages
    self.warnings = warnings
    self.model = model
    self.timings = timings
    self.usage = usage
  }
}
