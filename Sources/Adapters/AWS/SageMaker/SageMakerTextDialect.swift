import Core
import FoundationEssentials

/// How an endpoint's container is asked for text. None takes turns: the prompt is one text.
///
/// Sources: text-generation-inference's `/generate` and `/generate_stream`
/// (https://huggingface.github.io/text-generation-inference/), the schema of DJL's LMI containers
/// (https://docs.djl.ai/master/docs/serving/serving/docs/lmi/user_guides/lmi_input_output_schema.html), and the SageMaker
/// examples for JumpStart's Falcon and Flan-T5.
public enum SageMakerTextDialect: Sendable, Hashable {
  /// Text Generation Inference: server-sent events.
  case tgi
  /// DJL's Large Model Inference: lines of JSON, and failures with status 200.
  case djl
  /// JumpStart's Falcon, on an early Text Generation Inference: writes the user's next turn too if nothing stops it.
  case falcon
  /// JumpStart's Flan-T5: instructions, no conversation, no stream.
  case flanT5
  /// Another container, without a stream.
  case custom(CustomTextDialect)

  /// Its name in the configuration.
  var name: String {
    switch self {
    case .tgi: "tgi"
    case .djl: "djl"
    case .falcon: "falcon"
    case .flanT5: "flan-t5"
    case .custom: "custom"
    }
  }

  /// Whether its containers answer in parts.
  public var streams: Bool {
    switch self {
    case .tgi, .djl, .falcon: true
    case .flanT5, .custom: false
    }
  }

  /// What a stream of it is asked as.
  var streamType: String { self == .djl ? "application/jsonlines" : "text/event-stream" }

  /// Texts at which an answer ends beside the configured ones.
  var ownStops: [String] { self == .falcon ? ["\nUser:"] : [] }

  /// The penalties that its containers know.
  private var penalties: Set<String> {
    switch self {
    case .tgi: ["frequencyPenalty", "repetitionPenalty"]
    case .djl: ["frequencyPenalty", "presencePenalty", "repetitionPenalty"]
    case .falcon: ["repetitionPenalty"]
    case .flanT5: []
    case .custom(let custom): custom.penalties
    }
  }

  // MARK: - The request

  private struct Generate: Encodable {
    struct Parameters: Encodable {
      var details = true
      var do_sample: Bool?
      var frequency_penalty: Double?
      var max_new_tokens: Int?
      var presence_penalty: Double?
      var repetition_penalty: Double?
      var return_full_text = false
      var stop: [String]?
      var stop_sequences: [String]?
      var temperature: Double?
      var top_k: Int?
      var top_p: Double?
    }
    var inputs: String
    var parameters: Parameters
    var stream: Bool?
  }
  private struct TextInputs: Encodable {
    var text_inputs: String
    var do_sample: Bool?
    var max_length: Int?
    var temperature: Double?
    var top_k: Int?
    var top_p: Double?
  }

  /// - Throws: `aws.parameter_unsupported` for a penalty that its containers do not know.
  func body(_ request: GenerationRequest, streams: Bool, resource: String) throws -> [UInt8] {
    let given = request.parameters
    for (key, value) in [
      ("frequencyPenalty", given.frequencyPenalty), ("presencePenalty", given.presencePenalty),
      ("repetitionPenalty", given.repetitionPenalty),
    ] where value != nil && !penalties.contains(key) {
      throw AWSError.parameterUnsupported(key, by: "\(resource) in the dialect '\(name)'")
    }
    // Temperature 0 is the likeliest token; the containers refuse the number itself, and any of the others samples.
    let isGreedy = given.temperature == 0
    let temperature = isGreedy ? nil : given.temperature
    let topK = isGreedy ? nil : given.topK
    // 1 is no restriction; Text Generation Inference refuses it.
    let topP = isGreedy || given.topP == 1 ? nil : given.topP
    let samples: Bool? = isGreedy ? false : temperature == nil && topK == nil && topP == nil ? nil : true
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    switch self {
    case .tgi, .djl, .falcon:
      let stop = given.stop + ownStops
      let stops = stop.isEmpty ? nil : stop
      return Array(
        try encoder.encode(
          Generate(
            inputs: PromptText.turns(request),
            parameters: .init(
              do_sample: samples, frequency_penalty: given.frequencyPenalty, max_new_tokens: given.maxTokens,
              presence_penalty: given.presencePenalty, repetition_penalty: given.repetitionPenalty,
              stop: self == .djl ? nil : stops, stop_sequences: self == .djl ? stops : nil, temperature: temperature,
              top_k: topK, top_p: topP), stream: streams ? true : nil)))
    case .flanT5:
      return Array(
        try encoder.encode(
          TextInputs(
            text_inputs: PromptText.instruction(request), do_sample: samples, max_length: given.maxTokens,
            temperature: temperature, top_k: topK, top_p: topP)))
    case .custom(let custom): return try custom.body(request)
    }
  }
}

