import Concurrency
public import Core

/// An embedder without a model: each word (letters and digits, lower-cased) adds to one component that its hash
/// picks, so texts that share words are near each other. Deterministic everywhere.
public final class FakeEmbedder: Embedder {
  private struct State {
    var embedded: [String] = []
    var failure: (any Error)?
  }

  /// What makes its vectors comparable.
  public let identity: EmbeddingIdentity
  /// 200 tokens, a word being one.
  public let limit: EmbeddingLimit
  /// 16.
  public let batchSize = 16
  private let state = Locked(State())

  /// Creates an embedder; other `model` or `dimension`, other identity and other vectors.
  public init(model: String = "fake-words", dimension: Int = 64, maxTokens: Int = 200) {
    identity = Self.identity(model: model, dimension: dimension)
    limit = .tokens(maxTokens, counter: WordCounter())
  }

  /// The identity of an embedder with these settings.
  public static func identity(model: String = "fake-words", dimension: Int = 64) -> EmbeddingIdentity {
    EmbeddingIdentity(
      model: model, revision: "1", dimension: dimension, pooling: "mean", truncation: "none", numericScheme: "fp32")
  }

  /// Every text embedded so far through ``embed(_:as:)``, in order: proof of what was computed and what reused.
  public var embeddedTexts: [String] { state.withLock { $0.embedded } }

  /// Makes every later call throw `error`, until nil is set.
  public func fail(with error: (any Error)?) { state.withLock { $0.failure = error } }

  /// Embeds `texts`.
  public func embed(_ texts: [String], as input: EmbeddingInput) async throws -> [Embedding] {
    try Task.checkCancellation()
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.embedded += texts
    }
    return texts.map(embedding(of:))
  }

  /// The vector of one text, without recording a call.
  public func embedding(of text: String) -> Embedding {
    var vector = [Float](repeating: 0, count: identity.dimension)
    // A text without words still needs a direction.
    vector[0] = 0.05
    for word in FakeWords.words(of: text) {
      let hash = FNV1a.hash((identity.model + word).utf8)
      vector[Int(hash % UInt64(vector.count))] += 1
    }
    return Embedding(normalising: vector) ?? Embedding(unit: vector)
  }
}

/// Counts words as tokens, with two special ones.
public struct WordCounter: TokenCounter {
  /// Creates a counter.
  public init() {}
  /// The number of words.
  public func count(_ text: String) -> Int { FakeWords.words(of: text).count }
  /// Two, as BERT's.
  public var specialTokens: Int { 2 }
}

enum FakeWords {
  /// Runs of letters and digits, lower-cased.
  static func words(of text: String) -> [String] {
    var words: [String] = []
    var current = String.UnicodeScalarView()
    for scalar in text.lowercased().unicodeScalars {
      if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
        current.append(scalar)
      } else if !current.isEmpty {
        words.append(String(current))
        current = String.UnicodeScalarView()
      }
    }
    if !current.isEmpty { words.append(String(current)) }
    return words
  }

  /// All runs of three scalars, lower-cased; the whole text when it is shorter.
  static func trigrams(of text: String) -> [String] {
    let scalars = Array(text.lowercased().unicodeScalars)
    guard scalars.count > 3 else { return scalars.isEmpty ? [] : [text.lowercased()] }
    return (0...scalars.count - 3).map { start in
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[start..<start + 3])
      return String(view)
    }
  }
}
