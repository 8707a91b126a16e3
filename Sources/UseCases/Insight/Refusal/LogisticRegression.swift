import Glibc

/// Logistic regression with an L2 penalty, fitted by Newton's method (iteratively reweighted least squares).
/// Source: Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd ed., §4.4.1 and §18.3.2.
public struct LogisticRegression: Sendable, Hashable {
  /// The constant term.
  public var bias: Double
  /// One weight for each feature, on the features' own scale.
  public var weights: [Double]

  /// Fits the log-odds of `labels` as a linear function of `features`.
  ///
  /// Features are standardised inside, so that the penalty means the same for each; a feature that never varies
  /// gets weight 0. The constant term is not penalised.
  /// - Parameters:
  ///   - features: One row for each sample, all of the same length.
  ///   - labels: Whether each sample is positive; both kinds must occur.
  ///   - importance: What each sample counts, above 0; nil for 1 each.
  ///   - penalty: λ of the penalty λ/2 · ‖w‖² on the standardised weights, above 0.
  ///   - allowsNegative: When false, the feature with the most negative weight is left out and the fit made again,
  ///     until no weight is negative: features that are known to speak for a positive label then never speak
  ///     against it because of an accident of the samples.
  public init(
    features: [[Double]], labels: [Bool], importance: [Double]? = nil, penalty: Double = 1,
    allowsNegative: Bool = true
  ) {
    precondition(features.count == labels.count && !features.isEmpty && penalty > 0)
    let importance = importance ?? [Double](repeating: 1, count: labels.count)
    let width = features[0].count
    let count = Double(features.count)
    var means = [Double](repeating: 0, count: width)
    var deviations = [Double](repeating: 0, count: width)
    for column in 0..<width {
      means[column] = features.reduce(0) { $0 + $1[column] } / count
      let variance = features.reduce(0) { $0 + ($1[column] - means[column]) * ($1[column] - means[column]) } / count
      deviations[column] = variance.squareRoot()
    }
    // The first column is the constant term.
    var rows = features.map { row in
      [1] + (0..<width).map { deviations[$0] > 1e-12 ? (row[$0] - means[$0]) / deviations[$0] : 0 }
    }
    var standard = Self.newton(rows: rows, labels: labels, importance: importance, penalty: penalty)
    while !allowsNegative, let worst = (1...width).min(by: { standard[$0] < standard[$1] }), standard[worst] < -1e-9 {
      for place in rows.indices { rows[place][worst] = 0 }
      standard = Self.newton(rows: rows, labels: labels, importance: importance, penalty: penalty)
    }
    weights = (0..<width).map { deviations[$0] > 1e-12 ? standard[$0 + 1] / deviations[$0] : 0 }
    bias = standard[0]
    for column in 0..<width { bias -= weights[column] * means[column] }
  }

  /// The probability, 0 to 1, that a sample is positive.
  public func probability(_ features: [Double]) -> Double {
    var sum = bias
    for (weight, value) in zip(weights, features) { sum += weight * value }
    return Self.sigmoid(sum)
  }

  private static func sigmoid(_ value: Double) -> Double { 1 / (1 + exp(-value)) }

  private static func newton(
    rows: [[Double]], labels: [Bool], importance: [Double], penalty: Double
  ) -> [Double] {
    let width = rows[0].count
    var solution = [Double](repeating: 0, count: width)
    for _ in 0..<100 {
      var gradient = [Double](repeating: 0, count: width)
      var curvature = [[Double]](repeating: [Double](repeating: 0, count: width), count: width)
      for (place, row) in rows.enumerated() {
        var sum = 0.0
        for column in 0..<width { sum += solution[column] * row[column] }
        let probability = sigmoid(sum)
        let weight = max(probability * (1 - probability), 1e-9) * importance[place]
        let slope = ((labels[place] ? 1 : 0) - probability) * importance[place]
        for i in 0..<width {
          gradient[i] += slope * row[i]
          for j in 0...i { curvature[i][j] += weight * row[i] * row[j] }
        }
      }
      for i in 1..<width {
        gradient[i] -= penalty * solution[i]
        curvature[i][i] += penalty
      }
      let step = solve(lower: curvature, gradient)
      // A full step may overshoot far from the solution: it is kept within reach.
      let largest = step.map(\.magnitude).max() ?? 0
      let scale = largest > 5 ? 5 / largest : 1
      for i in 0..<width { solution[i] += scale * step[i] }
      if largest < 1e-10 { break }
    }
    return solution
  }

  /// Solves a symmetric positive definite system, given its lower triangle, by Cholesky's factorisation.
  private static func solve(lower matrix: [[Double]], _ right: [Double]) -> [Double] {
    var factor = matrix
    let width = right.count
    for i in 0..<width {
      for j in 0...i {
        var sum = factor[i][j]
        for k in 0..<j { sum -= factor[i][k] * factor[j][k] }
        factor[i][j] = i == j ? max(sum, 1e-12).squareRoot() : sum / factor[j][j]
      }
    }
    var result = right
    for i in 0..<width {
      for k in 0..<i { result[i] -= factor[i][k] * result[k] }
      result[i] /= factor[i][i]
    }
    for i in (0..<width).reversed() {
      for k in (i + 1)..<max(width, i + 1) { result[i] -= factor[k][i] * result[k] }
      result[i] /= factor[i][i]
    }
    return result
  }
}
