import AWSSigning
public import Core
import FoundationEssentials

/// Sends metric points to CloudWatch.
public struct CloudWatchExporter: MetricExporter {
  /// `cloudwatch`.
  public let name = "cloudwatch"
  private let client: AWSClient
  private let namespace: String

  /// Creates an exporter.
  public init(client: AWSClient, namespace: String = "rag") {
    self.client = client
    self.namespace = namespace
  }

  /// Sends points, batched within the service's limits.
  /// - Throws: ``AWSError`` of the first call that failed; the others were sent.
  public func export(_ points: [MetricPoint]) async throws {
    var failure: (any Error)?
    for body in MetricBatches.bodies(points, namespace: namespace, now: Date()) {
      do {
        _ = try await client.bytes(
          AWSCall(
            .cloudWatch, "PutMetricData", on: "namespace \(namespace)",
            headers: [.init("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], body: body,
            timeout: .seconds(20)))
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
  }
}
