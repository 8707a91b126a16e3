import Core
import FoundationEssentials

/// The part of a BERT model's `config.json` that decides what is computed.
package struct BERTConfiguration: Sendable, Decodable {
  let layers: Int
  let hidden: Int
  let heads: Int
  let intermediate: Int
  let vocabulary: Int
  let positions: Int
  let tokenTypes: Int
  let layerNormEpsilon: Double
  let architecture: String
  let activation: String
  let positionKind: String?

  private enum CodingKeys: String, CodingKey {
    case layers = "num_hidden_layers"
    case hidden = "hidden_size"
    case heads = "num_attention_heads"
    case intermediate = "intermediate_size"
    case vocabulary = "vocab_size"
    case positions = "max_position_embeddings"
    case tokenTypes = "type_vocab_size"
    case layerNormEpsilon = "layer_norm_eps"
    case architecture = "model_type"
    case activation = "hidden_act"
    case positionKind = "position_embedding_type"
  }

  /// Reads `config.json`.
  /// - Throws: ``LocalModelsError`` with code `model.unreadable`, or `model.unsupported` for another architecture
  ///   than BERT with exact GELU and absolute positions, or for sizes out of range.
  package static func read(_ bytes: UnsafeRawBufferPointer) throws(LocalModelsError) -> BERTConfiguration {
    let result: BERTConfiguration
    do {
      result = try JSONDecoder().decode(BERTConfiguration.self, from: Data(bytes))
    } catch {
      throw .unreadable("config.json is not a BERT configuration", underlying: error)
    }
    guard result.architecture == "bert", result.activation == "gelu", result.positionKind ?? "absolute" == "absolute"
    else { throw .unsupported("The model is not a BERT encoder with exact GELU and absolute positions") }
    let sizes = [
      result.layers, result.hidden, result.heads, result.intermediate, result.vocabulary, result.positions,
      result.tokenTypes,
    ]
    guard sizes.allSatisfy({ (1...1 << 24).contains($0) }), result.layers <= 128 else {
      throw .unsupported("The model's sizes are out of range: \(sizes)")
    }
    return result
  }
}
