public import Core
public import FoundationEssentials
public import Telemetry

/// Question → retrieval → prompt → answer with verified citations → telemetry.
public struct QuestionAnswering: Sendable {
  /// How questions are answered.
  public struct Settings: Sendable, Hashable {
    /// Retrieval below this confidence (0 to 1) is refused without asking a model.
    public var refusalThreshold: Double
    /// Most characters of a question.
    public var questionCharacters: Int
    /// Most turns of a conversation given to the model.
    public var historyTurns: Int
    /// What the metric `similarity` measures.
    public var similarityMetric: SimilarityMetric
    /// USD for 1,000 input and output tokens by model; a model that is missing has an unknown price.
    public var prices: [String: TokenPrice]

    /// Creates settings.
    public init(
      refusalThreshold: Double = 0.53, questionCharacters: Int = 4000, historyTurns: Int = 10,
      similarityMetric: SimilarityMetric = .cosine, prices: [String: TokenPrice] = [:]
    ) {
      self.similarityMetric = similarityMetric
      self.refusalThreshold = refusalThreshold
      self.questionCharacters = questionCharacters
      self.historyTurns = historyTurns
      self.prices = prices
    }
  }

  /// What one point of the metric `similarity` is.
  public enum SimilarityMetric: String, Sendable, CaseIterable {
    /// The cosine of question and passage, whichever leg found it.
    case cosine
    /// The raw score of the embedding leg, in the scale of the store; passages it did not find have none.
    case raw
  }

  /// The price of a model's tokens.
  public struct TokenPrice: Sendable, Hashable {
    /// USD for 1,000 input tokens.
    public var input: Double
    /// USD for 1,000 output tokens.
    public var output: Double

    /// Creates a price; zero is a price.
    public init(input: Double, output: Double) {
      self.input = input
      self.output = output
    }
  }

  private let retriever: any Retriever
  private let answerer: any Answerer
  private let rewriter: QuestionRewriter?
  private let index: any DocumentIndex
  private let conversations: any ConversationStore
  private let gates: [any Gate]
  let recorder: TelemetryRecorder
  let log: StructuredLog
  let settings: Settings
  private let now: @Sendable () -> Date

  /// Creates the use case from the roles it plays with.
  /// - Parameter rewriter: Makes later questions of a conversation stand alone; without one, a question that leans on
  ///   the one before is searched together with it.
  public init(
    retriever: any Retriever, answerer: any Answerer, rewriter: QuestionRewriter? = nil, index: any DocumentIndex,
    conversations: any ConversationStore, gates: [any Gate] = [], recorder: TelemetryRecorder,
    log: StructuredLog = .silent, settings: Settings = .init(), now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.retriever = retriever
    self.answerer = answerer
    self.rewriter = rewriter
    self.index = index
    self.conversations = conversations
    self.gates = gates
    self.recorder = recorder
    self.log = log
    self.settings = settings
    self.now = now
  }

  /// Finds passages without answering.
  /// - Throws: A ``CategorizedError``.
  public func search(_ question: Question, context: RequestContext) async throws -> Retrieval {
    let question = try await checked(question, context: context)
    return try await retriever.retrieve(question, context: context)
  }

  /// Applies the rules for questions without asking anything, so that a caller can refuse before it begins to
  /// stream an answer; ``answer(_:context:progress:)`` applies them again.
  /// - Throws: A ``CategorizedError`` when the question breaks a rule.
  public func check(_ question: Question, context: RequestContext) async throws {
    _ = try await checked(question, context: context)
  }

  /// Answers a question; refusals and blocked questions are answers too. Every outcome is recorded.
  /// - Throws: A ``CategorizedError`` when something failed; the failure is recorded as well.
  public func answer(
    _ question: Question, context: RequestContext, progress: @escaping AnswerProgressHandler = { _ in }
  ) async throws -> Answer {
    try await answerWithRecord(question, context: context, progress: progress).answer
  }

