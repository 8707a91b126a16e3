/// How well scores tell answerable questions from unanswerable ones, over all thresholds.
public struct ReceiverOperating: Sendable {
  /// One threshold and what it does: questions whose score is below it are refused.
  public struct Point: Sendable, Hashable, Codable {
    /// The threshold, 0 to 1.
    public var threshold: Double
    /// The share of unanswerable questions refused.
    public var refusedUnanswerable: Double
    /// The share of answerable questions refused.
    public var refusedAnswerable: Double

    private enum CodingKeys: String, CodingKey {
      case threshold
      case refusedUnanswerable = "refused_unanswerable"
      case refusedAnswerable = "refused_answerable"
    }
  }

  private let answerable: [Double]
  private let unanswerable: [Double]

  /// Creates the curve of scores, higher for answerable.
  public init(scores: [Double], labels: [Bool]) {
    precondition(scores.count == labels.count)
    answerable = zip(scores, labels).filter(\.1).map(\.0).sorted()
    unanswerable = zip(scores, labels).filter { !$0.1 }.map(\.0).sorted()
  }

  /// The area under the curve: the chance that an answerable question scores higher than an unanswerable one, a tie
  /// counting half; nil when one kind is missing. Source: Hanley & McNeil (1982), doi:10.1148/radiology.143.1.7063747.
  public var area: Double? {
    guard !answerable.isEmpty, !unanswerable.isEmpty else { return nil }
    var wins = 0.0
    for score in answerable {
      let below = Self.count(of: unanswerable, below: score)
      let ties = Self.count(of: unanswerable, below: score.nextUp) - below
      wins += Double(below) + Double(ties) / 2
    }
    return wins / (Double(answerable.count) * Double(unanswerable.count))
  }

  /// What a threshold does.
  public func point(at threshold: Double) -> Point {
    func share(_ scores: [Double]) -> Double {
      scores.isEmpty ? 0 : Double(Self.count(of: scores, below: threshold)) / Double(scores.count)
    }
    return Point(
      threshold: threshold, refusedUnanswerable: share(unanswerable), refusedAnswerable: share(answerable))
  }

  /// The highest threshold that refuses at most `share` of the answerable questions, half-way to the next score so
  /// that it does not hang on one question's last digit; 0 without answerable questions.
  public func threshold(refusingAtMost share: Double) -> Double {
    guard !answerable.isEmpty else { return 0 }
    let allowed = Int((share * Double(answerable.count)).rounded(.down))
    guard allowed < answerable.count else { return 1 }
    // `allowed` scores lie below the one that must pass; anything above the last of them up to it will do.
    let kept = answerable[allowed]
    let all = Self.count(of: unanswerable, below: kept)
    let below = max(allowed > 0 ? answerable[allowed - 1] : 0, all > 0 ? unanswerable[all - 1] : 0)
    return (below + kept) / 2
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
