import AWS
import Core
import FoundationEssentials
import Telemetry

/// What of AWS a configuration asks for, each part tried with the smallest call that shows whether it is allowed.
extension Library {
  /// Empty when nothing of AWS is configured.
  func awsFindings() async -> [DoctorFinding] {
    let buckets = settings.sources.filter { $0.uri.hasPrefix("s3://") }
    let publishes = settings.metrics.targets.contains(.cloudwatch)
    guard usesAWS || !buckets.isEmpty || publishes else { return [] }
    let identity = await Self.check("aws credentials") {
      let client = try remote.aws()
      let caller = try await CallerIdentity.ask(client)
      return (.ok, "\(caller.arn) in \(client.region), credentials from \(caller.link)", nil)
    }
    // Without credentials every further line would say the same.
    guard identity.verdict == .ok else { return [identity] }
    var findings = [identity]
    for source in buckets {
      findings.append(
        await Self.check("source \(source.uri)", blocks: "ingest, watch") {
          try await s3Source(source).probe()
            ? (.ok, "can be listed and read", nil)
            : (.warning, "can be listed, and has nothing to read", "Check the prefix.")
        })
    }
    if publishes {
      let namespace = settings.metrics.namespace
      findings.append(
        await Self.check("cloudwatch", blocks: "metrics; answers are not affected") {
          try await CloudWatchExporter(client: remote.aws(), namespace: namespace).export([
            MetricPoint(name: MetricName.doctor, value: 1, unit: .count, time: Date())
          ])
          return (.ok, "took a point of the metric '\(MetricName.doctor)' in the namespace \(namespace)", nil)
        })
    }
    return findings
  }

  private var usesAWS: Bool {
    if settings.embedding.kind == .bedrock || settings.generation.kind == .bedrock { return true }
    if case .textract = settings.ocr.recognizer { return true }
    let secrets = settings.pdf.passwords + [settings.generation.key].compactMap { $0 }
    return secrets.contains { $0.isInSecretsManager }
  }
}
