import AWS
import Answering
import Concurrency
import Configuration
import Core
import FoundationEssentials
import HTTPClient
import LocalFiles
import LocalModels
import OpenAIModels
import Telemetry

/// What is made once, when it is first needed: a library that asks nobody outside starts no thread for it.
final class RemoteParts: Sendable {
  private struct State {
    var http: HTTPClient?
    var aws: AWSClient?
    var scratch: ScratchSpace?
    var onSetback: @Sendable (AWSClient.Setback) -> Void = { _ in }
    var originals: S3Originals?
  }

  /// What embedding calls keep to.
  let embeddingPace: RequestPace
  /// What calls of the text model keep to.
  let generationPace: RequestPace

  private let settings: Settings
  private let environment: [String: String]
  private let state = Locked(State())

  init(settings: Settings, environment: [String: String]) {
    self.settings = settings
    self.environment = environment
    let (embedding, generation) = (settings.embedding, settings.generation)
    embeddingPace = RequestPace(
      requestsPerMinute: embedding.requestsPerMinute, tokensPerMinute: embedding.tokensPerMinute,
      concurrency: embedding.concurrency)
    generationPace = RequestPace(
      requestsPerMinute: generation.requestsPerMinute, tokensPerMinute: generation.tokensPerMinute,
      concurrency: generation.concurrency)
  }

  /// Counts throttled calls and retries of AWS from now on.
  func observe(with recorder: TelemetryRecorder) {
    // The recorder's exporters hold these parts.
    let observer: @Sendable (AWSClient.Setback) -> Void = { [weak recorder] setback in
      recorder?.metric(
        setback.kind == .throttled ? MetricName.throttledCalls : MetricName.retriedCalls, 1, unit: .count,
        dimensions: [DimensionName.service: setback.service.actionPrefix, DimensionName.action: setback.action])
    }
    state.withLock { $0.onSetback = observer }
  }

  func http() -> HTTPClient {
    state.withLock { state in
      if let http = state.http { return http }
      let http = HTTPClient(
        configuration: HTTPClientConfiguration(userAgent: "quarry/\(QuarryVersion.current)"))
      state.http = http
      return http
    }
  }

  /// - Throws: `aws.region_missing`.
  func aws() throws -> AWSClient {
    let http = http()
    return try state.withLock { state in
      if let aws = state.aws { return aws }
      let aws = try AWSClient(
        environment: AWSEnvironment(variables: environment, profile: settings.aws.profile), region: settings.aws.region,
        http: http, onSetback: { [state = self.state] in state.withLock { $0.onSetback }($0) })
      state.aws = aws
      return aws
    }
  }

  /// - Throws: `aws.scratch`.
  func scratch() throws -> ScratchSpace {
    try state.withLock { state in
      if let scratch = state.scratch { return scratch }
      let scratch = try ScratchSpace(
        folder: "\(settings.dataDirectory)/downloads", limit: settings.aws.scratchBytes)
      state.scratch = scratch
      return scratch
    }
  }

  /// Bytes of documents in S3, for images of their pages: beside the space of ingestion, which they must not starve.
  /// - Throws: `aws.region_missing`, `aws.scratch`.
  func originals() throws -> S3Originals {
    let client = try aws()
    return try state.withLock { state in
      if let originals = state.originals { return originals }
      let limit = settings.aws.scratchBytes
      let originals = S3Originals(
        client: client, paysRequests: settings.aws.requesterPays,
        scratch: try ScratchSpace(folder: "\(settings.dataDirectory)/originals", limit: limit), limit: limit)
      state.originals = originals
      return originals
    }
  }
}

