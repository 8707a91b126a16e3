public import Answering

/// A fitted refusal model with what it does on questions that it was not fitted to.
public struct RefusalReport: Sendable {
  /// What the model and threshold of the other sets do on one set.
  public struct Transfer: Sendable {
    /// The set left out.
    public var set: String
    /// The area under its ROC curve.
    public var area: Measure
    /// The threshold that the rule gives on the other sets.
    public var threshold: Double
    /// The share of the set's unanswerable questions refused.
    public var refusedUnanswerable: Measure
    /// The share of the set's answerable questions refused.
    public var refusedAnswerable: Measure
  }

  /// Answerable questions.
  public var answerable: Int
  /// Unanswerable questions.
  public var unanswerable: Int
  /// The area under the out-of-fold ROC curve.
  public var area: Measure
  /// The area of each feature by itself, by name.
  public var featureAreas: [(name: String, area: Measure)]
  /// The out-of-fold ROC curve.
  public var curve: ReceiverOperating
  /// The threshold of the rule on the out-of-fold scores, to be used with ``model``.
  public var threshold: Double
  /// The rule: the highest threshold that refuses at most this share of answerable questions.
  public var limit: Double
  /// The share of unanswerable questions refused when in each fold the threshold comes from the other folds.
  public var refusedUnanswerable: Measure
  /// The share of answerable questions refused in the same way.
  public var refusedAnswerable: Measure
  /// The model fitted to all samples.
  public var model: RelevanceModel
  /// Each set measured by the model of the others; empty with one set.
  public var transfers: [Transfer]

  /// The curve at the thresholds that refuse at most 0, 1, 2, 5, 10, 15, 20, 30, 40 and 50 % of answerable questions.
  public var points: [ReceiverOperating.Point] {
    [0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5].map { curve.point(at: curve.threshold(refusingAtMost: $0)) }
  }

  /// The report as aligned lines, the model in the form of its source.
  public var text: String {
    var lines = [
      "\(answerable) answerable and \(unanswerable) unanswerable questions, all figures out of fold",
      "", "area under the ROC curve  \(area.value.threeDigits)  (95 % interval \(area.interval))",
    ]
    lines += TextTable.lines(
      featureAreas.map { ["  \($0.name) alone", $0.area.value.threeDigits, "(\($0.area.interval))"] }, left: [0])
    lines.append("")
    lines += TextTable.lines(
      [["threshold", "refused unanswerable", "refused answerable"]]
        + points.map { [$0.threshold.fixed(3), $0.refusedUnanswerable.fixed(3), $0.refusedAnswerable.fixed(3)] },
      left: [])
    lines += [
      "", "rule: the highest threshold that refuses at most \(limit.fixed(2)) of the answerable questions",
      "threshold \(threshold.fixed(3)); with the threshold taken from the other folds it refuses",
      "  unanswerable  \(refusedUnanswerable.value.threeDigits)  (\(refusedUnanswerable.interval))",
      "  answerable    \(refusedAnswerable.value.threeDigits)  (\(refusedAnswerable.interval))",
    ]
    if !transfers.isEmpty {
      lines += ["", "each set by the model and threshold of the others"]
      lines += TextTable.lines(
        [["set", "area", "", "threshold", "refused unanswerable", "", "refused answerable", ""]]
          + transfers.map { transfer in
            [
              transfer.set, transfer.area.value.threeDigits, transfer.area.interval, transfer.threshold.fixed(3),
              transfer.refusedUnanswerable.value.threeDigits, transfer.refusedUnanswerable.interval,
              transfer.refusedAnswerable.value.threeDigits, transfer.refusedAnswerable.interval,
            ]
          }, left: [0])
    }
    let weights = model.weights.map { $0.fixed(3).replacing("−", with: "-") }.joined(separator: ", ")
    lines += [
      "", "RelevanceModel(bias: \(model.bias.fixed(3).replacing("−", with: "-")), weights: [\(weights)])",
      "  features: \(RelevanceFeatures.names.joined(separator: ", "))", "",
    ]
    return lines.joined(separator: "\n")
  }
}

extension RefusalReport: Encodable {
  private enum Key: String, CodingKey {
    case answerable, unanswerable, area, features, roc, threshold, limit, bias, weights, sets, name
    case refusedUnanswerable = "refused_unanswerable"
    case refusedAnswerable = "refused_answerable"
  }

  /// Writes everything, the curve by its points.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(answerable, forKey: .answerable)
    try container.encode(unanswerable, forKey: .unanswerable)
    try container.encode(area, forKey: .area)
    var features = container.nestedUnkeyedContainer(forKey: .features)
    for (place, feature) in featureAreas.enumerated() {
      var one = features.nestedContainer(keyedBy: Key.self)
      try one.encode(feature.name, forKey: .name)
      try one.encode(feature.area, forKey: .area)
      try one.encode([model.weights[place]], forKey: .weights)
    }
    try container.encode(points, forKey: .roc)
    try container.encode(threshold, forKey: .threshold)
    try container.encode(limit, forKey: .limit)
    try container.encode(refusedUnanswerable, forKey: .refusedUnanswerable)
    try container.encode(refusedAnswerable, forKey: .refusedAnswerable)
    try container.encode(model.bias, forKey: .bias)
    try container.encode(model.weights, forKey: .weights)
    var sets = container.nestedUnkeyedContainer(forKey: .sets)
    for transfer in transfers {
      var one = sets.nestedContainer(keyedBy: Key.self)
      try one.encode(transfer.set, forKey: .name)
      try one.encode(transfer.area, forKey: .area)
      try one.encode(transfer.threshold, forKey: .threshold)
      try one.encode(transfer.refusedUnanswerable, forKey: .refusedUnanswerable)
      try one.encode(transfer.refusedAnswerable, forKey: .refusedAnswerable)
    }
  }
}
