public import Core
import FoundationEssentials

/// Metric points as CloudWatch's embedded metric format, one JSON object a line, for whatever collects the output of the
/// process: no call of CloudWatch is made.
///
/// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
public struct EmbeddedMetricExporter: MetricExporter {
  /// `emf`.
  public let name = "emf"
  private let namespace: String
  private let write: @Sendable (String) -> Void

  /// Creates an exporter.
  /// - Parameter write: Takes one line, without its end.
  public init(namespace: String = "rag", write: @escaping @Sendable (String) -> Void) {
    self.namespace = namespace
    self.write = write
  }

  private struct Series: Hashable {
    var name: String
    var unit: MetricUnit
    var milliseconds: Int
    var dimensions: [String: String]
    var isHighResolution: Bool
  }

  /// A metric's values of one moment are one line, at most 100 each.
  static let valuesPerLine = 100

  /// Writes points.
  public func export(_ points: [MetricPoint]) async throws {
    var order: [Series] = []
    var values: [Series: [Double]] = [:]
    for point in points where point.value.isFinite {
      let series = Series(
        name: point.name, unit: point.unit, milliseconds: Int(point.time.timeIntervalSince1970 * 1_000),
        dimensions: point.dimensions, isHighResolution: point.isHighResolution)
      if values[series] == nil { order.append(series) }
      values[series, default: []].append(point.value)
    }
    for series in order {
      let all = values[series] ?? []
      for start in stride(from: 0, to: all.count, by: Self.valuesPerLine) {
        write(line(series, Array(all[start..<min(start + Self.valuesPerLine, all.count)])))
      }
    }
  }

  private func line(_ series: Series, _ values: [Double]) -> String {
    let names = series.dimensions.keys.sorted()
    let dimensions = names.map(Self.quoted).joined(separator: ",")
    var text = "{\"_aws\":{\"Timestamp\":\(series.milliseconds),\"CloudWatchMetrics\":[{\"Namespace\":"
    text += Self.quoted(namespace) + ",\"Dimensions\":[[\(dimensions)]],\"Metrics\":[{\"Name\":"
    text += Self.quoted(series.name) + ",\"Unit\":" + Self.quoted(series.unit.rawValue)
    text += ",\"StorageResolution\":\(series.isHighResolution ? 1 : 60)}]}]}"
    for name in names { text += "," + Self.quoted(name) + ":" + Self.quoted(series.dimensions[name] ?? "") }
    let list = values.map { "\($0)" }.joined(separator: ",")
    return text + "," + Self.quoted(series.name) + ":" + (values.count == 1 ? list : "[\(list)]") + "}"
  }

  private static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}
