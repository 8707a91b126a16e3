public import Answering

/// A fitted refusal model with what it does on questions that it was not fitted to.
public struct RefusalReport: Sendable {
  /// Areas under the ROC curve of answerable questions against others.
  public struct Areas: Sendable, Hashable {
    /// Against all others.
    public var all: Measure
    /// Against near misses.
    public var nearMisses: Measure
    /// Against foreign questions.
    public var foreign: Measure

    init(_ scores: [Double], _ samples: [RefusalSample], _ bootstrap: Bootstrap) {
      let kinds = samples.map(\.kind)
      func area(_ kind: RefusalSample.Kind?) -> Measure {
        let value = ReceiverOperating(scores: scores, kinds: kinds).area(against: kind)
        guard value != nil else { return Measure(value: nil, low: nil, high: nil) }
        let interval = bootstrap.interval(count: scores.count) { picks in
          ReceiverOperating(scores: picks.map { scores[$0] }, kinds: picks.map { kinds[$0] }).area(against: kind)
        }
        return Measure(value: value, low: interval?.low, high: interval?.high)
      }
      all = area(nil)
      nearMisses = area(.nearMiss)
      foreign = area(.foreign)
    }
  }

  /// Areas under the curve, and shares of questions refused under a rule.
  public struct Rates: Sendable, Hashable {
    /// Areas under the ROC curve.
    public var areas: Areas
    /// The share of answerable questions refused.
    public var answerable: Measure
    /// The share of near misses refused.
    public var nearMisses: Measure
    /// The share of foreign questions refused.
    public var foreign: Measure

    init(_ scores: [Double], _ refused: [Bool], _ samples: [RefusalSample], _ bootstrap: Bootstrap) {
      func rate(_ kind: RefusalSample.Kind) -> Measure {
        bootstrap.mean(of: zip(refused, samples).filter { $0.1.kind == kind }.map { $0.0 ? 1 : 0 })
      }
      areas = Areas(scores, samples, bootstrap)
      answerable = rate(.answerable)
      nearMisses = rate(.nearMiss)
      foreign = rate(.foreign)
    }
  }

  /// What model and threshold of the other libraries do on one.
  public struct Transfer: Sendable, Hashable {
    /// The library left out.
    public var library: String
    /// The threshold that the rule gives on the others.
    public var threshold: Double
    /// What they do.
    public var rates: Rates
  }

  /// Samples by kind.
  public var counts: [RefusalSample.Kind: Int]
  /// Out-of-fold areas; and the shares refused when in each fold the threshold comes from the other folds.
  public var outOfFold: Rates
  /// The areas of each feature by itself, in the order of `RelevanceFeatures.names`.
  public var featureRates: [Areas]
  /// The out-of-fold ROC curve.
  public var curve: ReceiverOperating
  /// The threshold of the rule on the out-of-fold scores, to be used with ``model``.
  public var threshold: Double
  /// The rule: the highest threshold that refuses at most this share of answerable questions.
  public var limit: Double
  /// The model fitted to all samples.
  public var model: RelevanceModel
  /// Each library measured by the model of the others; empty with one library.
  public var transfers: [Transfer]

  /// The curve at the thresholds that refuse at most 0, 1, 2, 5, 10, 15, 20, 30, 40 and 50 % of answerable questions.
  public var points: [ReceiverOperating.Point] {
    [0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5].map { curve.point(at: curve.threshold(refusingAtMost: $0)) }
  }
}
