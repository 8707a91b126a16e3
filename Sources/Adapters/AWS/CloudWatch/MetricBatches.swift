import AWSSigning
import Core
import FoundationEssentials

/// Metric points as the fewest `PutMetricData` calls that the service takes: equal series of one second (or minute) are
/// one datum with values and how often each came.
///
/// Limits: 1,000 data a call, 150 different values a datum, 30 dimensions, 1 MB a call. Source:
/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
struct MetricBatches {
  private struct Series: Hashable {
    var name: String
    var unit: MetricUnit
    var time: Int
    var dimensions: [String: String]
    var isHighResolution: Bool
  }

  static let dataPerCall = 1_000
  static let valuesPerDatum = 150
  static let bytesPerCall = 900_000
  static let dimensionsPerDatum = 30

  /// Form bodies, in order of first appearance. Points that the service would refuse are left out: values that are no
  /// numbers or beyond ±2^360, and times more than two weeks back or two hours ahead.
  static func bodies(_ points: [MetricPoint], namespace: String, now: Date) -> [[UInt8]] {
    var order: [Series] = []
    var counts: [Series: [Double: Int]] = [:]
    for point in points {
      let age = now.timeIntervalSince(point.time)
      guard point.value.isFinite, abs(point.value) < 0x1p360, age < 14 * 86_400 - 60, age > -7_200 else { continue }
      let seconds = Int(point.time.timeIntervalSince1970)
      let kept = point.dimensions.filter { !$0.key.isEmpty && !$0.value.isEmpty }.sorted { $0.key < $1.key }
      let series = Series(
        name: point.name, unit: point.unit, time: point.isHighResolution ? seconds : seconds / 60 * 60,
        dimensions: Dictionary(uniqueKeysWithValues: kept.prefix(dimensionsPerDatum).map { ($0.key, $0.value) }),
        isHighResolution: point.isHighResolution)
      if counts[series] == nil { order.append(series) }
      counts[series, default: [:]][point.value, default: 0] += 1
    }
    var bodies: [[UInt8]] = []
    var body = Body(namespace: namespace)
    for series in order {
      let values = (counts[series] ?? [:]).sorted { $0.key < $1.key }
      for start in stride(from: 0, to: values.count, by: valuesPerDatum) {
        if body.isFull {
          bodies.append(body.bytes)
          body = Body(namespace: namespace)
        }
        body.add(values[start..<min(start + valuesPerDatum, values.count)], of: series)
      }
    }
    if body.data > 0 { bodies.append(body.bytes) }
    return bodies
  }

  /// One call's form.
  private struct Body {
    private(set) var bytes: [UInt8]
    private(set) var data = 0

    init(namespace: String) {
      bytes = Array("Action=PutMetricData&Version=2010-08-01&Namespace=\(URIEncoding.component(namespace))".utf8)
    }

    /// A datum of 150 values takes at most about 16 KB.
    var isFull: Bool { data >= MetricBatches.dataPerCall || bytes.count > MetricBatches.bytesPerCall }

    mutating func add(_ values: ArraySlice<(key: Double, value: Int)>, of series: Series) {
      data += 1
      let prefix = "&MetricData.member.\(data)."
      func field(_ name: String, _ value: String) -> String { "\(prefix)\(name)=\(URIEncoding.component(value))" }
      var text = field("MetricName", series.name) + field("Unit", series.unit.rawValue)
      text += field("Timestamp", Date(timeIntervalSince1970: Double(series.time)).ISO8601Format())
      text += field("StorageResolution", series.isHighResolution ? "1" : "60")
      for (index, dimension) in series.dimensions.sorted(by: { $0.key < $1.key }).enumerated() {
        text += field("Dimensions.member.\(index + 1).Name", dimension.key)
        text += field("Dimensions.member.\(index + 1).Value", dimension.value)
      }
      for (index, value) in values.enumerated() {
        text +=
          field("Values.member.\(index + 1)", "\(value.key)") + field("Counts.member.\(index + 1)", "\(value.value)")
      }
      bytes += text.utf8
    }
  }
}
