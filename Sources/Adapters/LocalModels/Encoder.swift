package import CKernels
import Core

/// The instructions that the kernels use. They change speed, never the embedding identity.
public enum KernelPath: String, Sendable, CaseIterable {
  /// Portable C.
  case plain
  /// AVX2, FMA and F16C.
  case avx2
  /// AVX-512 F, BW, DQ and VL, and of VNNI and BF16 what this CPU is faster with.
  case avx512
  /// The same without VNNI and BF16, as on the first CPUs with AVX-512; for tests and measurements.
  case avx512f
  /// The same with VNNI, without BF16; for tests and measurements.
  case avx512vnni
  /// The same with VNNI and BF16; for tests and measurements.
  case avx512bf16

  package var native: qk_path {
    switch self {
    case .plain: QK_PATH_PLAIN
    case .avx2: QK_PATH_AVX2
    case .avx512: QK_PATH_AVX512
    case .avx512f: QK_PATH_AVX512_F
    case .avx512vnni: QK_PATH_AVX512_VNNI
    case .avx512bf16: QK_PATH_AVX512_BF16
    }
  }

  /// Whether this CPU has the instructions.
  public var isAvailable: Bool { qk_path_available(native) != 0 }

  /// The path used when none is asked for: the widest available, or what `QUARRY_KERNELS` names.
  public static var chosen: KernelPath {
    allCases.first { $0.native == qk_path_resolved(QK_PATH_AUTO) } ?? .plain
  }
}

/// What the factors of an encoder's products are: part of the embedding identity, so it comes from configuration and
/// never from the CPU. Each scheme gives the same vectors on every ``KernelPath``, to rounding.
public enum NumericScheme: String, Sendable, CaseIterable {
  /// 32-bit floats.
  case fp32
  /// Weights and activations rounded to bfloat16.
  case bf16
  /// Weights as signed bytes, scaled by output; activations as unsigned bytes, scaled and offset by token; attention
  /// in 16-bit words. Equal to the last bit on every path.
  case int8

  package var native: qk_scheme {
    switch self {
    case .fp32: QK_SCHEME_FP32
    case .bf16: QK_SCHEME_BF16
    case .int8: QK_SCHEME_INT8
    }
  }
}

/// A packed encoder; owns its memory and keeps the file that its embedding tables are read from.
final class Encoder: Sendable {
  private nonisolated(unsafe) let native: OpaquePointer
  private let weights: MappedFile
  /// Components of a vector.
  let dimension: Int
  /// The longest sequence that the model has positions for.
  let positions: Int

