/// How well pages were found and unanswerable questions refused.
public struct RetrievalReport: Sendable {
  /// The measures of one kind of questions, or of all.
  public struct Measures: Sendable, Hashable {
    /// Answerable questions that were judged.
    public var answerable: Int
    /// Unanswerable questions.
    public var unanswerable: Int
    /// The share of answerable questions with a right page among the first 1, 5 and 10.
    public var pageHitAt1: Measure
    /// See ``pageHitAt1``.
    public var pageHitAt5: Measure
    /// See ``pageHitAt1``.
    public var pageHitAt10: Measure
    /// The mean of 1 ÷ rank of the first right page; 0 for answerable questions without one.
    public var reciprocalRank: Measure
    /// Mean nDCG@10 over answerable questions.
    public var gainAt10: Measure
    /// The share of unanswerable questions refused.
    public var refusedUnanswerable: Measure
    /// The share of answerable questions refused.
    public var refusedAnswerable: Measure

    init(_ results: [QuestionResult], bootstrap: Bootstrap) {
      let answerable = results.filter { $0.judgement == .answerable }
      let unanswerable = results.filter { $0.judgement == .unanswerable }
      func mean(_ results: [QuestionResult], _ value: (QuestionResult) -> Double) -> Measure {
        bootstrap.mean(of: results.map(value))
      }
      func hit(at depth: Int) -> Measure {
        mean(answerable) { ($0.rank ?? .max) <= depth ? 1 : 0 }
      }
      self.answerable = answerable.count
      self.unanswerable = unanswerable.count
      pageHitAt1 = hit(at: 1)
      pageHitAt5 = hit(at: 5)
      pageHitAt10 = hit(at: 10)
      reciprocalRank = mean(answerable) { result in result.rank.map { 1 / Double($0) } ?? 0 }
      gainAt10 = mean(answerable, \.gain)
      refusedUnanswerable = mean(unanswerable) { $0.isRefused ? 1 : 0 }
      refusedAnswerable = mean(answerable) { $0.isRefused ? 1 : 0 }
    }

    /// The measures under the names they have in JSON and in `--fail-under`.
    public var named: [(name: String, measure: Measure)] {
      [
        ("page_hit@1", pageHitAt1), ("page_hit@5", pageHitAt5), ("page_hit@10", pageHitAt10), ("mrr", reciprocalRank),
        ("ndcg@10", gainAt10), ("refused_unanswerable", refusedUnanswerable), ("refused_answerable", refusedAnswerable),
      ]
    }
  }

  /// The set's name, or the names of several.
  public var name: String
  /// The results, in the order of the questions.
  public var results: [QuestionResult]
  /// Wall time, seconds.
  public var seconds: Double
  /// All questions together.
  public var measures: Measures
  /// By kind, in the order in which kinds first appear.
  public var byKind: [(kind: String, measures: Measures)]
  /// The reports that this one sums up; empty for a single set.
  public var sets: [RetrievalReport] = []

  /// Questions read.
  public var questions: Int { results.count }
  /// Answerable questions that could not be judged.
  public var unjudged: Int { results.count { $0.judgement == .unjudged } }

  init(name: String, results: [QuestionResult], seconds: Double, bootstrap: Bootstrap) {
    self.name = name
    self.results = results
    self.seconds = seconds
    measures = Measures(results, bootstrap: bootstrap)
    var kinds: [String] = []
    var groups: [String: [QuestionResult]] = [:]
    for result in results where result.judgement != .unjudged {
      if groups[result.kind] == nil { kinds.append(result.kind) }
      groups[result.kind, default: []].append(result)
    }
    byKind = kinds.map { ($0, Measures(groups[$0] ?? [], bootstrap: bootstrap)) }
  }

  /// One report over the questions of several sets, which keeps theirs; the report itself when there is one.
  public init(of sets: [RetrievalReport], bootstrap: Bootstrap = .init()) {
    if sets.count == 1 {
      self = sets[0]
      return
    }
    self.init(
      name: sets.map(\.name).joined(separator: ", "), results: sets.flatMap(\.results),
      seconds: sets.reduce(0) { $0 + $1.seconds }, bootstrap: bootstrap)
    self.sets = sets
  }
}

// MARK: - JSON

extension RetrievalReport: Encodable {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }

  /// Writes counts, measures as `{value, low, high}`, results by kind, and the sets where there are several.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(name, forKey: Key("name"))
    try container.encode(questions, forKey: Key("questions"))
    try container.encode(unjudged, forKey: Key("unjudged"))
    try container.encode(seconds, forKey: Key("seconds"))
    try Self.encode(measures, into: &container)
    var kinds = container.nestedContainer(keyedBy: Key.self, forKey: Key("by_kind"))
    for (kind, measures) in byKind {
      var one = kinds.nestedContainer(keyedBy: Key.self, forKey: Key(kind))
      try one.encode(measures.answerable + measures.unanswerable, forKey: Key("questions"))
      try Self.encode(measures, into: &one)
    }
    if !sets.isEmpty { try container.encode(sets, forKey: Key("sets")) }
  }

  private static func encode(_ measures: Measures, into container: inout KeyedEncodingContainer<Key>) throws {
    try container.encode(measures.answerable, forKey: Key("answerable"))
    try container.encode(measures.unanswerable, forKey: Key("unanswerable"))
    for (name, measure) in measures.named { try container.encode(measure, forKey: Key(name)) }
  }
}
