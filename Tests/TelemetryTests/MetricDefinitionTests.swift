import Core
import Foundation
import Telemetry
import Testing

/// docs/metrics.md is what dashboards are made from: it and the code must say the same.
@Suite struct MetricDefinitionTests {
  private struct Row: Equatable {
    var unit: String
    var dimensions: [String]
  }

  /// The rows of the table by the names in their first cell.
  private static func rows() throws -> [String: Row] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/metrics.md"), encoding: .utf8)
    var rows: [String: Row] = [:]
    for line in page.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let dimensions = cells[2].hasPrefix("none") ? [] : cells[2].components(separatedBy: ", ")
      rows[cells[0].replacing("`", with: "")] = Row(unit: cells[1], dimensions: dimensions)
    }
    return rows
  }

  @Test func thePageNamesExactlyTheMetricsThereAre() throws {
    var expected: [String: Row] = [:]
    for metric in MetricDefinition.all {
      let unit =
        switch metric.unit {
        case .none: "–"
        case .count: "count"
        case .seconds: "seconds"
        case .bytes: "bytes"
        }
      expected[metric.name] = Row(unit: unit, dimensions: metric.dimensions)
    }
    #expect(expected.count == MetricDefinition.all.count, "a name is there twice")
    #expect(try Self.rows() == expected)
  }

  /// Every name in the source of ``MetricName`` is defined.
  @Test func everyNameIsDefined() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let source = try String(
      contentsOf: root.appendingPathComponent("Sources/Core/Telemetry/MetricName.swift"), encoding: .utf8)
    let names = source.split(separator: "\n").filter { $0.contains("static let") && $0.contains("= \"") }
      .map { $0.split(separator: "\"")[1] }
    #expect(names.count > 10)
    #expect(Set(names.map(String.init)) == Set(MetricDefinition.all.map(\.name)))
  }

  @Test func sumsAreCounters_andHelpIsTheDefinitions() async throws {
    let registry = PrometheusRegistry()
    let time = Date(timeIntervalSince1970: 1_800_000_000)
    try await registry.export(
      MetricDefinition.all.flatMap { metric in
        (0..<2).map { _ in
          MetricPoint(
            name: metric.name, value: 0.25, unit: metric.unit, time: time,
            dimensions: Dictionary(uniqueKeysWithValues: metric.dimensions.map { ($0, "x") }))
        }
      })
    let text = registry.text()
    #expect(
      text.contains(
        "# TYPE quarry_cost_total counter\n"
          + "quarry_cost_total{app=\"x\",environment=\"x\",model=\"x\",outcome=\"x\"} 0.5\n"))
    #expect(text.contains("# TYPE quarry_time_to_first_token_seconds histogram\n"))
    #expect(text.contains("# HELP quarry_refusals_total Questions refused. See docs/metrics.md.\n"))
    for metric in MetricDefinition.all {
      #expect(text.contains("\(metric.help) See docs/metrics.md."), "\(metric.name)")
    }
  }
}
