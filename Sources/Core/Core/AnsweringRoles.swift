public import FoundationEssentials

/// Finds the passages for a question.
public protocol Retriever: Sendable {
  /// Retrieves passages, best first.
  /// - Throws: A ``CategorizedError``, for instance `conflict` when the index has another embedding identity.
  func retrieve(_ question: Question, context: RequestContext) async throws -> Retrieval
}

/// Orders passages anew by a stronger model.
public protocol Reranker: Sendable {
  /// Its name, for events.
  var name: String { get }
  /// The passages, best first, at most `limit`; `rank` is renumbered and `rerankScore` set.
  /// - Throws: A ``CategorizedError``.
  func rerank(_ passages: [Passage], for question: String, limit: Int) async throws -> [Passage]
}

/// Who said a turn.
public enum TurnRole: String, Sendable, Codable {
  /// The person asking.
  case user
  /// The service answering.
  case assistant
}

/// One turn of a conversation or prompt.
public struct Turn: Sendable, Hashable, Codable {
  /// Who said it.
  public var role: TurnRole
  /// What was said.
  public var text: String

  /// Creates a turn.
  public init(role: TurnRole, text: String) {
    self.role = role
    self.text = text
  }
}

/// Inference parameters; nil leaves the model's default. Recorded with every answer.
public struct InferenceParameters: Sendable, Hashable, Codable {
  /// 0 to 2.
  public var temperature: Double?
  /// 0 to 1.
  public var topP: Double?
  /// At least 1.
  public var topK: Int?
  /// Most tokens to generate.
  public var maxTokens: Int?
  /// Texts that end generation.
  public var stop: [String]
  /// Against words by how often they came already, -2 to 2; 0 for none.
  public var frequencyPenalty: Double?
  /// Against words that came already, -2 to 2; 0 for none.
  public var presencePenalty: Double?
  /// Divides the likelihood of words that came already, above 0; 1 for none.
  public var repetitionPenalty: Double?

  /// Creates parameters.
  public init(
    temperature: Double? = nil, topP: Double? = nil, topK: Int? = nil, maxTokens: Int? = nil, stop: [String] = [],
    frequencyPenalty: Double? = nil, presencePenalty: Double? = nil, repetitionPenalty: Double? = nil
  ) {
    self.temperature = temperature
    self.topP = topP
    self.topK = topK
    self.maxTokens = maxTokens
    self.stop = stop
    self.frequencyPenalty = frequencyPenalty
    self.presencePenalty = presencePenalty
    self.repetitionPenalty = repetitionPenalty
  }
}

/// What a text model is asked.
public struct GenerationRequest: Sendable, Hashable {
  /// The system text.
  public var system: String
  /// Turns, the last one the user's.
  public var turns: [Turn]
  /// Inference parameters.
  public var parameters: InferenceParameters

  /// Creates a request.
  public init(system: String, turns: [Turn], parameters: InferenceParameters = .init()) {
    self.system = system
    self.turns = turns
    self.parameters = parameters
  }
}

/// What a text model says, piece by piece.
public enum GenerationEvent: Sendable, Hashable {
  /// More text.
  case text(String)
  /// The end: why it stopped (`end_turn`, `max_tokens`, `stop_sequence`, `content_filtered`, or the provider's
  /// own word) and the tokens used, when known.
  case end(stopReason: String, usage: TokenUsage?)
}

/// A text model.
public protocol TextGenerator: Sendable {
  /// Its id, as prices name it.
  var model: String { get }
  /// Longest prompt in tokens, system text included.
  var contextTokens: Int { get }
  /// A conservative count of the tokens of `text`.
  func countTokens(_ text: String) -> Int
  /// Generates; cancelling the consumer cancels the model. Throws a ``CategorizedError``.
  func generate(_ request: GenerationRequest) -> AsyncThrowingStream<GenerationEvent, any Error>
}

extension TextGenerator {
  /// Two bytes a token is more than any of the usual tokenizers makes of ordinary text.
  public func countTokens(_ text: String) -> Int { text.utf8.count / 2 + 1 }
}