  /// The same, with what was recorded of the answer, before anything is redacted.
  /// - Throws: A ``CategorizedError`` when something failed; the failure is recorded as well.
  public func answerWithRecord(
    _ question: Question, context: RequestContext, progress: @escaping AnswerProgressHandler = { _ in }
  ) async throws -> (answer: Answer, record: AnswerEvent) {
    let clock = ContinuousClock()
    let start = clock.now
    let id = AnswerID(rawValue: TimeOrderedID.make(now: now()))
    var work = Work(question: question)
    do {
      work.question = try await checked(question, context: context)
      let draft = try await draft(&work, context: context, progress: progress)
      let answer = finish(draft, id: id, work: work, seconds: start.duration(to: clock.now).seconds, context: context)
      // What follows is record keeping: the answer stands whatever becomes of it.
      await remember(answer, work: work, context: context)
      return (answer, record(answer, draft: draft, work: work, context: context))
    } catch {
      recordFailure(error, id: id, work: work, seconds: start.duration(to: clock.now).seconds, context: context)
      throw error
    }
  }

  /// What is known of a question while it is answered.
  struct Work {
    var question: Question
    var searched: String?
    var rewriting: QuestionRewriter.Outcome?
    var warnings: [AnswerWarning] = []
    var history: [Turn] = []
    var retrieval: Retrieval?
    var gateLabels: [String] = []
  }

  private func draft(_ work: inout Work, context: RequestContext, progress: @escaping AnswerProgressHandler)
    async throws -> DraftAnswer
  {
    if let blocked = try await gate(work.question.text, stage: .input, work: &work, context: context) {
      return DraftAnswer(outcome: .blockedInput, text: blocked)
    }
    if let conversation = work.question.conversation {
      work.history = try await conversations.turns(
        of: conversation, caller: context.caller.id, limit: settings.historyTurns)
    }
    let (searched, asked) = try await standingAlone(&work)

    let retrieval = try await retriever.retrieve(searched, context: context)
    work.retrieval = retrieval
    // A gate on the answer must speak before anything of it, or of the passages, is seen.
    let progress = gates.isEmpty ? progress : { @Sendable _ in }
    await progress(.passages(retrieval.passages))
    guard !retrieval.passages.isEmpty else {
      return DraftAnswer(outcome: .refused, text: RefusalText.nothingFound)
    }
    guard retrieval.confidence >= settings.refusalThreshold else {
      return DraftAnswer(outcome: .refused, text: RefusalText.notRelevant)
    }
    try Task.checkCancellation()
    let draft = try await answerer.answer(
      asked, history: work.history, retrieval: retrieval, context: context, progress: progress)
    if let blocked = try await gate(draft.text, stage: .output, work: &work, context: context) {
      var withheld = draft
      withheld.outcome = .blockedOutput
      withheld.text = blocked
      withheld.citations = []
      withheld.sentences = []
      return withheld
    }
    return draft
  }

  /// The question to search for and the one to answer: both as they would be asked without the conversation.
  private func standingAlone(_ work: inout Work) async throws -> (searched: Question, asked: Question) {
    var (searched, asked) = (work.question, work.question)
    if let rewriter, !work.history.isEmpty {
      let rewriting = try await rewriter.rewrite(work.question.text, history: work.history)
      work.rewriting = rewriting
      if let question = rewriting.question {
        searched.text = question
        asked.text = question
      } else {
        work.warnings.append(
          AnswerWarning(
            code: "question.not_rewritten",
            message:
              "The question could not be rewritten to stand alone (\(rewriting.record.failure ?? "internal")); it "
              + "was taken as it is."))
        searched.text = FollowUp.searchText(question: work.question.text, history: work.history)
      }
    } else {
      searched.text = FollowUp.searchText(question: work.question.text, history: work.history)
    }
    if searched.text != work.question.text { work.searched = searched.text }
    return (searched, asked)
  }

