import Core
import FoundationEssentials

/// The bodies of Bedrock's Converse and ConverseStream.
///
/// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
enum ConverseBodies {
  struct Text: Codable { var text: String }
  struct Message: Encodable {
    var role: String
    var content: [Text]
  }
  struct Inference: Encodable {
    var maxTokens: Int?
    var temperature: Double?
    var topP: Double?
    var stopSequences: [String]?
  }
  struct Guardrail: Encodable {
    var guardrailIdentifier: String
    var guardrailVersion: String
  }
  struct Request: Encodable {
    var messages: [Message]
    var system: [Text]?
    var inferenceConfig: Inference?
    var additionalModelRequestFields: [String: Double]?
    var guardrailConfig: Guardrail?
  }

  /// - Parameter additional: Parameters that Converse has no names for, by those of the model's own request.
  static func request(
    _ request: GenerationRequest, guardrail: (id: String, version: String)?, additional: [String: Double]
  ) throws -> [UInt8] {
    let parameters = request.parameters
    let inference = Inference(
      maxTokens: parameters.maxTokens, temperature: parameters.temperature.map { min(1, $0) },
      topP: parameters.topP, stopSequences: parameters.stop.isEmpty ? nil : parameters.stop)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(
      try encoder.encode(
        Request(
          messages: request.turns.map { Message(role: $0.role.rawValue, content: [Text(text: $0.text)]) },
          system: request.system.isEmpty ? nil : [Text(text: request.system)], inferenceConfig: inference,
          additionalModelRequestFields: additional.isEmpty ? nil : additional,
          guardrailConfig: guardrail.map { Guardrail(guardrailIdentifier: $0.id, guardrailVersion: $0.version) })))
  }

  // Events of the stream; unknown fields, such as the padding `p`, are passed over.
  struct Delta: Decodable {
    struct Part: Decodable { var text: String? }
    var delta: Part?
  }
  struct Stop: Decodable { var stopReason: String? }
  struct Metadata: Decodable {
    struct Usage: Decodable {
      var inputTokens: Int?
      var outputTokens: Int?
    }
    var usage: Usage?
  }
}
