/// A passage-sized piece of one document: the unit of retrieval.
public struct Chunk: Sendable, Hashable {
  /// Its identity.
  public var id: ChunkID
  /// The document that owns it.
  public var document: DocumentID
  /// Its place among the document's chunks, from 0.
  public var ordinal: Int
  /// The text as cited: the pieces of page text that `pages` names, joined by a space or line end.
  public var text: String
  /// Where the text stands, in reading order; at least one.
  public var pages: [PageRange]
  /// Headings above it, outermost first.
  public var headingPath: [String]
  /// The text that is embedded and indexed: `text`, perhaps under a title and heading prefix.
  public var embeddedText: String
  /// Whether it is contents or index matter, which ranks below equals.
  public var isLowValue: Bool

  /// Creates a chunk.
  public init(
    id: ChunkID, document: DocumentID, ordinal: Int, text: String, pages: [PageRange], headingPath: [String],
    embeddedText: String, isLowValue: Bool = false
  ) {
    self.id = id
    self.document = document
    self.ordinal = ordinal
    self.text = text
    self.pages = pages
    self.headingPath = headingPath
    self.embeddedText = embeddedText
    self.isLowValue = isLowValue
  }
}

/// A vector of unit length, with the length it had before.
public struct Embedding: Sendable, Hashable {
  /// Components, L2-normalised; as many as the identity's dimension.
  public var vector: [Float]
  /// The L2 norm before normalisation; 1 for models that normalise.
  public var norm: Float

  /// Wraps a vector that is already of unit length.
  public init(unit vector: [Float], norm: Float = 1) {
    self.vector = vector
    self.norm = norm
  }

  /// Normalises `vector`; nil when it is all zero or has a component that is not finite.
  public init?(normalising vector: [Float]) {
    var sum: Double = 0
    for component in vector { sum += Double(component) * Double(component) }
    let norm = sum.squareRoot()
    guard norm.isFinite, norm > 0 else { return nil }
    self.vector = vector.map { Float(Double($0) / norm) }
    self.norm = Float(norm)
  }

  /// The cosine of the angle to another unit vector: −1 to 1.
  public func cosine(to other: Embedding) -> Float {
    var sum: Float = 0
    for (a, b) in zip(vector, other.vector) { sum += a * b }
    return sum
  }
}

/// Everything that makes two vectors comparable. Vectors of different identities are never mixed.
public struct EmbeddingIdentity: Sendable, Hashable, Codable {
  /// The model's name, such as `all-MiniLM-L6-v2`.
  public var model: String
  /// SHA-256 of the weights, or the provider's revision.
  public var revision: String
  /// Number of components.
  public var dimension: Int
  /// `mean`, `cls` or the provider's own.
  public var pooling: String
  /// `l2` or `none`.
  public var normalisation: String
  /// Text put before documents before embedding.
  public var documentPrefix: String
  /// Text put before questions before embedding.
  public var queryPrefix: String
  /// Where the model cuts its input, such as `256 tokens`.
  public var truncation: String
  /// The numeric scheme, such as `fp32`: chosen by configuration, never by the CPU.
  public var numericScheme: String

  /// Creates an identity.
  public init(
    model: String, revision: String, dimension: Int, pooling: String, normalisation: String = "l2",
    documentPrefix: String = "", queryPrefix: String = "", truncation: String, numericScheme: String
  ) {
    self.model = model
    self.revision = revision
    self.dimension = dimension
    self.pooling = pooling
    self.normalisation = normalisation
    self.documentPrefix = documentPrefix
    self.queryPrefix = queryPrefix
    self.truncation = truncation
    self.numericScheme = numericScheme
  }

  /// All fields in one line, in a fixed order: equal exactly when the identities are equal.
  public var canonical: String {
    [
      model, revision, String(dimension), pooling, normalisation, documentPrefix, queryPrefix, truncation,
      numericScheme,
    ].map { "\($0.utf8.count):\($0)" }.joined(separator: "|")
  }

  /// A short form for people: model, dimension and scheme.
  public var summary: String { "\(model) (\(dimension) dimensions, \(numericScheme), \(revision.prefix(12)))" }
}

/// A chunk with its embedding.
public struct EmbeddedChunk: Sendable, Hashable {
  /// The chunk.
  public var chunk: Chunk
  /// SHA-256 of `chunk.embeddedText`.
  public var textHash: TextHash
  /// The embedding of `chunk.embeddedText`.
  public var embedding: Embedding
  /// Whether it came from the cache: nothing was computed or paid for.
  public var isReused: Bool

  /// Creates an embedded chunk.
  public init(chunk: Chunk, textHash: TextHash, embedding: Embedding, isReused: Bool = false) {
    self.chunk = chunk
    self.textHash = textHash
    self.embedding = embedding
    self.isReused = isReused
  }
}