  init(
    configuration: BERTConfiguration, weights file: MappedFile, scheme: NumericScheme, path: KernelPath?, threads: Int
  ) throws(LocalModelsError) {
    let tensors = try Safetensors(file.bytes)
    guard let base = file.bytes.baseAddress else { throw .unreadable("the weights are empty") }
    let hidden = configuration.hidden
    let wide = configuration.intermediate

    func pointer(_ name: String, _ shape: Int...) throws(LocalModelsError) -> UnsafeRawPointer {
      base + (try tensors.tensor(name, shape)).bytes.lowerBound
    }

    var layers: [qk_encoder_layer] = []
    for index in 0..<configuration.layers {
      let prefix = "encoder.layer.\(index)."
      let attention = prefix + "attention."
      layers.append(
        qk_encoder_layer(
          query_weight: try pointer(attention + "self.query.weight", hidden, hidden),
          query_bias: try pointer(attention + "self.query.bias", hidden),
          key_weight: try pointer(attention + "self.key.weight", hidden, hidden),
          key_bias: try pointer(attention + "self.key.bias", hidden),
          value_weight: try pointer(attention + "self.value.weight", hidden, hidden),
          value_bias: try pointer(attention + "self.value.bias", hidden),
          attention_output_weight: try pointer(attention + "output.dense.weight", hidden, hidden),
          attention_output_bias: try pointer(attention + "output.dense.bias", hidden),
          attention_norm_weight: try pointer(attention + "output.LayerNorm.weight", hidden),
          attention_norm_bias: try pointer(attention + "output.LayerNorm.bias", hidden),
          intermediate_weight: try pointer(prefix + "intermediate.dense.weight", wide, hidden),
          intermediate_bias: try pointer(prefix + "intermediate.dense.bias", wide),
          output_weight: try pointer(prefix + "output.dense.weight", hidden, wide),
          output_bias: try pointer(prefix + "output.dense.bias", hidden),
          output_norm_weight: try pointer(prefix + "output.LayerNorm.weight", hidden),
          output_norm_bias: try pointer(prefix + "output.LayerNorm.bias", hidden)))
    }
    let words = try tensors.tensor("embeddings.word_embeddings.weight", [configuration.vocabulary, hidden])
    let positions = try tensors.tensor(
      "embeddings.position_embeddings.weight", [configuration.positions, hidden])
    let types = try tensors.tensor(
      "embeddings.token_type_embeddings.weight", [configuration.tokenTypes, hidden])
    let normWeight = try pointer("embeddings.LayerNorm.weight", hidden)
    let normBias = try pointer("embeddings.LayerNorm.bias", hidden)
    var shape = qk_encoder_shape(
      layers: Int32(configuration.layers), hidden: Int32(hidden), heads: Int32(configuration.heads),
      intermediate: Int32(wide), vocabulary: Int32(configuration.vocabulary),
      positions: Int32(configuration.positions), layer_norm_epsilon: Float(configuration.layerNormEpsilon))
    var status = QK_OK
    let created = layers.withUnsafeBufferPointer { layers in
      var native = qk_encoder_weights(
        word_embeddings: base + words.bytes.lowerBound, position_embeddings: base + positions.bytes.lowerBound,
        type_embedding: base + types.bytes.lowerBound, embedding_norm_weight: normWeight,
        embedding_norm_bias: normBias, layers: layers.baseAddress)
      return qk_encoder_create(
        &shape, &native, scheme.native, path?.native ?? QK_PATH_AUTO, Int32(clamping: threads), &status)
    }
    guard let created else { throw Self.error(status) }
    native = created
    weights = file
    dimension = hidden
    self.positions = configuration.positions
    // The layers were copied into panels; only the embedding tables are read from the file again.
    for (name, tensor) in tensors.tensors where name.hasPrefix("encoder.") { file.release(tensor.bytes) }
  }

  deinit {
    qk_encoder_free(native)
  }

  /// Embeds sequences of token ids, in order, on `threads` threads of which the caller's is one. Blocks.
  func embed(_ sequences: [[Int32]], threads: Int) throws(LocalModelsError) -> [Embedding] {
    var offsets: [Int] = [0]
    offsets.reserveCapacity(sequences.count + 1)
    for sequence in sequences { offsets.append(offsets[offsets.count - 1] + sequence.count) }
    var vectors = [Float](repeating: 0, count: sequences.count * dimension)
    var norms = [Float](repeating: 0, count: sequences.count)
    let status = qk_encoder_embed(
      native, sequences.flatMap { $0 }, offsets, sequences.count, Int32(clamping: threads), &vectors, &norms)
    guard status == QK_OK else { throw Self.error(status) }
    return sequences.indices.map { index in
      Embedding(unit: Array(vectors[index * dimension..<(index + 1) * dimension]), norm: norms[index])
    }
  }

  private static func error(_ status: qk_status) -> LocalModelsError {
    switch status {
    case QK_OUT_OF_MEMORY:
      LocalModelsError(
        code: "model.out_of_memory", category: .unavailable, message: "There is no memory for the embedding model",
        remedy: "Give the process 250 MB or more.")
    case QK_BAD_SHAPE:
      .unsupported("The model's sizes are not multiples of 32, or out of range")
    default:
      LocalModelsError(
        code: "model.internal", category: .internal, message: "The embedding kernels refused their input")
    }
  }
}
