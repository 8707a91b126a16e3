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

  /// One question with what was measured of it.
  public struct Sample: Sendable, Hashable {
    /// The set it comes from.
    public var set: String
    /// The question's id.
    public var id: String
    /// Its features, in the order of `RelevanceFeatures.names`.
    public var features: [Double]
    /// Whether the library answers it.
    public var isAnswerable: Bool

    /// Creates a sample.
    public init(set: String, id: String, features: [Double], isAnswerable: Bool) {
      self.set = set
      self.id = id
      self.features = features
      self.isAnswerable = isAnswerable
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
  /// - Throws: What the retriever throws first, as a ``CategorizedError``.
  public func samples(
    of set: QuestionSet, filter: SearchFilter = .init(), context: RequestContext,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) async throws -> [Sample] {
    let present = try await DocumentNames.searchable(in: index, collections: filter.collections)
    let judged = set.questions.map { RetrievalEvaluation.judged($0, present: present) }
      .filter { $0.judgement != .unjudged }
    let samples = try await judged.concurrentMap(width: settings.width, progress: progress) { item -> Sample? in
      let retrieval = try await retriever.retrieve(
        Question(text: item.question.text, filter: filter), context: context.forEvaluation())
      guard retrieval.legs.contains(.dense) else { return nil }
      let features = RelevanceFeatures(question: item.question.text, passages: retrieval.passages)
      return Sample(
        set: set.name, id: item.question.id, features: features.values, isAnswerable: item.question.isAnswerable)
    }
    return samples.compactMap { $0 }
  }

  /// Fits model and threshold to samples, and measures both on samples that they did not see.
  /// - Throws: ``InsightError`` `refusal.samples` when there are too few questions of one kind.
  public static func fit(_ samples: [Sample], settings: Settings = .init()) throws -> RefusalReport {
    let labels = samples.map(\.isAnswerable)
    let positive = labels.count { $0 }
    guard positive >= settings.folds, labels.count - positive >= settings.folds else {
      throw InsightError(
        code: "refusal.samples", category: .invalidInput,
        message: "\(positive) answerable and \(labels.count - positive) unanswerable questions are too few; "
          + "\(settings.folds) of each are needed",
        remedy: "Add questions, or index the documents that they are about.")
    }
    let features = samples.map(\.features)
    let seed = settings.bootstrap.seed
    let folds = StratifiedFolds.assign(labels, folds: settings.folds, seed: seed)
    let scores = CrossValidation.probabilities(
      features: features, labels: labels, folds: folds, penalty: settings.penalty)
    let curve = ReceiverOperating(scores: scores, labels: labels)
    let model = LogisticRegression(features: features, labels: labels, penalty: settings.penalty)

    // The rates of the rule, not of one lucky threshold: in each fold the threshold comes from the other folds.
    var refused = [Bool](repeating: false, count: labels.count)
    for fold in 0..<settings.folds {
      let training = labels.indices.filter { folds[$0] != fold }
      let inner = Self.threshold(
        features: training.map { features[$0] }, labels: training.map { labels[$0] }, settings: settings)
      for place in labels.indices where folds[place] == fold { refused[place] = scores[place] < inner }
    }
    var sets: [String] = []
    for sample in samples where !sets.contains(sample.set) { sets.append(sample.set) }
    return RefusalReport(
      answerable: positive, unanswerable: labels.count - positive,
      area: Self.area(scores, labels, settings.bootstrap),
      featureAreas: RelevanceFeatures.names.enumerated().compactMap { column, name in
        column < features[0].count
          ? (name, Self.area(features.map { $0[column] }, labels, settings.bootstrap)) : nil
      },
      curve: curve, threshold: curve.threshold(refusingAtMost: settings.refusedAnswerableLimit),
      limit: settings.refusedAnswerableLimit,
      refusedUnanswerable: Self.rate(refused, where: labels.map { !$0 }, settings.bootstrap),
      refusedAnswerable: Self.rate(refused, where: labels, settings.bootstrap),
      model: RelevanceModel(bias: model.bias, weights: model.weights),
      transfers: sets.count < 2 ? [] : sets.compactMap { Self.transfer(to: $0, samples, settings) })
  }

  private static func threshold(features: [[Double]], labels: [Bool], settings: Settings) -> Double {
    let folds = StratifiedFolds.assign(labels, folds: settings.folds, seed: settings.bootstrap.seed &+ 1)
    let scores = CrossValidation.probabilities(
      features: features, labels: labels, folds: folds, penalty: settings.penalty)
    return ReceiverOperating(scores: scores, labels: labels)
      .threshold(refusingAtMost: settings.refusedAnswerableLimit)
  }

  /// The model and threshold of all other sets, measured on one.
  private static func transfer(to set: String, _ samples: [Sample], _ settings: Settings) -> RefusalReport.Transfer? {
    let others = samples.filter { $0.set != set }
    let these = samples.filter { $0.set == set }
    let features = others.map(\.features)
    let labels = others.map(\.isAnswerable)
    guard let model = CrossValidation.fit(features, labels, Array(others.indices), penalty: settings.penalty)
    else { return nil }
    let threshold = threshold(features: features, labels: labels, settings: settings)
    let scores = these.map { model.probability($0.features) }
    let own = these.map(\.isAnswerable)
    let refused = scores.map { $0 < threshold }
    return RefusalReport.Transfer(
      set: set, area: area(scores, own, settings.bootstrap), threshold: threshold,
      refusedUnanswerable: rate(refused, where: own.map { !$0 }, settings.bootstrap),
      refusedAnswerable: rate(refused, where: own, settings.bootstrap))
  }

  private static func area(_ scores: [Double], _ labels: [Bool], _ bootstrap: Bootstrap) -> Measure {
    let interval = bootstrap.interval(count: scores.count) { picks in
      ReceiverOperating(scores: picks.map { scores[$0] }, labels: picks.map { labels[$0] }).area
    }
    return Measure(
      value: ReceiverOperating(scores: scores, labels: labels).area, low: interval?.low, high: interval?.high)
  }

  private static func rate(_ refused: [Bool], where counts: [Bool], _ bootstrap: Bootstrap) -> Measure {
    bootstrap.mean(of: zip(refused, counts).filter(\.1).map { $0.0 ? 1 : 0 })
  }
}
