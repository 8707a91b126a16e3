public import FoundationEssentials

/// A document of the library: bytes at a URI, in a collection.
public struct Document: Sendable, Hashable, Codable {
  /// Its lasting identity; a rename keeps it.
  public let id: DocumentID
  /// The collection it belongs to.
  public let collection: CollectionName
  /// Where it is now.
  public let uri: SourceURI
  /// 0 for the first document at its first URI; the next number once that one moved away or was deleted.
  public let generation: Int
  /// SHA-256 of its bytes.
  public let version: ContentVersion

  /// Creates a document from its parts.
  public init(
    id: DocumentID, collection: CollectionName, uri: SourceURI, generation: Int, version: ContentVersion
  ) {
    self.id = id
    self.collection = collection
    self.uri = uri
    self.generation = generation
    self.version = version
  }

  /// The file name shown to people.
  public var name: String { uri.name }
}

/// What a PDF says of itself, plus what a source or user attached.
public struct DocumentMetadata: Sendable, Hashable, Codable {
  /// The title of the document information or XMP; nil when absent or blank.
  public var title: String?
  /// The author, as written there.
  public var author: String?
  /// When the document says it was created.
  public var created: Date?
  /// When the document says it was changed last.
  public var modified: Date?
  /// Free key–value pairs for filters, for example from S3 object tags or flags.
  public var attributes: [String: String]

  /// Creates metadata; everything is optional.
  public init(
    title: String? = nil, author: String? = nil, created: Date? = nil, modified: Date? = nil,
    attributes: [String: String] = [:]
  ) {
    self.title = title
    self.author = author
    self.created = created
    self.modified = modified
    self.attributes = attributes
  }
}

/// Where a document stands, for catalogues and health: never `ready` with nothing in it.
public enum DocumentState: String, Sendable, Codable, CaseIterable {
  /// Every page was read and at least one has text.
  case ready
  /// Searchable, but some pages could not be read or were not delivered.
  case incomplete
  /// Nothing in it can be searched: no page has readable text.
  case unreadable
  /// Ingestion failed; the reason is beside it and nothing of it is indexed.
  case failed
}

/// A document as the catalogue lists it.
public struct CatalogueEntry: Sendable, Hashable, Codable {
  /// The document itself.
  public var document: Document
  /// Title, author, dates and attributes.
  public var metadata: DocumentMetadata
  /// Where it stands.
  public var state: DocumentState
  /// Why it is not `ready`; nil when it is.
  public var reason: String?
  /// The number of pages of the page tree.
  public var pageCount: Int
  /// How many pages are in each coverage state.
  public var coverage: [PageCoverage: Int]
  /// The number of chunks indexed.
  public var chunkCount: Int
  /// Bytes of the original.
  public var byteCount: Int
  /// The pipeline that made its text and chunks.
  public var pipeline: PipelineVersion
  /// When this version was committed.
  public var indexed: Date

  /// Creates an entry from its parts.
  public init(
    document: Document, metadata: DocumentMetadata, state: DocumentState, reason: String? = nil, pageCount: Int,
    coverage: [PageCoverage: Int], chunkCount: Int, byteCount: Int, pipeline: PipelineVersion, indexed: Date
  ) {
    self.document = document
    self.metadata = metadata
    self.state = state
    self.reason = reason
    self.pageCount = pageCount
    self.coverage = coverage
    self.chunkCount = chunkCount
    self.byteCount = byteCount
    self.pipeline = pipeline
    self.indexed = indexed
  }
}
