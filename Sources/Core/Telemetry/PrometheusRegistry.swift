import Concurrency
public import Core

/// Metric points gathered for Prometheus, which asks for them: counters for counts, histograms for everything else.
///
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4) and
/// https://prometheus.io/docs/practices/naming/
public final class PrometheusRegistry: MetricExporter {
  /// `prometheus`.
  public let name = "prometheus"

  private struct Series: Hashable, Comparable {
    var labels: [String]
    static func < (left: Series, right: Series) -> Bool { left.labels.lexicographicallyPrecedes(right.labels) }
  }

  private struct Histogram {
    var counts: [Int]
    var sum = 0.0
    var count = 0
  }

  private enum Family {
    case counter([Series: Double])
    case histogram(bounds: [Double], [Series: Histogram])
  }

  private let prefix: String
  private let families = Locked<[String: Family]>([:])
  /// Series of one family; a label that grows without end must not fill the memory.
  private let seriesLimit: Int

  /// Creates a registry.
  /// - Parameter prefix: Put before every name, with an underscore.
  public init(prefix: String = "quarry", seriesLimit: Int = 1_000) {
    self.prefix = prefix
    self.seriesLimit = seriesLimit
  }

  /// Takes points; never throws.
  public func export(_ points: [MetricPoint]) async throws {
    families.withLock { families in
      for point in points where point.value.isFinite { add(point, to: &families) }
    }
  }

  private func add(_ point: MetricPoint, to families: inout [String: Family]) {
    let series = Series(
      labels: point.dimensions.sorted { $0.key < $1.key }.map { "\(Self.word($0.key))=\"\(Self.escaped($0.value))\"" })
    let definition = MetricDefinition.named(point.name)
    let name = familyName(point, isSum: definition?.isSum ?? (point.unit == .count))
    let family = definition?.isSum == true ? .counter([:]) : Self.family(of: point.unit)
    switch families[name] ?? family {
    case .counter(var values):
      guard values[series] != nil || values.count < seriesLimit else { return }
      values[series, default: 0] += max(0, point.value)
      families[name] = .counter(values)
    case .histogram(let bounds, var values):
      guard values[series] != nil || values.count < seriesLimit else { return }
      var histogram = values[series] ?? Histogram(counts: [Int](repeating: 0, count: bounds.count))
      if let index = bounds.firstIndex(where: { point.value <= $0 }) { histogram.counts[index] += 1 }
      histogram.sum += point.value
      histogram.count += 1
      values[series] = histogram
      families[name] = .histogram(bounds: bounds, values)
    }
  }

  private func familyName(_ point: MetricPoint, isSum: Bool) -> String {
    let name = "\(prefix)_\(Self.word(point.name))"
    if isSum { return name.hasSuffix("_total") ? name : name + "_total" }
    switch point.unit {
    case .count: return name
    case .seconds: return name.hasSuffix("_seconds") ? name : name + "_seconds"
    case .bytes: return name.hasSuffix("_bytes") ? name : name + "_bytes"
    case .none: return name
    }
  }

  private static func family(of unit: MetricUnit) -> Family {
    switch unit {
    case .count: .counter([:])
    case .seconds:
      .histogram(bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60], [:])
    case .bytes: .histogram(bounds: (10...30).map { Double(1 << $0) }, [:])
    case .none: .histogram(bounds: (0...20).map { Double($0) / 20 }, [:])
    }
  }

  /// All metrics in the text format, with the gauges given.
  /// - Parameter gauges: What is asked for at this moment: name, help and value.
  public func text(gauges: [(name: String, help: String, value: Double)] = []) -> String {
    let families = families.withLock { $0 }
    var text = ""
    for (name, family) in families.sorted(by: { $0.key < $1.key }) {
      let help = Self.help(name, prefix: prefix)
      switch family {
      case .counter(let values):
        text += "# HELP \(name) \(help)\n# TYPE \(name) counter\n"
        for (series, value) in values.sorted(by: { $0.key < $1.key }) {
          text += "\(name)\(Self.braces(series.labels)) \(value)\n"
        }
      case .histogram(let bounds, let values):
        text += "# HELP \(name) \(help)\n# TYPE \(name) histogram\n"
        for (series, histogram) in values.sorted(by: { $0.key < $1.key }) {
          var sum = 0
          for (bound, count) in zip(bounds, histogram.counts) {
            sum += count
            text += "\(name)_bucket\(Self.braces(series.labels + ["le=\"\(bound)\""])) \(sum)\n"
          }
          text += "\(name)_bucket\(Self.braces(series.labels + ["le=\"+Inf\""])) \(histogram.count)\n"
          text += "\(name)_sum\(Self.braces(series.labels)) \(histogram.sum)\n"
          text += "\(name)_count\(Self.braces(series.labels)) \(histogram.count)\n"
        }
      }
    }
    for gauge in gauges {
      let name = "\(prefix)_\(gauge.name)"
      text += "# HELP \(name) \(gauge.help)\n# TYPE \(name) gauge\n\(name) \(gauge.value)\n"
    }
    return text
  }

  private static func help(_ family: String, prefix: String) -> String {
    let name = String(family.dropFirst(prefix.count + 1))
    let endings = ["", "_total", "_seconds", "_bytes"].filter { name.hasSuffix($0) }
    if let known = endings.lazy.compactMap({ MetricDefinition.named(String(name.dropLast($0.count))) }).first {
      return "\(known.help) See docs/metrics.md."
    }
    return "Quarry's metric \(name.split(separator: "_").joined(separator: " "))."
  }

  private static func braces(_ labels: [String]) -> String {
    labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
  }

  private static func word(_ text: String) -> String {
    String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
    return result
  }
}
