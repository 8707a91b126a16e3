public import Core
public import FoundationEssentials

/// A document of the catalogue: an item of `GET /v1/documents`.
public struct DocumentBody: Codable, Sendable, Hashable {
  /// The document's id.
  public var id: String
  /// Its file name.
  public var name: String
  /// Where it is.
  public var uri: String
  /// Its collection.
  public var collection: String
  /// SHA-256 of its bytes; absent while they are not known.
  public var version: String?
  /// `ready`, `incomplete` or `unreadable`; of a document that is not indexed, or whose next version is meant,
  /// `queued`, `running`, `retrying` or `failed`.
  public var state: String
  /// Why it is not ready; absent when it is.
  public var reason: String?
  /// Its title; absent when it has none.
  public var title: String?
  /// Its author; absent when it has none.
  public var author: String?
  /// When the document says it was created.
  public var created: Date?
  /// When the document says it was changed last.
  public var modified: Date?
  /// Attributes for filters.
  public var attributes: [String: String]
  /// Pages.
  public var pageCount: Int
  /// Pages by coverage: `text`, `empty`, `image_only`, `garbled`, `missing`.
  public var coverage: [String: Int]
  /// Chunks indexed.
  public var chunkCount: Int
  /// Bytes of the original.
  public var byteCount: Int
  /// The pipeline that made its text; absent while it has none.
  public var pipeline: String?
  /// When it was indexed; absent while it is not.
  public var indexed: Date?

  enum CodingKeys: String, CodingKey {
    case id, name, uri, collection, version, state, reason, title, author, created, modified, attributes, coverage,
      pipeline, indexed
    case pageCount = "page_count"
    case chunkCount = "chunk_count"
    case byteCount = "byte_count"
  }

  /// Creates the body of a catalogue entry.
  public init(_ entry: CatalogueEntry) {
    id = entry.document.id.rawValue
    name = entry.document.name
    uri = entry.document.uri.rawValue
    collection = entry.document.collection.rawValue
    version = entry.document.version.rawValue
    state = entry.state.rawValue
    reason = entry.reason
    title = entry.metadata.title
    author = entry.metadata.author
    created = entry.metadata.created
    modified = entry.metadata.modified
    attributes = entry.metadata.attributes
    pageCount = entry.pageCount
    coverage = Dictionary(uniqueKeysWithValues: entry.coverage.map { ($0.key.rawValue, $0.value) })
    chunkCount = entry.chunkCount
    byteCount = entry.byteCount
    pipeline = entry.pipeline.rawValue
    indexed = entry.indexed
  }

  /// Creates the body of a document known by its job alone.
  public init(_ job: IngestionJob, id: DocumentID) {
    self.id = id.rawValue
    name = job.uri.name
    uri = job.uri.rawValue
    collection = job.collection.rawValue
    version = job.uri.isUpload ? job.stamp : nil
    state = JobBody.word(for: job.state)
    reason = job.lastError.map { error in job.lastErrorCode.map { "\(error) (\($0))" } ?? error }
    attributes = [:]
    pageCount = 0
    coverage = [:]
    chunkCount = 0
    byteCount = 0
  }
}

/// How one page could be read.
public struct PageCoverageBody: Codable, Sendable, Hashable {
  /// 1-based PDF page.
  public var page: Int
  /// The printed number; absent when it equals the PDF page.
  public var pageLabel: String?
  /// `text`, `empty`, `image_only`, `garbled` or `missing`.
  public var coverage: String
  /// Why it is not `text`; absent when it is.
  public var reason: String?
  /// How its text was read from its image; absent when it stands in the file.
  public var recognition: RecognitionBody?

  enum CodingKeys: String, CodingKey {
    case page, coverage, reason, recognition
    case pageLabel = "page_label"
  }

  /// Creates the body of a page's state.
  public init(_ state: PageState) {
    page = state.page
    pageLabel = state.label
    coverage = state.coverage.rawValue
    reason = state.reason
    recognition = state.recognition.map(RecognitionBody.init)
  }
}

/// Says that text was read from a page's image (OCR).
public struct RecognitionBody: Codable, Sendable, Hashable {
  /// The recognizer and its version, such as `tesseract 5.3.0`.
  public var recognizer: String
  /// Mean confidence of the page's characters, 0 to 1.
  public var confidence: Float

  /// Creates the body of a mark.
  public init(_ recognition: TextRecognition) {
    recognizer = recognition.recognizer
    confidence = recognition.confidence
  }
}

/// A document with the coverage of each page: body of `GET /v1/documents/{id}` and of `documents show --json`.
public struct DocumentDetailBody: Codable, Sendable, Hashable {
  /// The document.
  public var document: DocumentBody
  /// Its pages.
  public var pages: [PageCoverageBody]
  /// The work on it, or on its next version; absent when there is none to do.
  public var job: JobBody?

  /// Creates the body.
  public init(document: DocumentBody, pages: [PageCoverageBody], job: JobBody? = nil) {
    self.document = document
    self.pages = pages
    self.job = job
  }
}

/// A page of the catalogue: body of `GET /v1/documents` and of `documents list --json`.
public struct DocumentListBody: Codable, Sendable, Hashable {
  /// The documents, by id.
  public var documents: [DocumentBody]
  /// Pass it as `cursor` for the next page; absent at the end.
  public var nextCursor: String?

  enum CodingKeys: String, CodingKey {
    case documents
    case nextCursor = "next_cursor"
  }

  /// Creates the body.
  public init(documents: [DocumentBody], nextCursor: String?) {
    self.documents = documents
    self.nextCursor = nextCursor
  }
}

/// The text of a page with the place of every scalar: body of `GET /v1/documents/{id}/pages/{n}`.
public struct PageBody: Codable, Sendable, Hashable {
  /// The document's id.
  public var documentID: String
  /// 1-based PDF page.
  public var page: Int
  /// The printed number; absent when it equals the PDF page.
  public var pageLabel: String?
  /// Width in points.
  public var width: Float
  /// Height in points.
  public var height: Float
  /// The cleaned text.
  public var text: String
  /// For each Unicode scalar of `text`, `[left, top, right, bottom]` in points from the top left, or null.
  public var boxes: [[Float]?]
  /// `text`, `empty`, `image_only`, `garbled` or `missing`.
  public var coverage: String
  /// Why it is not `text`; absent when it is.
  public var reason: String?
  /// How its text was read from its image; absent when it stands in the file.
  public var recognition: RecognitionBody?

  enum CodingKeys: String, CodingKey {
    case page, width, height, text, boxes, coverage, reason, recognition
    case documentID = "document_id"
    case pageLabel = "page_label"
  }

  /// Creates the body of a page.
  public init(_ page: Page, document: DocumentID) {
    documentID = document.rawValue
    self.page = page.number
    pageLabel = page.label
    width = page.size.width
    height = page.size.height
    text = page.text
    boxes = page.boxes.map { box in box.map { [$0.left, $0.top, $0.right, $0.bottom] } }
    coverage = page.coverage.rawValue
    reason = page.coverageReason
    recognition = page.recognition.map(RecognitionBody.init)
  }
}
