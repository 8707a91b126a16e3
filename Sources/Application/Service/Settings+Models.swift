public import Configuration
public import Core

extension Settings {
  /// Which text model answers.
  public enum GenerationKind: String, Sendable, CaseIterable {
    /// None: answers are extractive.
    case none
    /// A model of Amazon Bedrock.
    case bedrock
    /// A model behind an endpoint of SageMaker.
    case sagemaker
    /// A server that speaks OpenAI's chat completions.
    case openai
  }

  /// The text model.
  public struct Generation: Sendable {
    /// Which kind.
    public var kind: GenerationKind
    /// Its id or name; empty only without one, and for SageMaker where the endpoint's stands for it.
    public var model: String
    /// An endpoint of SageMaker.
    public var endpoint: Endpoint
    /// How the endpoint's container is asked.
    public var dialect: TextDialect
    /// Whether the endpoint is asked for its answer in parts.
    public var streams: Bool
    /// Calls a minute; nil for no limit.
    public var requestsPerMinute: Double?
    /// Tokens a minute; nil for no limit.
    public var tokensPerMinute: Double?
    /// Calls at one time.
    public var concurrency: Int
    /// The server's base URL, with its version; for `openai`.
    public var url: String
    /// The server's key; nil for none.
    public var key: SecretSetting?
    /// Longest prompt in tokens.
    public var contextTokens: Int
    /// Inference parameters.
    public var parameters: InferenceParameters
    /// A guardrail of Bedrock, and its version.
    public var guardrail: (id: String, version: String)?
  }

  /// Amazon Web Services.
  public struct AWS: Sendable {
    /// The region; nil for what the environment says.
    public var region: String?
    /// The profile of the shared files; nil for what the environment says.
    public var profile: String?
    /// Most bytes of downloads kept at one time.
    public var scratchBytes: Int
    /// Whether this account pays where a bucket asks it of the requester.
    public var requesterPays: Bool
  }

  /// Where metrics go.
  public enum MetricTarget: String, Sendable, CaseIterable {
    /// CloudWatch, by `PutMetricData`.
    case cloudwatch
    /// CloudWatch's embedded metric format on standard output.
    case emf
  }

  /// Metrics.
  public struct Metrics: Sendable {
    /// Where they go, beside `GET /metrics`.
    public var targets: [MetricTarget]
    /// CloudWatch's namespace.
    public var namespace: String
  }
}

extension Settings.Generation {
  init(_ reader: ConfigurationReader) {
    kind = reader.value(
      "kind", .oneOf(), default: Settings.GenerationKind.none,
      doc:
        "Which text model answers: `none` for extractive answers, `bedrock`, `sagemaker`, or `openai` for any server "
        + "that speaks OpenAI's chat completions (Ollama, vLLM, llama.cpp).")
    model =
      reader.optional(
        "model", .nonEmptyString,
        doc: "The model's id (Bedrock) or name at the server; with SageMaker a name for prices and events.") ?? ""
    endpoint = Settings.Endpoint(reader)
    endpoint.acceptsEULA = reader.value(
      "acceptEula", .bool, default: false,
      doc: "Whether the licence of a model of JumpStart is accepted with each call: some answer nothing without it.")
    dialect = Settings.TextDialect(reader)
    streams = reader.value(
      "stream", .bool, default: true, doc: "Whether an endpoint of SageMaker is asked for its answer in parts.")
    requestsPerMinute = reader.optional(
      "requestsPerMinute", .double(in: 1...1_000_000), doc: "Calls of AWS a minute, retries included.")
    tokensPerMinute = reader.optional(
      "tokensPerMinute", .double(in: 100...1_000_000_000),
      doc: "Tokens of AWS's models a minute, the longest answer included.")
    concurrency = reader.value(
      "concurrency", .int(in: 1...256), default: 16,
      doc: "Most calls of AWS at one time; throttling lowers their number, success raises it again.")
    url = reader.value(
      "url", .nonEmptyString, default: "http://localhost:11434/v1",
      doc: "The base URL of an `openai` server, with its version.")
    key = reader.optional(
      "key", .anySecret, doc: "The key of an `openai` server: \(ValueKind.secretForms).")
    contextTokens = reader.value(
      "contextTokens", .int(in: 1_000...10_000_000), default: 8_000,
      doc: "The longest prompt the model takes, in tokens.")
    parameters = InferenceParameters(
      temperature: reader.value("temperature", .double(in: 0...2), default: 0, doc: "Randomness of the answer."),
      topP: reader.optional("topP", .double(in: 0...1), doc: "Share of likely tokens that are drawn from."),
      topK: reader.optional("topK", .int(in: 1...1_000), doc: "Number of likely tokens that are drawn from."),
      maxTokens: reader.value("maxTokens", .int(in: 16...100_000), default: 1_024, doc: "Most tokens of an answer."),
      stop: reader.value("stop", .list(of: .nonEmptyString), default: [], doc: "Texts that end an answer."),
      frequencyPenalty: reader.optional(
        "frequencyPenalty", .double(in: -2...2), doc: "Penalty on words by how often they came already."),
      presencePenalty: reader.optional(
        "presencePenalty", .double(in: -2...2), doc: "Penalty on words that came already."),
      repetitionPenalty: reader.optional(
        "repetitionPenalty", .double(in: 0.1...10),
        doc: "What the likelihood of words that came already is divided by; 1 for none. A penalty that the model does "
          + "not have is an error."))
    let id = reader.optional("guardrail.id", .nonEmptyString, doc: "A guardrail of Bedrock to apply.")
    let version = reader.value(
      "guardrail.version", .nonEmptyString, default: "DRAFT", doc: "The guardrail's version.")
    guardrail = id.map { ($0, version) }
    if kind == .sagemaker, endpoint.name.isEmpty { reader.reject("endpoint", "must name the endpoint of SageMaker") }
    if kind == .openai, parameters.topK != nil {
      reader.reject("topK", "is not part of OpenAI's interface; leave it out")
    }
    if kind == .bedrock || kind == .openai, model.isEmpty { reader.reject("model", "must name the text model") }
  }
}

extension Settings.AWS {
  init(_ reader: ConfigurationReader) {
    region = reader.optional(
      "region", .nonEmptyString, doc: "The region; by default AWS_REGION or what the profile says.")
    profile = reader.optional(
      "profile", .nonEmptyString, doc: "The profile of the shared files; by default AWS_PROFILE.")
    scratchBytes = reader.value(
      "scratchBytes", .byteSize(in: (1 << 20)...(1 << 40)), default: 1 << 30,
      doc: "Most bytes of downloads from S3 kept at one time, under `dataDirectory`; no larger document can be read.")
    requesterPays = reader.value(
      "requesterPays", .bool, default: false, doc: "Whether this account pays where a bucket asks it of the requester.")
  }
}

extension Settings.Metrics {
  init(_ reader: ConfigurationReader) {
    targets = reader.value(
      "targets", .list(of: .oneOf(Settings.MetricTarget.self)), default: [],
      doc: "Where metrics go beside `GET /metrics`: `cloudwatch` (PutMetricData) or `emf` (embedded metric format on "
        + "standard output).")
    namespace = reader.value(
      "namespace", .nonEmptyString, default: "rag", doc: "The namespace of metrics in CloudWatch.")
  }
}
