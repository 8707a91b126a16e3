public import Core

/// A document as passages and citations name it.
public struct DocumentReferenceBody: Codable, Sendable, Hashable {
  /// The document's id.
  public var id: String
  /// Its file name.
  public var name: String
  /// Where it is.
  public var uri: String
  /// SHA-256 of the version retrieved.
  public var version: String
  /// Its collection.
  public var collection: String

  /// Creates the body of a reference.
  public init(_ reference: DocumentReference) {
    id = reference.id.rawValue
    name = reference.name
    uri = reference.uri.rawValue
    version = reference.version.rawValue
    collection = reference.collection.rawValue
  }
}

/// A range of a page's text.
public struct PageRangeBody: Codable, Sendable, Hashable {
  /// 1-based PDF page.
  public var page: Int
  /// The printed number; absent when it equals the PDF page.
  public var pageLabel: String?
  /// First Unicode scalar of the page's text.
  public var start: Int
  /// One past the last.
  public var end: Int

  enum CodingKeys: String, CodingKey {
    case page, start, end
    case pageLabel = "page_label"
  }

  /// Creates the body of a range.
  public init(_ range: PageRange) {
    page = range.page
    pageLabel = range.label
    start = range.range.lowerBound
    end = range.range.upperBound
  }
}

/// Rank and raw score of one leg.
public struct LegScoreBody: Codable, Sendable, Hashable {
  /// Rank in the leg, from 1.
  public var rank: Int
  /// Raw score.
  public var score: Double

  package init(rank: Int, score: Double) {
    self.rank = rank
    self.score = score
  }
}

/// A passage.
public struct PassageBody: Codable, Sendable, Hashable {
  /// Rank among the passages, from 1.
  public var rank: Int
  /// The chunk's id.
  public var chunkID: String
  /// Its document.
  public var document: DocumentReferenceBody
  /// Where it stands.
  public var pages: [PageRangeBody]
  /// Headings above it, outermost first.
  public var headingPath: [String]
  /// Its text.
  public var text: String
  /// Cosine between question and passage.
  public var similarity: Float
  /// The fused score.
  public var score: Double
  /// The reranker's score; absent when none ordered the passages.
  public var rerankScore: Double?
  /// By leg: `dense`, `lexical`, `trigram`.
  public var legs: [String: LegScoreBody]
  /// Documents with the equal passage.
  public var alsoIn: [DocumentReferenceBody]

  enum CodingKeys: String, CodingKey {
    case rank, document, pages, text, similarity, score, legs
    case chunkID = "chunk_id"
    case headingPath = "heading_path"
    case rerankScore = "rerank_score"
    case alsoIn = "also_in"
  }

  /// Creates the body of a passage.
  public init(_ passage: Passage) {
    rank = passage.rank
    chunkID = passage.chunk.id.rawValue
    document = DocumentReferenceBody(passage.document)
    pages = passage.chunk.pages.map(PageRangeBody.init)
    headingPath = passage.chunk.headingPath
    text = passage.chunk.text
    similarity = passage.similarity
    score = passage.score
    rerankScore = passage.rerankScore
    legs = Dictionary(
      uniqueKeysWithValues: passage.legs.map {
        ($0.key.rawValue, LegScoreBody(rank: $0.value.rank, score: $0.value.score))
      })
    alsoIn = passage.alsoIn.map(DocumentReferenceBody.init)
  }
}