extension AsyncThrowingStream where Element == GenerationEvent, Failure == any Error {
  /// What `generate` says, piece by piece, until it returns or throws; it is cancelled when nobody listens any more.
  ///
  /// The buffer has no bound of its own: the most tokens of an answer bound it.
  public static func generating(
    _ generate: @escaping @Sendable (_ say: (GenerationEvent) -> Void) async throws -> Void
  ) -> Self {
    AsyncThrowingStream(bufferingPolicy: .unbounded) { continuation in
      let task = Task {
        do {
          try await generate { continuation.yield($0) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }
}

/// What is told while a question is being answered, in order: passages once, then tokens.
public enum AnswerProgress: Sendable {
  /// The passages found.
  case passages([Passage])
  /// More of the answer's text; unverified until the whole answer comes.
  case token(String)
}

/// Receives progress; returns when the receiver can take more.
public typealias AnswerProgressHandler = @Sendable (AnswerProgress) async -> Void

/// An answer in the making: text and citations before ids, timings and telemetry are added.
public struct DraftAnswer: Sendable, Hashable {
  /// How it ended: `answered`, `extractive`, `refused`, `blockedOutput`.
  public var outcome: Outcome
  /// The text with citation numbers in square brackets.
  public var text: String
  /// The citations, checked.
  public var citations: [Citation]
  /// The sentences, each held against what it cites.
  public var sentences: [AnswerSentence]
  /// What the reader should know.
  public var warnings: [AnswerWarning]
  /// Chunks that went into the prompt.
  public var usedChunks: [ChunkID]
  /// The prompt; nil when no model was called.
  public var prompt: PromptRecord?
  /// Why the model stopped.
  public var stopReason: String?
  /// Tokens used.
  public var usage: TokenUsage?
  /// Seconds to the first token, of generation, and of grounding.
  public var timings: StageTimings

  /// Creates a draft.
  public init(
    outcome: Outcome, text: String, citations: [Citation] = [], sentences: [AnswerSentence] = [],
    warnings: [AnswerWarning] = [], usedChunks: [ChunkID] = [], prompt: PromptRecord? = nil, stopReason: String? = nil,
    usage: TokenUsage? = nil, timings: StageTimings = .init()
  ) {
    self.sentences = sentences
    self.outcome = outcome
    self.text = text
    self.citations = citations
    self.warnings = warnings
    self.usedChunks = usedChunks
    self.prompt = prompt
    self.stopReason = stopReason
    self.usage = usage
    self.timings = timings
  }
}

/// The prompt as sent, with the template that made it.
public struct PromptRecord: Sendable, Hashable, Codable {
  /// The template's name.
  public var template: String
  /// The template's version.
  public var version: String
  /// SHA-256 of the template's file.
  public var hash: String
  /// The system text as sent.
  public var system: String
  /// The turns as sent.
  public var turns: [Turn]
  /// The model asked.
  public var model: String
  /// Inference parameters as sent.
  public var parameters: InferenceParameters

  /// Creates a record.
  public init(
    template: String, version: String, hash: String, system: String, turns: [Turn], model: String,
    parameters: InferenceParameters
  ) {
    self.template = template
    self.version = version
    self.hash = hash
    self.system = system
    self.turns = turns
    self.model = model
    self.parameters = parameters
  }
}

/// Turns passages into an answer: extractive or generative.
public protocol Answerer: Sendable {
  /// The text model used; nil for the extractive answerer.
  var model: String? { get }
  /// Answers from `retrieval`; `history` holds the earlier turns of the conversation.
  func answer(
    _ question: Question, history: [Turn], retrieval: Retrieval, context: RequestContext,
    progress: @escaping AnswerProgressHandler
  ) async throws -> DraftAnswer
}

/// Where a gate stands.
public enum GateStage: String, Sendable, Codable {
  /// Before the question is embedded.
  case input
  /// After the answer is generated.
  case output
}

/// What a gate says of a text.
public struct GateVerdict: Sendable, Hashable, Codable {
  /// The gate's name.
  public var gate: String
  /// Whether the text may pass.
  public var isAllowed: Bool
  /// Labels such as `toxicity`, bounded in number.
  public var labels: [String]
  /// The reason for the reader.
  public var message: String?

  /// Creates a verdict.
  public init(gate: String, isAllowed: Bool, labels: [String] = [], message: String? = nil) {
    self.gate = gate
    self.isAllowed = isAllowed
    self.labels = labels
    self.message = message
  }
}

/// Decides whether a question or an answer may pass.
public protocol Gate: Sendable {
  /// Its name.
  var name: String { get }
  /// Examines a text.
  func examine(_ text: String, stage: GateStage, context: RequestContext) async throws -> GateVerdict
}

/// Keeps the turns of conversations.
public protocol ConversationStore: Sendable {
  /// The newest turns of a conversation of `caller`, oldest first, at most `limit`; empty when it is new.
  func turns(of id: ConversationID, caller: String, limit: Int) async throws -> [Turn]
  /// Adds a question and its answer.
  func append(_ turns: [Turn], to id: ConversationID, caller: String, now: Date) async throws
}

/// Reads secrets by reference, such as `env:NAME` or `file:/path`.
public protocol SecretSource: Sendable {
  /// Resolves the part of the reference after the scheme.
  func secret(_ reference: String) async throws -> String
}
