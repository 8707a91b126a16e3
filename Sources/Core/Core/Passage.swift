/// One way of finding chunks.
public enum RetrievalLeg: String, Sendable, Codable, CaseIterable, CodingKeyRepresentable {
  /// Nearest embeddings.
  case dense
  /// BM25 over words.
  case lexical
  /// BM25 over trigrams, for scripts without spaces.
  case trigram
}

/// Where and how well one leg found a chunk.
public struct LegScore: Sendable, Hashable, Codable {
  /// Rank within the leg, from 1.
  public var rank: Int
  /// The backend's raw score; higher is better, scale depends on leg and backend.
  public var score: Double

  /// Creates a leg's score.
  public init(rank: Int, score: Double) {
    self.rank = rank
    self.score = score
  }
}

/// A document as a passage or citation names it.
public struct DocumentReference: Sendable, Hashable, Codable {
  /// The document.
  public var id: DocumentID
  /// Its file name.
  public var name: String
  /// Where it is.
  public var uri: SourceURI
  /// The version retrieved.
  public var version: ContentVersion
  /// Its collection.
  public var collection: CollectionName
  /// Its title; nil when it has none.
  public var title: String?

  /// Creates a reference.
  public init(
    id: DocumentID, name: String, uri: SourceURI, version: ContentVersion, collection: CollectionName,
    title: String? = nil
  ) {
    self.id = id
    self.name = name
    self.uri = uri
    self.version = version
    self.collection = collection
    self.title = title
  }
}

/// A chunk as an index gives it back, with the document that owns it.
public struct StoredChunk: Sendable, Hashable {
  /// The chunk.
  public var chunk: Chunk
  /// Its document.
  public var document: DocumentReference
  /// SHA-256 of the embedded text: equal passages have equal hashes of `chunk.text`, compared by retrieval.
  public var textHash: TextHash

  /// Creates a stored chunk.
  public init(chunk: Chunk, document: DocumentReference, textHash: TextHash) {
    self.chunk = chunk
    self.document = document
    self.textHash = textHash
  }
}

/// A retrieved chunk with its scores.
public struct Passage: Sendable, Hashable {
  /// Rank among the passages, from 1.
  public var rank: Int
  /// The chunk.
  public var chunk: Chunk
  /// The document it stands in.
  public var document: DocumentReference
  /// Cosine between question and chunk, −1 to 1, whichever leg found it.
  public var similarity: Float
  /// The fused score that ranks passages unless a reranker did; higher is better.
  public var score: Double
  /// The score of the reranker that ordered the passages anew; nil when none did.
  public var rerankScore: Double?
  /// Rank and raw score by each leg that found it.
  public var legs: [RetrievalLeg: LegScore]
  /// Other documents with the equal passage.
  public var alsoIn: [DocumentReference]

  /// Creates a passage.
  public init(
    rank: Int, chunk: Chunk, document: DocumentReference, similarity: Float, score: Double,
    rerankScore: Double? = nil, legs: [RetrievalLeg: LegScore], alsoIn: [DocumentReference] = []
  ) {
    self.rerankScore = rerankScore
    self.rank = rank
    self.chunk = chunk
    self.document = document
    self.similarity = similarity
    self.score = score
    self.legs = legs
    self.alsoIn = alsoIn
  }
}
