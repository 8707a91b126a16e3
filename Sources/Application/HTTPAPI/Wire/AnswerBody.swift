public import Core

/// A citation.
public struct CitationBody: Codable, Sendable, Hashable {
  /// The number used in the answer.
  public var number: Int
  /// The chunk cited.
  public var chunkID: String
  /// Its document.
  public var document: DocumentReferenceBody
  /// The first page of the quote, 1-based PDF page.
  public var page: Int
  /// Its printed number; absent when it equals the PDF page.
  public var pageLabel: String?
  /// Every place of the quote, in reading order.
  public var pages: [PageRangeBody]
  /// The verbatim quote.
  public var quote: String
  /// Whether the quote was found in the stored page text.
  public var verified: Bool
  /// Set when text of those pages was read from an image; absent when it stands in the file.
  public var recognition: RecognitionBody?

  enum CodingKeys: String, CodingKey {
    case number, document, page, pages, quote, verified, recognition
    case chunkID = "chunk_id"
    case pageLabel = "page_label"
  }

  /// Creates the body of a citation.
  public init(_ citation: Citation) {
    number = citation.number
    chunkID = citation.chunk.rawValue
    document = DocumentReferenceBody(citation.document)
    page = citation.pages.first?.page ?? 1
    pageLabel = citation.pages.first?.label
    pages = citation.pages.map(PageRangeBody.init)
    quote = citation.quote
    verified = citation.isVerified
    recognition = citation.recognition.map(RecognitionBody.init)
  }
}

/// One sentence of an answer, held against the text it cites.
public struct SentenceBody: Codable, Sendable, Hashable {
  /// First Unicode scalar of the answer.
  public var start: Int
  /// One past the last.
  public var end: Int
  /// The passages it cites, by number.
  public var citations: [Int]
  /// Whether the cited text supports it, as far as words tell.
  public var supported: Bool
  /// Why it is not supported: `uncited`, `unknown_citation`, `number`, `name` or `words`; absent when it is.
  public var reason: String?
  /// The numbers or names that the cited text lacks.
  public var missing: [String]
  /// The share of its content words that the cited text has, 0 to 1.
  public var coverage: Double

  /// Creates the body of a sentence.
  public init(_ sentence: AnswerSentence) {
    start = sentence.start
    end = sentence.end
    citations = sentence.citations
    supported = sentence.isSupported
    reason = sentence.reason?.rawValue
    missing = sentence.missing
    coverage = sentence.coverage
  }
}

/// Something the reader should know.
public struct WarningBody: Codable, Sendable, Hashable {
  /// A stable dotted code.
  public var code: String
  /// One sentence.
  public var message: String

  /// Creates the body of a warning.
  public init(_ warning: AnswerWarning) {
    code = warning.code
    message = warning.message
  }
}

/// Wall time by stage, seconds; absent where a stage did not run.
public struct TimingsBody: Codable, Sendable, Hashable {
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
  /// Generating or extracting.
  public var generation: Double?
  /// Checking quotes.
  public var grounding: Double?
  /// From request to answer.
  public var total: Double

  enum CodingKeys: String, CodingKey {
    case rewriting, embedding, retrieval, reranking, generation, grounding, total
    case timeToFirstToken = "time_to_first_token"
  }

  /// Creates the body of timings.
  public init(_ timings: StageTimings) {
    rewriting = timings.rewriting
    embedding = timings.embedding
    retrieval = timings.retrieval
    reranking = timings.reranking
    timeToFirstToken = timings.timeToFirstToken
    generation = timings.generation
    grounding = timings.grounding
    total = timings.total
  }
}

/// Tokens.
public struct UsageBody: Codable, Sendable, Hashable {
  /// Tokens of the prompt.
  public var inputTokens: Int
  /// Tokens generated.
  public var outputTokens: Int

  enum CodingKeys: String, CodingKey {
    case inputTokens = "input_tokens"
    case outputTokens = "output_tokens"
  }

  package init(inputTokens: Int, outputTokens: Int) {
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
  }
}

/// The answer to a question: body of `POST /v1/query` and of `quarry ask --json`.
public struct AnswerBody: Codable, Sendable, Hashable {
  /// The answer's id.
  public var answerID: String
  /// The trace's id.
  public var traceID: String
  /// The conversation; absent outside one.
  public var conversationID: String?
  /// `answered`, `extractive`, `refused`, `blocked_input`, `blocked_output` or `failed`.
  public var outcome: String
  /// The text, with citation numbers in square brackets.
  public var answer: String
  /// The citations.
  public var citations: [CitationBody]
  /// The sentences of the answer, each held against what it cites; empty when nothing was answered.
  public var sentences: [SentenceBody]
  /// What was retrieved, best first.
  public var passages: [PassageBody]
  /// What the reader should know.
  public var warnings: [WarningBody]
  /// The text model; absent when none was used.
  public var model: String?
  /// Stage times.
  public var timings: TimingsBody
  /// Tokens; absent when no model was called.
  public var usage: UsageBody?

  enum CodingKeys: String, CodingKey {
    case outcome, answer, citations, sentences, passages, warnings, model, timings, usage
    case answerID = "answer_id"
    case traceID = "trace_id"
    case conversationID = "conversation_id"
  }

  /// Creates the body of an answer.
  public init(_ answer: Answer) {
    answerID = answer.id.rawValue
    traceID = answer.traceID.rawValue
    conversationID = answer.conversation?.rawValue
    outcome = answer.outcome.rawValue
    self.answer = answer.text
    citations = answer.citations.map(CitationBody.init)
    sentences = answer.sentences.map(SentenceBody.init)
    passages = answer.passages.map(PassageBody.init)
    warnings = answer.warnings.map(WarningBody.init)
    model = answer.model
    timings = TimingsBody(answer.timings)
    usage = answer.usage.map { UsageBody(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens) }
  }
}

/// Passages without an answer: body of `POST /v1/search` and of `quarry search --json`.
public struct SearchBody: Codable, Sendable, Hashable {
  /// The trace's id.
  public var traceID: String
  /// The passages, best first.
  public var passages: [PassageBody]
  /// What the reader should know.
  public var warnings: [WarningBody]

  enum CodingKeys: String, CodingKey {
    case passages, warnings
    case traceID = "trace_id"
  }

  /// Creates the body of a retrieval.
  public init(_ retrieval: Retrieval, traceID: TraceID) {
    self.traceID = traceID.rawValue
    passages = retrieval.passages.map(PassageBody.init)
    warnings = retrieval.warnings.map(WarningBody.init)
  }
}
