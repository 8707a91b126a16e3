import Core
import Foundation
import Telemetry
import Testing

@Suite struct MetricFormatTests {
  private let time = Date(timeIntervalSince1970: 1_800_000_000)

  // MARK: - Embedded metric format

  private func lines(_ points: [MetricPoint]) async throws -> [String] {
    let written = Lines()
    try await EmbeddedMetricExporter { written.add($0) }.export(points)
    return written.all
  }

  private final class Lines: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []
    func add(_ line: String) { lock.withLock { lines.append(line) } }
    var all: [String] { lock.withLock { lines } }
  }

  @Test func writesOneLineAMetricAndMoment() async throws {
    let points = [0.5, 0.25].map { MetricPoint(name: "similarity", value: $0, time: time, isHighResolution: true) }
    let lines = try await lines(
      points + [MetricPoint(name: "questions", value: 1, unit: .count, time: time, dimensions: ["outcome": "a \"b\""])])
    #expect(lines.count == 2)
    let first = try #require(try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
    #expect(first["similarity"] as? [Double] == [0.5, 0.25])
    let metadata = try #require(first["_aws"] as? [String: Any])
    #expect(metadata["Timestamp"] as? Int == 1_800_000_000_000)
    let directive = try #require((metadata["CloudWatchMetrics"] as? [[String: Any]])?.first)
    #expect(directive["Namespace"] as? String == "rag")
    #expect(directive["Dimensions"] as? [[String]] == [[]])
    let second = try #require(try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as? [String: Any])
    #expect(second["questions"] as? Double == 1)
    #expect(second["outcome"] as? String == "a \"b\"")
  }

  @Test func writesNoMoreThanAHundredValuesALine() async throws {
    let lines = try await lines((0..<250).map { MetricPoint(name: "m", value: Double($0), time: time) })
    #expect(lines.count == 3)
  }

  // MARK: - Prometheus

  private func registry() async throws -> PrometheusRegistry {
    let registry = PrometheusRegistry()
    try await registry.export([
      MetricPoint(name: "questions", value: 1, unit: .count, time: time, dimensions: ["outcome": "answered"]),
      MetricPoint(name: "questions", value: 2, unit: .count, time: time, dimensions: ["outcome": "answered"]),
      MetricPoint(name: "questions", value: 1, unit: .count, time: time, dimensions: ["outcome": "a\"\\\n"]),
      MetricPoint(name: "stage_seconds", value: 0.003, unit: .seconds, time: time, dimensions: ["stage": "ask.embed"]),
      MetricPoint(name: "stage_seconds", value: 100, unit: .seconds, time: time, dimensions: ["stage": "ask.embed"]),
      MetricPoint(name: "similarity", value: 0.62, time: time),
      MetricPoint(name: "similarity", value: .nan, time: time),
    ])
    return registry
  }

  @Test func gathersCountersAndHistograms() async throws {
    let lines = try await registry().text(gauges: [("telemetry_queue", "Items waiting.", 3)]).split(separator: "\n")
    for expected in [
      "quarry_questions_total{outcome=\"answered\"} 3.0", #"quarry_questions_total{outcome="a\"\\\n"} 1.0"#,
      "# TYPE quarry_stage_seconds histogram", "quarry_stage_seconds_bucket{stage=\"ask.embed\",le=\"0.0025\"} 0",
      "quarry_stage_seconds_bucket{stage=\"ask.embed\",le=\"0.005\"} 1",
      "quarry_stage_seconds_bucket{stage=\"ask.embed\",le=\"+Inf\"} 2",
      "quarry_stage_seconds_count{stage=\"ask.embed\"} 2", "quarry_similarity_bucket{le=\"0.6\"} 0",
      "quarry_similarity_bucket{le=\"0.65\"} 1", "quarry_similarity_count 1", "quarry_telemetry_queue 3.0",
    ] {
      #expect(lines.contains { $0 == expected }, "\(expected)")
    }
  }

  @Test func holdsABoundedNumberOfSeries() async throws {
    let registry = PrometheusRegistry(seriesLimit: 10)
    try await registry.export(
      (0..<1_000).map {
        MetricPoint(name: "m", value: 1, unit: .count, time: time, dimensions: ["user": "\($0)"])
      })
    #expect(registry.text().split(separator: "\n").count == 12)
  }

  /// Debian's package `prometheus` has it, and starts a service: no list of packages to install names it.
  private static let promtool = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { "\($0)/promtool" }.first { FileManager.default.isExecutableFile(atPath: $0) }

  @Test(.enabled(if: promtool != nil, "promtool is not on the path (make setup-test unpacks it)"))
  func satisfiesPromtool() async throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.promtool))
    process.arguments = ["check", "metrics"]
    let (into, out) = (Pipe(), Pipe())
    process.standardInput = into
    process.standardOutput = out
    process.standardError = out
    try process.run()
    let registry = try await registry()
    // Every metric there is, in every dimension it may have.
    try await registry.export(
      MetricDefinition.all.map { metric in
        MetricPoint(
          name: metric.name, value: 1, unit: metric.unit, time: time,
          dimensions: Dictionary(uniqueKeysWithValues: metric.dimensions.map { ($0, "x") }))
      })
    try into.fileHandleForWriting.write(contentsOf: Data(registry.text().utf8))
    try into.fileHandleForWriting.close()
    let said = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(said)")
  }
}
