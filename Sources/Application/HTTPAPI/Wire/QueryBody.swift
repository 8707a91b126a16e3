public import Core

/// Filters of a question.
public struct FiltersBody: Codable, Sendable, Hashable {
  /// Only these documents.
  public var documents: [String]?
  /// Only documents whose attributes have all these values.
  public var attributes: [String: String]?

  /// Creates filters.
  public init(documents: [String]? = nil, attributes: [String: String]? = nil) {
    self.documents = documents
    self.attributes = attributes
  }
}

/// A question: body of `POST /v1/query`; `/v1/search` takes it without `conversation_id` and `stream`.
public struct QueryBody: Codable, Sendable, Hashable {
  /// The question.
  public var question: String
  /// The conversation it continues.
  public var conversationID: String?
  /// Only this collection.
  public var collection: String?
  /// Further filters.
  public var filters: FiltersBody?
  /// Passages to retrieve, 1 to 100.
  public var topK: Int?
  /// Whether the answer comes as server-sent events.
  public var stream: Bool?

  enum CodingKeys: String, CodingKey {
    case question, collection, filters, stream
    case conversationID = "conversation_id"
    case topK = "top_k"
  }

  /// Creates a question.
  public init(
    question: String, conversationID: String? = nil, collection: String? = nil, filters: FiltersBody? = nil,
    topK: Int? = nil, stream: Bool? = nil
  ) {
    self.question = question
    self.conversationID = conversationID
    self.collection = collection
    self.filters = filters
    self.topK = topK
    self.stream = stream
  }

  /// The question as use cases know it.
  public var coreQuestion: Question {
    Question(
      text: question, conversation: conversationID.map(ConversationID.init(rawValue:)),
      filter: SearchFilter(
        collections: collection.map { [CollectionName(rawValue: $0)] },
        documents: filters?.documents.map { Set($0.map(DocumentID.init(rawValue:))) },
        attributes: filters?.attributes ?? [:]), topK: topK)
  }
}
