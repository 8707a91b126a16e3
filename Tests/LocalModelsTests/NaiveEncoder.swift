import CKernels
import Foundation
import LocalModels

/// BERT with mean pooling as its papers write it, in double precision, and the same weights given to the kernels.
struct NaiveEncoder {
  let shape: qk_encoder_shape
  /// By name of `qk_encoder_layer`'s members, a dictionary for each layer.
  private var layers: [[String: [Float]]] = []
  private let words: [Float]
  private let places: [Float]
  private let type: [Float]
  private let normWeight: [Float]
  private let normBias: [Float]

  private static let linear = ["query", "key", "value", "attention_output", "intermediate", "output"]

  init(
    layers count: Int, hidden: Int, heads: Int, intermediate: Int, vocabulary: Int, positions: Int,
    constant: Float? = nil
  ) {
    shape = qk_encoder_shape(
      layers: Int32(count), hidden: Int32(hidden), heads: Int32(heads), intermediate: Int32(intermediate),
      vocabulary: Int32(vocabulary), positions: Int32(positions), layer_norm_epsilon: 1e-12)
    var state: UInt64 = 7
    func numbers(_ count: Int, _ size: Float, about centre: Float = 0) -> [Float] {
      (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return constant ?? centre + size * Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
      }
    }
    words = numbers(vocabulary * hidden, 1)
    places = numbers(positions * hidden, 0.5)
    type = numbers(hidden, 0.2)
    normWeight = numbers(hidden, 0.3, about: 1)
    normBias = numbers(hidden, 0.1)
    for _ in 0..<count {
      var layer: [String: [Float]] = [:]
      for name in Self.linear {
        let outputs = name == "intermediate" ? intermediate : hidden
        let inputs = name == "output" ? intermediate : hidden
        layer[name + "_weight"] = numbers(outputs * inputs, 3 / Float(inputs).squareRoot())
        layer[name + "_bias"] = numbers(outputs, 0.1)
      }
      for name in ["attention_norm", "output_norm"] {
        layer[name + "_weight"] = numbers(hidden, 0.3, about: 1)
        layer[name + "_bias"] = numbers(hidden, 0.1)
      }
      layers.append(layer)
    }
  }

  // MARK: The kernels

  /// The kernels' vector; nil when they refuse.
  func native(_ ids: [Int32], _ scheme: NumericScheme, _ path: KernelPath) -> [Float]? {
    // Copies at odd addresses: weights in a file have any alignment.
    var kept: [UnsafeMutableRawPointer] = []
    defer { for pointer in kept { pointer.deallocate() } }
    func copy(_ numbers: [Float]?) -> UnsafeRawPointer {
      let bytes = (numbers ?? []).withUnsafeBytes { Array($0) }
      let pointer = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 1, alignment: 64)
      kept.append(pointer)
      (pointer + 1).copyMemory(from: bytes, byteCount: bytes.count)
      return UnsafeRawPointer(pointer + 1)
    }
    let native = layers.map { layer in
      qk_encoder_layer(
        query_weight: copy(layer["query_weight"]), query_bias: copy(layer["query_bias"]),
        key_weight: copy(layer["key_weight"]), key_bias: copy(layer["key_bias"]),
        value_weight: copy(layer["value_weight"]), value_bias: copy(layer["value_bias"]),
        attention_output_weight: copy(layer["attention_output_weight"]),
        attention_output_bias: copy(layer["attention_output_bias"]),
        attention_norm_weight: copy(layer["attention_norm_weight"]),
        attention_norm_bias: copy(layer["attention_norm_bias"]),
        intermediate_weight: copy(layer["intermediate_weight"]), intermediate_bias: copy(layer["intermediate_bias"]),
        output_weight: copy(layer["output_weight"]), output_bias: copy(layer["output_bias"]),
        output_norm_weight: copy(layer["output_norm_weight"]), output_norm_bias: copy(layer["output_norm_bias"]))
    }
    var shape = shape
    var status = QK_OK
    let encoder = native.withUnsafeBufferPointer { layers in
      var weights = qk_encoder_weights(
        word_embeddings: copy(words), position_embeddings: copy(places), type_embedding: copy(type),
        embedding_norm_weight: copy(normWeight), embedding_norm_bias: copy(normBias), layers: layers.baseAddress)
      return qk_encoder_create(&shape, &weights, scheme.native, path.native, 2, &status)
    }
    guard let encoder else { return nil }
    defer { qk_encoder_free(encoder) }
    var vector = [Float](repeating: 0, count: Int(shape.hidden))
    guard qk_encoder_embed(encoder, ids, [0, ids.count], 1, 1, &vector, nil) == QK_OK else { return nil }
    return vector
  }

  // MARK: The formulas

  func embed(_ ids: [Int]) -> [Double] {
    let hidden = Int(shape.hidden)
    var states = ids.enumerated().map { place, id in
      (0..<hidden).map { Double(words[id * hidden + $0] + places[place * hidden + $0] + type[$0]) }
    }
    states = states.map { normalised($0, normWeight, normBias) }
    for layer in layers {
      let context = attention(states, layer)
      states = zip(states, linear(context, layer, "attention_output")).map { state, out in
        normalised(zip(state, out).map(+), layer["attention_norm_weight"], layer["attention_norm_bias"])
      }
      let wide = linear(states, layer, "intermediate").map { $0.map { $0 / 2 * (1 + erf($0 / 2.0.squareRoot())) } }
      states = zip(states, linear(wide, layer, "output")).map { state, out in
        normalised(zip(state, out).map(+), layer["output_norm_weight"], layer["output_norm_bias"])
      }
    }
    let mean = (0..<hidden).map { column in states.reduce(0) { $0 + $1[column] } / Double(states.count) }
    let norm = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return mean.map { $0 / norm }
  }

  private func linear(_ rows: [[Double]], _ layer: [String: [Float]], _ name: String) -> [[Double]] {
    let bias = layer[name + "_bias"] ?? []
    let weight = (layer[name + "_weight"] ?? []).map(Double.init)
    return rows.map { row in
      bias.indices.map { output in
        row.indices.reduce(Double(bias[output])) { $0 + row[$1] * weight[output * row.count + $1] }
      }
    }
  }

  private func normalised(_ row: [Double], _ weight: [Float]?, _ bias: [Float]?) -> [Double] {
    let mean = row.reduce(0, +) / Double(row.count)
    let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
    return zip(row, zip(weight ?? [], bias ?? [])).map { value, affine in
      (value - mean) / (variance + Double(shape.layer_norm_epsilon)).squareRoot() * Double(affine.0)
        + Double(affine.1)
    }
  }

  private func attention(_ states: [[Double]], _ layer: [String: [Float]]) -> [[Double]] {
    let queries = linear(states, layer, "query")
    let keys = linear(states, layer, "key")
    let values = linear(states, layer, "value")
    let head = Int(shape.hidden / shape.heads)
    var context = states.map { $0.map { _ in 0.0 } }
    for start in stride(from: 0, to: Int(shape.hidden), by: head) {
      for (row, query) in queries.enumerated() {
        let scores = keys.map { key in
          (start..<start + head).reduce(0) { $0 + query[$1] * key[$1] } / Double(head).squareRoot()
        }
        let highest = scores.max() ?? 0
        let weights = scores.map { exp($0 - highest) }
        let total = weights.reduce(0, +)
        for column in start..<start + head {
          context[row][column] = zip(weights, values).reduce(0) { $0 + $1.0 * $1.1[column] } / total
        }
      }
    }
    return context
  }
}
