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
    guard usesAWS else { return [] }
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
      guard let address = source.queue else { continue }
      findings.append(
        await Self.check("queue \(address)", blocks: "being told of changes; the source is listed instead") {
          let state = try await MessageQueue(address, client: remote.aws()).state()
          let said = "about \(state.waiting) messages wait, \(state.inWork) are in work"
          return state.hasDeadLetterQueue
            ? (.ok, said, nil)
            : (
              .warning,
              "\(said); it has no dead-letter queue, so messages that are no object events come again and again",
              "Give the queue a redrive policy."
            )
        })
    }
    if [.bedrock, .sagemaker].contains(settings.generation.kind) {
      findings.append(
        await Self.check("text model", blocks: "answers; search is not affected") { try await textFinding() })
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

  /// Asks the text model for a few tokens, with the parameters of every other answer.
  private func textFinding() async throws -> (DoctorFinding.Verdict, String, String?) {
    guard let generator = try await textGenerator() else { return (.ok, "none is configured", nil) }
    var parameters = settings.generation.parameters
    parameters.maxTokens = 16
    var characters = 0
    let request = GenerationRequest(
      system: "", turns: [Turn(role: .user, text: "Say yes.")], parameters: parameters)
    for try await case .text(let text) in generator.generate(request) { characters += text.count }
    return characters > 0
      ? (.ok, "\(generator.model) answers", nil)
      : (.warning, "\(generator.model) answered nothing", "Ask it a question: quarry ask.")
  }

  private var usesAWS: Bool {
    if settings.sources.contains(where: { $0.uri.hasPrefix("s3://") }) { return true }
    if settings.metrics.targets.contains(.cloudwatch) || !shippers.isEmpty { return true }
    if settings.embedding.kind != .local || [.bedrock, .sagemaker].contains(settings.generation.kind) { return true }
    if settings.rerank.kind == .bedrock { return true }
    if case .textract = settings.ocr.recognizer { return true }
    let secrets = settings.pdf.passwords + [settings.generation.key].compactMap { $0 }
    return secrets.contains { $0.isInSecretsManager }
  }
}
