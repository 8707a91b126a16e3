import Core
import Foundation
import QuarryTesting
import Testing

@testable import AWS

@Suite struct MetricBatchTests {
  private let now = Date(timeIntervalSince1970: 1_800_000_000)

  private func point(_ value: Double, _ name: String = "similarity", ago: Double = 0) -> MetricPoint {
    MetricPoint(
      name: name, value: value, unit: .none, time: now.addingTimeInterval(-ago), isHighResolution: true)
  }

  private func text(_ points: [MetricPoint]) -> [String] {
    MetricBatches.bodies(points, namespace: "rag", now: now).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func countsEqualValuesOfOneSecond() throws {
    let body = try #require(text([point(0.5), point(0.7), point(0.5), point(0.5)]).first)
    #expect(body.contains("&MetricData.member.1.Values.member.1=0.5&MetricData.member.1.Counts.member.1=3"))
    #expect(body.contains("&MetricData.member.1.Values.member.2=0.7&MetricData.member.1.Counts.member.2=1"))
    #expect(body.contains("&MetricData.member.1.StorageResolution=1"))
    #expect(!body.contains("member.2.MetricName"))
    #expect(body.hasPrefix("Action=PutMetricData&Version=2010-08-01&Namespace=rag&"))
  }

  @Test func keepsWithinTheServicesLimits() {
    let points = (0..<2_500).map { point(1, "m\($0)") } + (0..<400).map { point(Double($0), "many") }
    let bodies = text(points)
    #expect(bodies.count == 3)
    let data = bodies.map { body in body.components(separatedBy: "MetricName=").count - 1 }
    #expect(data == [1_000, 1_000, 503])
    #expect(bodies.allSatisfy { $0.utf8.count < 1_000_000 && !$0.contains("Values.member.151=") })
  }

  @Test func splitsCallsBySize() {
    let points = (0..<90).flatMap { series in (0..<150).map { point(Double($0) / 7 + Double(series), "m\(series)") } }
    let bodies = text(points)
    #expect(bodies.count > 1)
    #expect(bodies.allSatisfy { $0.utf8.count < 1_000_000 })
  }

  @Test func leavesOutWhatTheServiceWouldRefuse() {
    #expect(text([point(.nan), point(.infinity), point(1, ago: 15 * 86_400), point(1, ago: -3 * 3_600)]).isEmpty)
  }
}

@Suite(.enabled(if: MotoServer.python != nil, "moto is not installed (make setup-test)"))
struct CloudWatchTests {
  @Test func publishesWhatBoto3ReadsBack() async throws {
    let server = try await MotoServer()
    let time = Date(timeIntervalSinceNow: -120)
    let values = [0.25, 0.5, 0.75, 0.5]
    try await CloudWatchExporter(client: server.client()).export(
      values.map { MetricPoint(name: "similarity", value: $0, time: time, isHighResolution: true) } + [
        MetricPoint(name: "questions", value: 1, unit: .count, time: time, dimensions: ["outcome": "ä & b"])
      ])
    let read = try await server.boto(
      """
      import datetime
      c = client("cloudwatch")
      now = datetime.datetime.now(datetime.timezone.utc)
      def stats(name, dimensions):
          r = c.get_metric_statistics(Namespace="rag", MetricName=name, Dimensions=dimensions,
              StartTime=now - datetime.timedelta(hours=1), EndTime=now, Period=3600,
              Statistics=["Average", "SampleCount", "Minimum", "Maximum"])["Datapoints"]
          return [[d["Average"], d["SampleCount"], d["Minimum"], d["Maximum"]] for d in r]
      print(json.dumps([stats("similarity", []), stats("questions", [{"Name": "outcome", "Value": "ä & b"}])]))
      """)
    let statistics = try JSONDecoder().decode([[[Double]]].self, from: Data(read.utf8))
    let similarity = statistics[0].reduce(into: [0.0, 0, 1, 0]) { sum, point in
      sum[0] += point[0] * point[1]
      sum[1] += point[1]
      sum[2] = min(sum[2], point[2])
      sum[3] = max(sum[3], point[3])
    }
    #expect(similarity == [2, 4, 0.25, 0.75])
    #expect(statistics[1].first?[1] == 1)
  }
}
