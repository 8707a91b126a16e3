import Answering

extension RefusalReport {
  /// The report as aligned lines, the model in the form of its source.
  public var text: String {
    func count(_ kind: RefusalSample.Kind) -> String { String(counts[kind] ?? 0) }
    var lines = [
      "\(count(.answerable)) answerable questions, \(count(.nearMiss)) near misses, \(count(.foreign)) of other "
        + "libraries; all figures out of fold", "",
    ]
    lines += TextTable.lines(
      [["area under the ROC curve", "near misses", "", "other libraries", "", "both", ""]]
        + [row("model", outOfFold.areas)]
        + zip(RelevanceFeatures.names, featureRates).map { row("  \($0.0) alone", $0.1) }, left: [0])
    lines += [""]
    lines += TextTable.lines(
      [["threshold", "refused answerable", "near misses", "other libraries"]]
        + points.map {
          [$0.threshold.fixed(3), $0.answerable.fixed(3), $0.nearMisses.threeDigits, $0.foreign.threeDigits]
        }, left: [])
    lines += [
      "", "rule: the highest threshold that refuses at most \(limit.fixed(2)) of the answerable questions",
      "threshold \(threshold.fixed(3)); with the threshold taken from the other folds it refuses",
    ]
    lines += TextTable.lines(
      [
        ["  answerable", outOfFold.answerable.value.threeDigits, outOfFold.answerable.interval],
        ["  near misses", outOfFold.nearMisses.value.threeDigits, outOfFold.nearMisses.interval],
        ["  other libraries", outOfFold.foreign.value.threeDigits, outOfFold.foreign.interval],
      ], left: [0])
    for transfer in transfers {
      lines += ["", "\(transfer.library), by the model and threshold (\(transfer.threshold.fixed(3))) of the others"]
      let rates = transfer.rates
      lines += TextTable.lines(
        [
          ["", "near misses", "", "other libraries", "", "answerable", ""],
          [
            "  area", rates.areas.nearMisses.value.threeDigits, rates.areas.nearMisses.interval,
            rates.areas.foreign.value.threeDigits, rates.areas.foreign.interval, "", "",
          ],
          [
            "  refused", rates.nearMisses.value.threeDigits, rates.nearMisses.interval,
            rates.foreign.value.threeDigits, rates.foreign.interval, rates.answerable.value.threeDigits,
            rates.answerable.interval,
          ],
        ], left: [0])
    }
    let weights = model.weights.map { $0.fixed(3).replacing("−", with: "-") }.joined(separator: ", ")
    lines += [
      "", "RelevanceModel(bias: \(model.bias.fixed(3).replacing("−", with: "-")), weights: [\(weights)])",
      "  features: \(RelevanceFeatures.names.joined(separator: ", "))", "",
    ]
    return lines.joined(separator: "\n")
  }

  private func row(_ name: String, _ areas: Areas) -> [String] {
    [name] + [areas.nearMisses, areas.foreign, areas.all].flatMap { [$0.value.threeDigits, $0.interval] }
  }
}

extension RefusalReport: Encodable {
  private enum Key: String, CodingKey {
    case answerable, foreign, area, features, roc, threshold, limit, bias, weights, libraries, name, all, refused
    case nearMisses = "near_misses"
    case outOfFold = "out_of_fold"
  }

  /// Writes everything, the curve by its points.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(counts[.answerable] ?? 0, forKey: .answerable)
    try container.encode(counts[.nearMiss] ?? 0, forKey: .nearMisses)
    try container.encode(counts[.foreign] ?? 0, forKey: .foreign)
    try container.encode(threshold, forKey: .threshold)
    try container.encode(limit, forKey: .limit)
    try container.encode(model.bias, forKey: .bias)
    try container.encode(model.weights, forKey: .weights)
    try container.encode(points, forKey: .roc)
    var fitted = container.nestedContainer(keyedBy: Key.self, forKey: .outOfFold)
    try Self.encode(outOfFold, into: &fitted)
    var features = container.nestedUnkeyedContainer(forKey: .features)
    for (name, areas) in zip(RelevanceFeatures.names, featureRates) {
      var one = features.nestedContainer(keyedBy: Key.self)
      try one.encode(name, forKey: .name)
      var area = one.nestedContainer(keyedBy: Key.self, forKey: .area)
      try Self.encode(areas, into: &area)
    }
    var libraries = container.nestedUnkeyedContainer(forKey: .libraries)
    for transfer in transfers {
      var one = libraries.nestedContainer(keyedBy: Key.self)
      try one.encode(transfer.library, forKey: .name)
      try one.encode(transfer.threshold, forKey: .threshold)
      try Self.encode(transfer.rates, into: &one)
    }
  }

  private static func encode(_ rates: Rates, into container: inout KeyedEncodingContainer<Key>) throws {
    var area = container.nestedContainer(keyedBy: Key.self, forKey: .area)
    try encode(rates.areas, into: &area)
    var refused = container.nestedContainer(keyedBy: Key.self, forKey: .refused)
    try refused.encode(rates.answerable, forKey: .answerable)
    try refused.encode(rates.nearMisses, forKey: .nearMisses)
    try refused.encode(rates.foreign, forKey: .foreign)
  }

  private static func encode(_ areas: Areas, into container: inout KeyedEncodingContainer<Key>) throws {
    try container.encode(areas.all, forKey: .all)
    try container.encode(areas.nearMisses, forKey: .nearMisses)
    try container.encode(areas.foreign, forKey: .foreign)
  }
}
