import Core
/// A value that a measure must reach, such as `page_hit@5=.8`.
public struct MetricFloor: Sendable, Hashable, CustomStringConvertible {
  /// The names that can be bounded: the keys of the report.
  public static let names = [
    "page_hit@1", "page_hit@5", "page_hit@10", "mrr", "ndcg@10", "refused_unanswerable", "refused_answerable",
  ]

  /// The measure.
  public let name: String
  /// The least value that passes, 0 to 1.
  public let value: Double

  /// Reads `name=value`.
  /// - Throws: ``InsightError`` `evaluate.floor` for an unknown name or a value that is not 0 to 1.
  public init(parsing text: String) throws(InsightError) {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
      .map { String($0).split(whereSeparator: \.isWhitespace).joined() }
    guard parts.count == 2, Self.names.contains(parts[0]) else {
      throw InsightError(
        code: "evaluate.floor", category: .invalidConfiguration, message: "'\(text)' is not MEASURE=VALUE",
        remedy: "Use one of \(Self.names.joined(separator: ", ")), such as page_hit@5=.8.")
    }
    guard let value = Double(parts[1].hasPrefix(".") ? "0" + parts[1] : parts[1]), (0...1).contains(value) else {
      throw InsightError(
        code: "evaluate.floor", category: .invalidConfiguration,
        message: "'\(parts[1])' in '\(text)' is not a number from 0 to 1", remedy: "Write it as .8 or 0.8.")
    }
    name = parts[0]
    self.value = value
  }

  /// `name=value`.
  public var description: String { "\(name)=\(value)" }

  /// Why `report`, or a set of it, does not reach the value: one sentence for each; empty when all do.
  public func failures(in report: RetrievalReport) -> [String] {
    (report.sets.isEmpty ? [report] : report.sets).compactMap { set in
      let measure = set.measures.named.first { $0.name == name }?.measure
      guard let reached = measure?.value else { return "\(set.name): \(name) could not be measured" }
      return reached >= value ? nil : "\(set.name): \(name) is \(reached.fixed(4)), below \(value)"
    }
  }
}
