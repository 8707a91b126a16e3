import Core
import FoundationEssentials

/// How a family of Bedrock's embedding models is asked.
///
/// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
/// model-parameters-embed.html (Cohere v3), model-parameters-embed-v4.html
enum BedrockEmbeddingModel: Sendable, Hashable {
  /// `amazon.titan-embed-text-v1`: one text a call, 1,536 dimensions.
  case titan1
  /// `amazon.titan-embed-text-v2:0`: one text a call, 256, 512 or 1,024 dimensions.
  case titan2
  /// `cohere.embed-english-v3`, `cohere.embed-multilingual-v3`: 96 texts, 1,024 dimensions.
  case cohere3
  /// `cohere.embed-v4:0`: 96 texts, 256 to 1,536 dimensions.
  case cohere4

  /// The family of a model id, an inference profile or an ARN that ends in one.
  init?(id: String) {
    if id.contains("amazon.titan-embed-text-v2") || id.contains("amazon.titan-embed-g1-text-02") {
      self = id.contains("v2") ? .titan2 : .titan1
    } else if id.contains("amazon.titan-embed-text-v1") {
      self = .titan1
    } else if id.contains("cohere.embed-v4") {
      self = .cohere4
    } else if id.contains("cohere.embed-") && id.contains("v3") {
      self = .cohere3
    } else {
      return nil
    }
  }

  /// The dimensions that may be asked for; the first is the default.
  var dimensions: [Int] {
    switch self {
    case .titan1: [1_536]
    case .titan2: [1_024, 512, 256]
    case .cohere3: [1_024]
    case .cohere4: [1_536, 1_024, 512, 256]
    }
  }

  /// Texts of one call.
  var batchSize: Int {
    switch self {
    case .titan1, .titan2: 1
    case .cohere3, .cohere4: 96
    }
  }

  /// Characters that are certain to fit: 8,192 tokens of Titan in scripts where a character may be two tokens, within
  /// its 50,000 characters; Cohere v3 cuts at 512 tokens and takes 2,048 characters.
  var characterLimit: Int {
    switch self {
    case .titan1, .titan2: 4_000
    case .cohere3: 1_000
    case .cohere4: 8_000
    }
  }

  /// Scripts beyond Latin: the English models read nothing else.
  func reads(_ script: Script, id: String) -> Bool {
    switch self {
    case .titan1: script == .latin
    case .cohere3: !id.contains("english") || script == .latin
    case .titan2, .cohere4: true
    }
  }

  // MARK: - Bodies

  private struct TitanBody: Encodable {
    var inputText: String
    var dimensions: Int?
    var normalize: Bool?
  }
  private struct CohereBody: Encodable {
    var texts: [String]
    var input_type: String
    var truncate = "NONE"
    var embedding_types = ["float"]
    var output_dimension: Int?
  }

  func body(_ texts: [String], as input: EmbeddingInput, dimension: Int) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    switch self {
    case .titan1: return Array(try encoder.encode(TitanBody(inputText: texts[0])))
    case .titan2:
      return Array(try encoder.encode(TitanBody(inputText: texts[0], dimensions: dimension, normalize: true)))
    case .cohere3, .cohere4:
      let kind = input == .query ? "search_query" : "search_document"
      return Array(
        try encoder.encode(
          CohereBody(texts: texts, input_type: kind, output_dimension: self == .cohere4 ? dimension : nil)))
    }
  }

  private struct TitanAnswer: Decodable {
    var embedding: [Float]
    var inputTextTokenCount: Int?
  }
  private struct CohereAnswer: Decodable {
    struct ByType: Decodable { var float: [[Float]] }
    var embeddings: [[Float]]
    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Key.self)
      // By type when types were asked for, else a plain array.
      if let byType = try? values.decode(ByType.self, forKey: .embeddings) {
        embeddings = byType.float
      } else {
        embeddings = try values.decode([[Float]].self, forKey: .embeddings)
      }
    }
    enum Key: String, CodingKey { case embeddings }
  }

  /// The vectors of an answer, and the input's tokens where it says them.
  func vectors(_ answer: [UInt8]) throws -> (vectors: [[Float]], tokens: Int?) {
    let decoder = JSONDecoder()
    switch self {
    case .titan1, .titan2:
      let answer = try decoder.decode(TitanAnswer.self, from: Data(answer))
      return ([answer.embedding], answer.inputTextTokenCount)
    case .cohere3, .cohere4:
      return (try decoder.decode(CohereAnswer.self, from: Data(answer)).embeddings, nil)
    }
  }
}
