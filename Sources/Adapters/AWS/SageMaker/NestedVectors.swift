import Core
import FoundationEssentials

/// How the vectors of a text's tokens become one.
public enum TokenPooling: String, Sendable, CaseIterable {
  /// Their mean.
  case mean
  /// The first token's, which BERT's kind calls CLS.
  case cls
}

/// Numbers in lists of one to four levels, as feature extraction answers them: a vector, a vector a text, a vector a
/// token of a text, the same once more in lists of one.
indirect enum NestedVectors: Decodable, Sendable {
  case vector([Float])
  case list([NestedVectors])

  init(from decoder: any Decoder) throws {
    do {
      self = .vector(try [Float](from: decoder))
    } catch {
      var list = try decoder.unkeyedContainer()
      var elements: [NestedVectors] = []
      while !list.isAtEnd { elements.append(try list.decode(NestedVectors.self)) }
      self = .list(elements)
    }
  }

  /// One vector a text; nil when the levels do not fit that number of texts.
  func vectors(of count: Int, pooling: TokenPooling) -> [[Float]]? {
    switch self {
    case .vector(let vector): return count == 1 ? [vector] : nil
    case .list(let elements):
      if elements.count == count {
        let vectors = elements.compactMap { $0.pooled(pooling) }
        if vectors.count == count { return vectors }
      }
      // Either the tokens of the one text, or a list of one around everything.
      if count == 1 { return pooled(pooling).map { [$0] } }
      return elements.count == 1 ? elements[0].vectors(of: count, pooling: pooling) : nil
    }
  }

  /// One text's vector.
  private func pooled(_ pooling: TokenPooling) -> [Float]? {
    switch self {
    case .vector(let vector): return vector
    case .list(let elements):
      if elements.count == 1 { return elements[0].pooled(pooling) }
      var tokens: [[Float]] = []
      for case .vector(let vector) in elements { tokens.append(vector) }
      guard tokens.count == elements.count, let first = tokens.first else { return nil }
      guard pooling == .mean else { return first }
      var sum = [Double](repeating: 0, count: first.count)
      for token in tokens {
        guard token.count == first.count else { return nil }
        for (index, value) in token.enumerated() { sum[index] += Double(value) }
      }
      return sum.map { Float($0 / Double(tokens.count)) }
    }
  }
}
