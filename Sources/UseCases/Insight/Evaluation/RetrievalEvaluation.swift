public import Core

/// Measures how well a retriever finds the pages that answer questions, and how well it knows that none do.
public struct RetrievalEvaluation: Sendable {
  /// How it is measured.
  public struct Settings: Sendable, Hashable {
    /// Passages asked for: enough to fill ten pages, 1 to 100.
    public var topK: Int
    /// Questions asked at the same time, at least 1.
    public var width: Int
    /// Questions whose confidence is below it are refused, 0 to 1.
    public var refusalThreshold: Double
    /// How intervals are made.
    public var bootstrap: Bootstrap

    /// Creates settings.
    public init(
      topK: Int = 50, width: Int = 2, refusalThreshold: Double, bootstrap: Bootstrap = .init()
    ) {
      self.topK = topK
      self.width = max(1, width)
      self.refusalThreshold = refusalThreshold
      self.bootstrap = bootstrap
    }
  }

  private let retriever: any Retriever
  private let index: any DocumentIndex
  private let settings: Settings

  /// Creates an evaluation of `retriever`, which searches `index`.
  public init(retriever: any Retriever, index: any DocumentIndex, settings: Settings) {
    self.retriever = retriever
    self.index = index
    self.settings = settings
  }

  /// Asks every question of the set, as evaluation traffic.
  /// - Parameters:
  ///   - filter: What may be searched.
  ///   - context: The context; its traffic kind is replaced.
  ///   - progress: Called with the number of questions done, after each.
  /// - Throws: What the retriever throws first, as a ``CategorizedError``.
  public func run(
    _ set: QuestionSet, filter: SearchFilter = .init(), context: RequestContext,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws -> RetrievalReport {
    let clock = ContinuousClock()
    let start = clock.now
    let present = try await DocumentNames.searchable(in: index, collections: filter.collections)
    let judged = set.questions.map { Self.judged($0, present: present) }
    let results = try await judged.concurrentMap(width: settings.width, progress: progress) { item in
      let retrieval = try await retriever.retrieve(
        Question(text: item.question.text, filter: filter, topK: settings.topK), context: context.forEvaluation())
      return result(of: retrieval, for: item)
    }
    return RetrievalReport(
      name: set.name, results: results, seconds: start.duration(to: clock.now).seconds,
      bootstrap: settings.bootstrap)
  }

  struct Judged {
    var question: EvaluationQuestion
    /// The right places in documents that are there.
    var evidence: [EvaluationQuestion.Evidence]
    var judgement: QuestionResult.Judgement
  }

  /// A question whose documents are partly missing is judged by those that are there.
  static func judged(_ question: EvaluationQuestion, present: Set<String>) -> Judged {
    guard question.isAnswerable else { return Judged(question: question, evidence: [], judgement: .unanswerable) }
    let evidence = question.evidence.filter { present.contains($0.document) }
    return Judged(question: question, evidence: evidence, judgement: evidence.isEmpty ? .unjudged : .answerable)
  }

  private func result(of retrieval: Retrieval, for item: Judged) -> QuestionResult {
    let pages = RankedPages(retrieval.passages)
    return QuestionResult(
      id: item.question.id, question: item.question.text, kind: item.question.kind, judgement: item.judgement,
      rank: pages.firstRight(item.evidence), gain: pages.gain(item.evidence, depth: 10),
      confidence: retrieval.confidence,
      isRefused: retrieval.passages.isEmpty || retrieval.confidence < settings.refusalThreshold)
  }
}

/// The names of the documents that can be judged.
enum DocumentNames {
  /// The file names of all documents of the catalogue, but for those whose ingestion failed: nothing of them is
  /// there. Unreadable ones count as there, since not reading them is the system's own failing.
  static func searchable(in index: any DocumentIndex, collections: Set<CollectionName>?) async throws -> Set<String> {
    var names: Set<String> = []
    var cursor: String?
    repeat {
      let page = try await index.catalogue(collections: collections, state: nil, limit: 1_000, after: cursor)
      for entry in page.entries where entry.state != .failed { names.insert(entry.document.name) }
      cursor = page.next
    } while cursor != nil
    return names
  }
}

extension RequestContext {
  /// The same request as evaluation traffic, under a trace of its own.
  func forEvaluation() -> RequestContext {
    var context = self
    context.traffic = .evaluation
    context.traceID = .random()
    return context
  }
}

extension Array where Element: Sendable {
  /// Maps elements with at most `width` calls of `body` at once; the results keep the elements' order.
  func concurrentMap<Result: Sendable>(
    width: Int, progress: @Sendable (Int) -> Void, _ body: @escaping @Sendable (Element) async throws -> Result
  ) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
      var results = [Result?](repeating: nil, count: count)
      var next = 0
      var done = 0
      func startOne(_ group: inout ThrowingTaskGroup<(Int, Result), any Error>) {
        guard next < count else { return }
        let place = next
        let element = self[place]
        group.addTask { (place, try await body(element)) }
        next += 1
      }
      for _ in 0..<width { startOne(&group) }
      while let (place, result) = try await group.next() {
        results[place] = result
        done += 1
        progress(done)
        startOne(&group)
      }
      return results.compactMap { $0 }
    }
  }
}
