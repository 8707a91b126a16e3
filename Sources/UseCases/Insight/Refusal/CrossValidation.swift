/// Splits samples into folds that each have the same share of positive ones.
enum StratifiedFolds {
  /// The fold, 0 to `folds` − 1, of each sample; equal seeds give equal folds.
  static func assign(_ labels: [Bool], folds: Int, seed: UInt64) -> [Int] {
    var generator = SplitMix64(seed: seed)
    var assignment = [Int](repeating: 0, count: labels.count)
    var next = 0
    for label in [true, false] {
      for place in labels.indices.filter({ labels[$0] == label }).shuffled(using: &generator) {
        assignment[place] = next % folds
        next += 1
      }
    }
    return assignment
  }
}

/// Scores of samples by models that did not see them.
enum CrossValidation {
  /// The probability of each sample under the model fitted to the other folds; a fold without both labels outside
  /// it gives 0.5.
  static func probabilities(
    features: [[Double]], labels: [Bool], folds assignment: [Int], penalty: Double
  ) -> [Double] {
    var result = [Double](repeating: 0.5, count: labels.count)
    for fold in Set(assignment) {
      let training = labels.indices.filter { assignment[$0] != fold }
      guard let model = fit(features, labels, training, penalty: penalty) else { continue }
      for place in labels.indices where assignment[place] == fold { result[place] = model.probability(features[place]) }
    }
    return result
  }

  /// The model of some of the samples; nil when only one label occurs among them.
  static func fit(
    _ features: [[Double]], _ labels: [Bool], _ places: [Int], penalty: Double
  ) -> LogisticRegression? {
    let chosen = places.map { labels[$0] }
    guard chosen.contains(true), chosen.contains(false) else { return nil }
    return LogisticRegression(features: places.map { features[$0] }, labels: chosen, penalty: penalty)
  }
}
