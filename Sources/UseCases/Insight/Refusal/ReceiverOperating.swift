/// How well scores tell answerable questions from others, over all thresholds.
public struct ReceiverOperating: Sendable {
  /// One threshold and the shares of questions that it refuses: those whose score is below it.
  public struct Point: Sendable, Hashable, Codable {
    /// The threshold, 0 to 1.
    public var threshold: Double
    /// The share of answerable questions refused.
    public var answerable: Double
    /// The share of near misses refused; nil without any.
    public var nearMisses: Double?
    /// The share of foreign questions refused; nil without any.
    public var foreign: Double?

    private enum CodingKeys: String, CodingKey {
      case threshold
      case answerable = "refused_answerable"
      case nearMisses = "refused_near_misses"
      case foreign = "refused_foreign"
    }
  }

  private let scores: [RefusalSample.Kind: [Double]]

  /// Creates the curve of scores, higher for answerable.
  public init(scores: [Double], kinds: [RefusalSample.Kind]) {
    precondition(scores.count == kinds.count)
    var byKind: [RefusalSample.Kind: [Double]] = [:]
    for (score, kind) in zip(scores, kinds) { byKind[kind, default: []].append(score) }
    self.scores = byKind.mapValues { $0.sorted() }
  }

  /// The area under the curve of one kind, or of all that are not answerable: the chance that an answerable question
  /// scores higher than one of those, a tie counting half; nil when either is missing.
  /// Source: Hanley & McNeil (1982), doi:10.1148/radiology.143.1.7063747.
  public func area(against kind: RefusalSample.Kind? = nil) -> Double? {
    let others = kind.map { scores[$0] ?? [] } ?? ((scores[.nearMiss] ?? []) + (scores[.foreign] ?? [])).sorted()
    guard let answerable = scores[.answerable], !others.isEmpty else { return nil }
    var wins = 0.0
    for score in answerable {
      let below = Self.count(of: others, below: score)
      let ties = Self.count(of: others, below: score.nextUp) - below
      wins += Double(below) + Double(ties) / 2
    }
    return wins / (Double(answerable.count) * Double(others.count))
  }

  /// What a threshold does.
  public func point(at threshold: Double) -> Point {
    func share(_ kind: RefusalSample.Kind) -> Double? {
      scores[kind].map { Double(Self.count(of: $0, below: threshold)) / Double($0.count) }
    }
    return Point(
      threshold: threshold, answerable: share(.answerable) ?? 0, nearMisses: share(.nearMiss),
      foreign: share(.foreign))
  }

  /// The highest threshold that refuses at most `share` of the answerable questions, half-way down to the next score
  /// so that it does not hang on one question's last digit; 0 without answerable questions.
  public func threshold(refusingAtMost share: Double) -> Double {
    guard let answerable = scores[.answerable] else { return 0 }
    let allowed = Int((share * Double(answerable.count)).rounded(.down))
    guard allowed < answerable.count else { return 1 }
    let kept = answerable[allowed]
    let next = scores.values.compactMap { values in
      let below = Self.count(of: values, below: kept)
      return below > 0 ? values[below - 1] : nil
    }.max()
    return ((next ?? 0) + kept) / 2
  }

  /// The number of sorted values below `limit`.
  private static func count(of sorted: [Double], below limit: Double) -> Int {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < limit { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
