/// Which documents a search may see. Filters apply before ranking.
public struct SearchFilter: Sendable, Hashable, Codable {
  /// Only these collections; nil for all that the caller may read.
  public var collections: Set<CollectionName>?
  /// Only these documents; nil for all.
  public var documents: Set<DocumentID>?
  /// Only documents whose metadata attributes have all these values.
  public var attributes: [String: String]

  /// Creates a filter; by default everything passes.
  public init(
    collections: Set<CollectionName>? = nil, documents: Set<DocumentID>? = nil, attributes: [String: String] = [:]
  ) {
    self.collections = collections
    self.documents = documents
    self.attributes = attributes
  }

  /// Whether nothing is filtered.
  public var isEmpty: Bool { collections == nil && documents == nil && attributes.isEmpty }
}

/// A question with what it asks of retrieval and answer.
public struct Question: Sendable, Hashable {
  /// The question as asked.
  public var text: String
  /// The conversation it continues; nil for none.
  public var conversation: ConversationID?
  /// What may be searched.
  public var filter: SearchFilter
  /// How many passages to retrieve; nil for the configured number.
  public var topK: Int?
  /// The lowest cosine a passage may have; nil for the configured value.
  public var minimumSimilarity: Float?

  /// Creates a question.
  public init(
    text: String, conversation: ConversationID? = nil, filter: SearchFilter = .init(), topK: Int? = nil,
    minimumSimilarity: Float? = nil
  ) {
    self.text = text
    self.conversation = conversation
    self.filter = filter
    self.topK = topK
    self.minimumSimilarity = minimumSimilarity
  }
}

/// What retrieval found, with how it was found.
public struct Retrieval: Sendable, Hashable {
  /// The passages, best first.
  public var passages: [Passage]
  /// The legs that took part.
  public var legs: [RetrievalLeg]
  /// The embedding of the question; nil when the dense leg was dropped.
  public var questionEmbedding: Embedding?
  /// The identity of that embedding.
  public var embeddingIdentity: EmbeddingIdentity?
  /// The store version searched.
  public var storeVersion: StoreVersion
  /// How sure retrieval is that the passages answer the question, 0 to 1; compared with the refusal threshold.
  public var confidence: Double
  /// Wall time of embedding the question, seconds.
  public var embeddingSeconds: Double
  /// Wall time of searching and fusing, seconds.
  public var searchSeconds: Double
  /// The reranker asked, by name; nil for none.
  public var reranker: String?
  /// Wall time of reranking, seconds; nil when there was none.
  public var rerankSeconds: Double?
  /// The code of the error of the reranker; the passages are then in the fused order.
  public var rerankFailure: String?
  /// What the reader should know, such as a dropped leg or unreadable pages.
  public var warnings: [AnswerWarning]

  /// Creates a retrieval.
  public init(
    passages: [Passage], legs: [RetrievalLeg], questionEmbedding: Embedding?,
    embeddingIdentity: EmbeddingIdentity?, storeVersion: StoreVersion, confidence: Double,
    embeddingSeconds: Double = 0, searchSeconds: Double = 0, reranker: String? = nil, rerankSeconds: Double? = nil,
    rerankFailure: String? = nil, warnings: [AnswerWarning] = []
  ) {
    self.reranker = reranker
    self.rerankSeconds = rerankSeconds
    self.rerankFailure = rerankFailure
    self.passages = passages
    self.legs = legs
    self.questionEmbedding = questionEmbedding
    self.embeddingIdentity = embeddingIdentity
    self.storeVersion = storeVersion
    self.confidence = confidence
    self.embeddingSeconds = embeddingSeconds
    self.searchSeconds = searchSeconds
    self.warnings = warnings
  }
}