extension Library {
  /// The embedding model that a configuration names, loaded anew.
  static func embedder(
    of settings: Settings, environment: [String: String], remote: RemoteParts
  ) throws -> any Embedder {
    let model = settings.embedding
    switch model.kind {
    case .local:
      let directory = model.directory ?? ModelFiles.defaultDirectory(environment: environment)
      return try LocalEmbedder(
        files: ModelFiles(directory: directory), scheme: model.numericScheme.local, threads: model.threads)
    case .bedrock:
      return try BedrockEmbedder(
        client: remote.aws(), model: model.model, dimension: model.dimensions, pace: remote.embeddingPace,
        width: model.concurrency)
    case .sagemaker:
      return try SageMakerEmbedder(
        client: remote.aws(), endpoint: model.endpoint.aws, dialect: model.sageMakerDialect(),
        model: model.model.isEmpty ? nil : model.model, dimension: model.dimensions,
        pooling: model.pooling == .cls ? .cls : .mean, batchSize: model.batchSize,
        characterLimit: model.maxCharacters, pace: remote.embeddingPace, width: model.concurrency)
    }
  }

  /// The configured text model; nil when answers are extractive.
  /// - Throws: `configuration.secret`, `aws.region_missing`.
  func textGenerator() async throws -> (any TextGenerator)? {
    let generation = settings.generation
    switch generation.kind {
    case .none: return nil
    case .bedrock:
      return BedrockTextGenerator(
        client: try remote.aws(), model: generation.model, contextTokens: generation.contextTokens,
        guardrail: generation.guardrail, pace: remote.generationPace)
    case .sagemaker:
      return SageMakerTextGenerator(
        client: try remote.aws(), endpoint: generation.endpoint.aws, dialect: try generation.sageMakerDialect(),
        model: generation.model.isEmpty ? nil : generation.model, contextTokens: generation.contextTokens,
        streams: generation.streams, pace: remote.generationPace)
    case .openai:
      var key: Secret?
      if let setting = generation.key { key = try await secret(setting) }
      return OpenAITextGenerator(
        url: generation.url, model: generation.model, key: key?.revealed, http: remote.http(),
        contextTokens: generation.contextTokens)
    }
  }

  /// The PDFs below a prefix of a bucket.
  func s3Source(_ source: Settings.Source) throws -> S3Source {
    let include = source.include.map(PathPattern.init)
    let exclude = source.exclude.map(PathPattern.init)
    var events: S3Source.Events?
    if let address = source.queue {
      let queue = try MessageQueue(address, client: remote.aws())
      let log = ObjectEventLog(
        log: log, recorder: recorder, context: requestContext(), source: source.uri, queue: queue.name)
      events = S3Source.Events(queue: queue) { log.record($0) }
    }
    return try S3Source(
      root: SourceURI(rawValue: source.uri), collection: source.collection, client: remote.aws(),
      paysRequests: settings.aws.requesterPays, scratch: remote.scratch(), events: events,
      takes: { path in
        (include.isEmpty || include.contains { $0.matches(path) }) && !exclude.contains { $0.matches(path) }
      })
  }

  /// Where metrics go: always to the registry that `GET /metrics` shows, and where the configuration says.
  static func exporters(
    _ metrics: Settings.Metrics, remote: RemoteParts, prometheus: PrometheusRegistry,
    lines: (@Sendable (String) -> Void)?
  ) -> [any MetricExporter] {
    var exporters: [any MetricExporter] = [prometheus]
    for target in metrics.targets {
      switch target {
      case .cloudwatch: exporters.append(LateCloudWatchExporter(remote: remote, namespace: metrics.namespace))
      // Only a service's standard output is free for them.
      case .emf: if let lines { exporters.append(EmbeddedMetricExporter(namespace: metrics.namespace, write: lines)) }
      }
    }
    return exporters
  }
}

/// Finds AWS when the first metrics are sent: a missing region then fails them, and never an answer.
private struct LateCloudWatchExporter: MetricExporter {
  let name = "cloudwatch"
  let remote: RemoteParts
  let namespace: String

  func export(_ points: [MetricPoint]) async throws {
    try await CloudWatchExporter(client: remote.aws(), namespace: namespace).export(points)
  }
}

extension Settings.NumericScheme {
  /// The local model's own name for it.
  fileprivate var local: NumericScheme {
    switch self {
    case .fp32: .fp32
    case .bf16: .bf16
    case .int8: .int8
    }
  }
}
