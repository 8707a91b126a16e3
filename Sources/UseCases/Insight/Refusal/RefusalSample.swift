/// A question with what was measured of it when it was asked of one library.
public struct RefusalSample: Sendable, Hashable {
  /// How a question relates to the library that it is asked of.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The library answers it.
    case answerable
    /// The library does not answer it, but is about its subject.
    case nearMiss
    /// The question is about another library.
    case foreign
  }

  /// The library asked: the name of the question set that is about it.
  public var library: String
  /// The set that the question comes from.
  public var set: String
  /// The question's id in its set.
  public var id: String
  /// Its features, in the order of `RelevanceFeatures.names`.
  public var features: [Double]
  /// How the question relates to the library.
  public var kind: Kind

  /// Creates a sample.
  public init(library: String, set: String, id: String, features: [Double], kind: Kind) {
    self.library = library
    self.set = set
    self.id = id
    self.features = features
    self.kind = kind
  }
}

/// Samples as the fit takes them.
struct RefusalData {
  let samples: [RefusalSample]
  let labels: [Bool]
  let features: [[Double]]

  init(_ samples: [RefusalSample]) {
    self.samples = samples
    labels = samples.map { $0.kind == .answerable }
    features = samples.map(\.features)
  }

  func filter(_ isKept: (RefusalSample) -> Bool) -> RefusalData { RefusalData(samples.filter(isKept)) }

  /// What each sample counts: foreign questions together as much as near misses, which are rarer and matter more.
  var importance: [Double] {
    let near = Double(samples.count { $0.kind == .nearMiss })
    let foreign = Double(samples.count { $0.kind == .foreign })
    let share = near > 0 && foreign > near ? near / foreign : 1
    return samples.map { $0.kind == .foreign ? share : 1 }
  }

  /// The model of all samples; nil when only one label occurs.
  func fit(penalty: Double) -> LogisticRegression? {
    guard labels.contains(true), labels.contains(false) else { return nil }
    return LogisticRegression(
      features: features, labels: labels, importance: importance, penalty: penalty, allowsNegative: false)
  }

  /// The fold, 0 to `folds` − 1, of each sample: each has the same share of each kind, and a question asked of
  /// several libraries is in one fold. Equal seeds give equal folds.
  func folds(_ folds: Int, seed: UInt64) -> [Int] {
    var generator = SplitMix64(seed: seed)
    var assignment: [[String]: Int] = [:]
    var next = 0
    for kind in RefusalSample.Kind.allCases {
      for sample in samples.filter({ $0.kind == kind }).shuffled(using: &generator)
      where assignment[[sample.set, sample.id]] == nil {
        assignment[[sample.set, sample.id]] = next % folds
        next += 1
      }
    }
    return samples.map { assignment[[$0.set, $0.id]] ?? 0 }
  }

  /// The probability of each sample under the model fitted to the other folds; 0.5 where there is none.
  func outOfFold(_ folds: [Int], penalty: Double) -> [Double] {
    var result = [Double](repeating: 0.5, count: samples.count)
    for fold in Set(folds) {
      let training = RefusalData(zip(samples, folds).filter { $0.1 != fold }.map(\.0))
      guard let model = training.fit(penalty: penalty) else { continue }
      for place in samples.indices where folds[place] == fold { result[place] = model.probability(features[place]) }
    }
    return result
  }
}