/// A dialect of one's own.
public struct CustomTextDialect: Sendable, Hashable {
  private static let places = [
    "prompt", "system", "question", "temperature", "top_p", "top_k", "max_tokens", "stop", "frequency_penalty",
    "presence_penalty", "repetition_penalty",
  ]
  private let template: RequestTemplate
  let path: JSONPath

  /// Creates a dialect.
  /// - Parameters:
  ///   - template: JSON with `{{prompt}}` (system text and turns as one text) or `{{question}}` (the last turn), and
  ///     places for the inference parameters.
  ///   - responsePath: Where the answer's text stands, such as `[0].generated_text`.
  /// - Throws: `aws.template_invalid`, `aws.path_invalid`.
  public init(template: String, responsePath: String) throws {
    self.template = try RequestTemplate(
      template, key: "generation.template", known: Self.places, required: ["prompt", "question"])
    path = try JSONPath.parse(responsePath, key: "generation.responsePath")
  }

  var penalties: Set<String> {
    var keys: Set<String> = []
    if template.places.contains("frequency_penalty") { keys.insert("frequencyPenalty") }
    if template.places.contains("presence_penalty") { keys.insert("presencePenalty") }
    if template.places.contains("repetition_penalty") { keys.insert("repetitionPenalty") }
    return keys
  }

  func body(_ request: GenerationRequest) throws -> [UInt8] {
    let given = request.parameters
    var values: [String: RequestTemplate.Node] = [
      "prompt": .text(PromptText.turns(request)), "system": .text(request.system),
      "question": .text(request.turns.last?.text ?? ""),
    ]
    values["temperature"] = given.temperature.map { .number($0) }
    values["top_p"] = given.topP.map { .number($0) }
    values["top_k"] = given.topK.map { .integer($0) }
    values["max_tokens"] = given.maxTokens.map { .integer($0) }
    if !given.stop.isEmpty { values["stop"] = .list(given.stop.map { .text($0) }) }
    values["frequency_penalty"] = given.frequencyPenalty.map { .number($0) }
    values["presence_penalty"] = given.presencePenalty.map { .number($0) }
    values["repetition_penalty"] = given.repetitionPenalty.map { .number($0) }
    return try template.body(values)
  }
}

/// A conversation as one text, for models that complete text.
enum PromptText {
  /// System text, turns under their speakers, and the line that the model goes on with.
  static func turns(_ request: GenerationRequest) -> String {
    var parts = request.turns.map { "\($0.role == .user ? "User" : "Assistant"): \($0.text)" }
    if !request.system.isEmpty { parts.insert(request.system, at: 0) }
    return (parts + ["Assistant:"]).joined(separator: "\n\n")
  }

  /// System text and turns without speakers.
  static func instruction(_ request: GenerationRequest) -> String {
    ([request.system] + request.turns.map(\.text)).filter { !$0.isEmpty }.joined(separator: "\n\n")
  }
}
