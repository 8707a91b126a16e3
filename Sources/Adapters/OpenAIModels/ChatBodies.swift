import Core
import FoundationEssentials

/// The bodies of `POST /v1/chat/completions`.
///
/// Source: https://platform.openai.com/docs/api-reference/chat
enum ChatBodies {
  struct Message: Encodable {
    var role: String
    var content: String
  }
  struct StreamOptions: Encodable { var include_usage = true }
  struct Request: Encodable {
    var model: String
    var messages: [Message]
    var stream = true
    var stream_options = StreamOptions()
    var temperature: Double?
    var top_p: Double?
    var max_tokens: Int?
    var stop: [String]?
    var frequency_penalty: Double?
    var presence_penalty: Double?
    var repetition_penalty: Double?
  }

  /// Top-k is not part of the interface, and servers refuse fields that they do not know. Nor is the repetition penalty,
  /// which vLLM adds: it has no default and is sent when it is configured, to be refused in words.
  static func request(_ request: GenerationRequest, model: String) throws -> [UInt8] {
    let parameters = request.parameters
    var messages = request.turns.map { Message(role: $0.role.rawValue, content: $0.text) }
    if !request.system.isEmpty { messages.insert(Message(role: "system", content: request.system), at: 0) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(
      try encoder.encode(
        Request(
          model: model, messages: messages, temperature: parameters.temperature, top_p: parameters.topP,
          max_tokens: parameters.maxTokens, stop: parameters.stop.isEmpty ? nil : parameters.stop,
          frequency_penalty: parameters.frequencyPenalty, presence_penalty: parameters.presencePenalty,
          repetition_penalty: parameters.repetitionPenalty)))
  }

  struct Chunk: Decodable {
    struct Choice: Decodable {
      struct Delta: Decodable { var content: String? }
      var delta: Delta?
      var finish_reason: String?
    }
    struct Usage: Decodable {
      var prompt_tokens: Int?
      var completion_tokens: Int?
    }
    var choices: [Choice]?
    var usage: Usage?
    var error: Failure?
  }

  /// `{"error": {"message": …}}`, `{"error": "…"}` (Ollama) or `{"message": …}` (vLLM).
  struct Failure: Decodable {
    var message: String

    private enum Key: String, CodingKey { case message, error }

    init(from decoder: any Decoder) throws {
      if let text = try? decoder.singleValueContainer().decode(String.self) {
        message = text
        return
      }
      let values = try decoder.container(keyedBy: Key.self)
      if let nested = try? values.decode(Failure.self, forKey: .error) {
        message = nested.message
      } else {
        message = try values.decode(String.self, forKey: .message)
      }
    }
  }
}
