public import FoundationEssentials

/// The unit of a metric point. Names as CloudWatch writes them.
/// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
public enum MetricUnit: String, Sendable, Codable {
  /// No unit.
  case none = "None"
  /// A number of things.
  case count = "Count"
  /// Seconds.
  case seconds = "Seconds"
  /// Bytes.
  case bytes = "Bytes"
}

/// One value of one metric.
public struct MetricPoint: Sendable, Hashable {
  /// The metric's name.
  public var name: String
  /// The value.
  public var value: Double
  /// Its unit.
  public var unit: MetricUnit
  /// When it was measured.
  public var time: Date
  /// Dimensions, bounded in number of values.
  public var dimensions: [String: String]
  /// Whether it is stored at 1-second resolution.
  public var isHighResolution: Bool

  /// Creates a point.
  public init(
    name: String, value: Double, unit: MetricUnit = .none, time: Date, dimensions: [String: String] = [:],
    isHighResolution: Bool = false
  ) {
    self.name = name
    self.value = value
    self.unit = unit
    self.time = time
    self.dimensions = dimensions
    self.isHighResolution = isHighResolution
  }
}

/// Sends metric points somewhere.
public protocol MetricExporter: Sendable {
  /// Its name, for logs.
  var name: String { get }
  /// Sends points; may throw, which the recorder counts and never passes on.
  func export(_ points: [MetricPoint]) async throws
}