  /// Asks the gates of a stage; the reason of the first that says no.
  private func gate(_ text: String, stage: GateStage, work: inout Work, context: RequestContext) async throws
    -> String?
  {
    for gate in gates {
      let verdict = try await gate.examine(text, stage: stage, context: context)
      work.gateLabels += verdict.labels
      if !verdict.isAllowed { return verdict.message ?? "The \(stage.rawValue) was blocked by \(gate.name)." }
    }
    return nil
  }

  private func finish(
    _ draft: DraftAnswer, id: AnswerID, work: Work, seconds: Double, context: RequestContext
  ) -> Answer {
    var timings = draft.timings
    timings.rewriting = work.rewriting?.seconds
    timings.embedding = work.retrieval?.embeddingSeconds
    timings.retrieval = work.retrieval?.searchSeconds
    timings.reranking = work.retrieval?.rerankSeconds
    timings.total = seconds
    let showsPassages = draft.outcome != .blockedInput && draft.outcome != .blockedOutput
    return Answer(
      id: id, traceID: context.traceID, conversation: work.question.conversation, outcome: draft.outcome,
      text: draft.text, citations: draft.citations, sentences: draft.sentences,
      passages: showsPassages ? work.retrieval?.passages ?? [] : [],
      warnings: work.warnings + (work.retrieval?.warnings ?? []) + draft.warnings,
      model: draft.prompt == nil && work.rewriting == nil ? nil : answerer.model, timings: timings,
      usage: Self.sum(work.rewriting?.record.usage, draft.usage))
  }

  private static func sum(_ one: TokenUsage?, _ other: TokenUsage?) -> TokenUsage? {
    guard let one, let other else { return one ?? other }
    return TokenUsage(
      inputTokens: one.inputTokens + other.inputTokens, outputTokens: one.outputTokens + other.outputTokens)
  }

  private func remember(_ answer: Answer, work: Work, context: RequestContext) async {
    guard let conversation = work.question.conversation, answer.outcome != .blockedInput else { return }
    do {
      try await conversations.append(
        [Turn(role: .user, text: work.question.text), Turn(role: .assistant, text: answer.text)],
        to: conversation, caller: context.caller.id, now: now())
    } catch {
      log.log(.error, "a conversation's turn could not be kept", error: error, context: context)
    }
  }

  // MARK: - Rules for questions

  /// The question with limits checked and the filter narrowed to what the caller may read.
  private func checked(_ question: Question, context: RequestContext) async throws -> Question {
    var question = question
    question.text = question.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    guard !question.text.isEmpty else {
      throw CoreError(
        code: "question.empty", category: .invalidInput, message: "the question is empty", remedy: "Ask something.")
    }
    guard question.text.unicodeScalars.count <= settings.questionCharacters else {
      throw CoreError(
        code: "question.too_long", category: .tooLarge,
        message: "the question has \(question.text.unicodeScalars.count) characters; the limit is "
          + "\(settings.questionCharacters)",
        remedy: "Shorten the question, or raise answering.questionCharacters.")
    }
    if let conversation = question.conversation, !ConversationID.isValid(conversation.rawValue) {
      throw CoreError(
        code: "question.conversation", category: .invalidInput,
        message: "a conversation id has 1 to 128 letters, digits or -_.:", remedy: "Use such an id.")
    }
    if let wanted = question.filter.collections {
      for name in wanted where !context.caller.mayRead(name) {
        throw CoreError(
          code: "collection.forbidden", category: .forbidden,
          message: "this key may not read collection '\(name)'", remedy: "Use a key that may.")
      }
      let known = try await index.collections()
      for name in wanted where known[name] == nil {
        let list = known.keys.filter(context.caller.mayRead).map(\.rawValue).sorted().joined(separator: ", ")
        throw CoreError(
          code: "collection.unknown", category: .notFound,
          message: "there is no collection '\(name)'" + (list.isEmpty ? "" : "; there are: \(list)"),
          remedy: "Ingest documents into it, or name another.")
      }
    } else {
      question.filter.collections = context.caller.allowedCollections
    }
    return question
  }
}
