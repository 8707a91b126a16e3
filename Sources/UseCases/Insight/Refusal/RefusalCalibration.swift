import Answering
public import Core

/// Fits the model that decides when retrieval found nothing that answers, and the threshold below which Quarry
/// refuses.
public struct RefusalCalibration: Sendable {
  /// How it is fitted.
  public struct Settings: Sendable, Hashable {
    /// Folds of the cross-validation, at least 2.
    public var folds: Int
    /// λ of the L2 penalty, above 0.
    public var penalty: Double
    /// The rule for the threshold: the highest that refuses at most this share of answerable questions, 0 to 1.
    public var refusedAnswerableLimit: Double
    /// Questions asked at the same time, at least 1.
    public var width: Int
    /// How intervals are made; its seed also deals samples into folds.
    public var bootstrap: Bootstrap

    /// Creates settings.
    public init(
      folds: Int = 10, penalty: Double = 1, refusedAnswerableLimit: Double = 0.1, width: Int = 2,
      bootstrap: Bootstrap = .init()
    ) {
      self.folds = max(2, folds)
      self.penalty = penalty
      self.refusedAnswerableLimit = refusedAnswerableLimit
      self.width = max(1, width)
      self.bootstrap = bootstrap
    }
  }

  private let retriever: any Retriever
  private let index: any DocumentIndex
  private let settings: Settings

  /// Creates a calibration of `retriever`, which searches `index`.
  public init(retriever: any Retriever, index: any DocumentIndex, settings: Settings = .init()) {
    self.retriever = retriever
    self.index = index
    self.settings = settings
  }

  /// Asks the questions of a set, as evaluation traffic, and measures what retrieval found.
  ///
  /// Left out are answerable questions whose documents are not in the index, and questions in a script that the
  /// embedding model does not read: the model does not judge those.
  /// - Parameters:
  ///   - set: The questions.
  ///   - library: The name of the set that is about what `filter` lets through; another than the set's own makes
  ///     all its questions foreign. nil for the set's own.
  ///   - filter: What may be searched.
  ///   - context: The context; its traffic kind is replaced.
  ///   - progress: Called with the number of questions done, after each.
  /// - Throws: What the retriever throws first, as a ``CategorizedError``.
  public func samples(
    of set: QuestionSet, askedOf library: String? = nil, filter: SearchFilter = .init(), context: RequestContext,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws -> [RefusalSample] {
    let library = library ?? set.name
    let present = try await DocumentNames.searchable(in: index, collections: filter.collections)
    let asked = set.questions.filter { question in
      library != set.name || RetrievalEvaluation.judged(question, present: present).judgement != .unjudged
    }
    let samples = try await asked.concurrentMap(width: settings.width, progress: progress) {
      question -> RefusalSample? in
      let retrieval = try await retriever.retrieve(
        Question(text: question.text, filter: filter, topK: RelevanceFeatures.depth), context: context.forEvaluation())
      guard retrieval.legs.contains(.dense) else { return nil }
      return RefusalSample(
        library: library, set: set.name, id: question.id,
        features: RelevanceFeatures(question: question.text, passages: retrieval.passages).values,
        kind: library != set.name ? .foreign : question.isAnswerable ? .answerable : .nearMiss)
    }
    return samples.compactMap { $0 }
  }

  /// Fits model and threshold to samples, and measures both on samples that they did not see.
  ///
  /// No feature gets a negative weight: an answer whose passages match better is never less likely, whatever a
  /// set's near misses look like. Foreign questions count together as much as near misses.
  /// - Throws: ``InsightError`` `refusal.samples` when there are too few answerable questions or near misses.
  public static func fit(_ samples: [RefusalSample], settings: Settings = .init()) throws -> RefusalReport {
    let data = RefusalData(samples)
    let counts = Dictionary(samples.map { ($0.kind, 1) }, uniquingKeysWith: +)
    guard (counts[.answerable] ?? 0) >= settings.folds, (counts[.nearMiss] ?? 0) >= settings.folds,
      let model = data.fit(penalty: settings.penalty)
    else {
      throw InsightError(
        code: "refusal.samples", category: .invalidInput,
        message: "\(counts[.answerable] ?? 0) answerable and \(counts[.nearMiss] ?? 0) unanswerable questions are too "
          + "few; \(settings.folds) of each are needed",
        remedy: "Add questions, or index the documents that they are about.")
    }
    let folds = data.folds(settings.folds, seed: settings.bootstrap.seed)
    let scores = data.outOfFold(folds, penalty: settings.penalty)

    // The rates of the rule, not of one lucky threshold: in each fold the threshold comes from the other folds.
    var refused = [Bool](repeating: false, count: samples.count)
    for fold in 0..<settings.folds {
      let inner = threshold(RefusalData(zip(samples, folds).filter { $0.1 != fold }.map(\.0)), settings)
      for place in samples.indices where folds[place] == fold { refused[place] = scores[place] < inner }
    }
    var libraries: [String] = []
    for sample in samples where !libraries.contains(sample.library) { libraries.append(sample.library) }
    return RefusalReport(
      counts: counts, outOfFold: RefusalReport.Rates(scores, refused, samples, settings.bootstrap),
      featureRates: data.features[0].indices.map { column in
        RefusalReport.Areas(data.features.map { $0[column] }, samples, settings.bootstrap)
      },
      curve: ReceiverOperating(scores: scores, kinds: samples.map(\.kind)), threshold: threshold(data, settings),
      limit: settings.refusedAnswerableLimit, model: RelevanceModel(bias: model.bias, weights: model.weights),
      transfers: libraries.count < 2 ? [] : libraries.compactMap { transfer(to: $0, data, settings) })
  }

  /// The threshold that the rule gives on out-of-fold scores.
  private static func threshold(_ data: RefusalData, _ settings: Settings) -> Double {
    let folds = data.folds(settings.folds, seed: settings.bootstrap.seed)
    return ReceiverOperating(scores: data.outOfFold(folds, penalty: settings.penalty), kinds: data.samples.map(\.kind))
      .threshold(refusingAtMost: settings.refusedAnswerableLimit)
  }

  /// Model and threshold of the other libraries, measured on one.
  private static func transfer(
    to library: String, _ data: RefusalData, _ settings: Settings
  ) -> RefusalReport.Transfer? {
    let others = data.filter { $0.library != library }
    let these = data.filter { $0.library == library }
    guard let model = others.fit(penalty: settings.penalty) else { return nil }
    let threshold = threshold(others, settings)
    let scores = these.features.map(model.probability)
    return RefusalReport.Transfer(
      library: library, threshold: threshold,
      rates: RefusalReport.Rates(scores, scores.map { $0 < threshold }, these.samples, settings.bootstrap))
  }
}
