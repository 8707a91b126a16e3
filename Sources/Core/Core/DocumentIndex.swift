public import FoundationEssentials

/// A monotonic number that every commit raises; caches and readers follow it.
public struct StoreVersion: Sendable, Hashable, Codable, Comparable {
  /// The number.
  public var number: Int64
  /// Wraps a number.
  public init(_ number: Int64) { self.number = number }
  /// Orders by number.
  public static func < (left: StoreVersion, right: StoreVersion) -> Bool { left.number < right.number }
}

/// One version of a document with everything that is committed at once.
public struct IndexedDocument: Sendable {
  /// The document.
  public var document: Document
  /// Title, author, dates, attributes.
  public var metadata: DocumentMetadata
  /// The source object's stamp, for change detection without reading bytes.
  public var sourceStamp: String
  /// Bytes of the original.
  public var byteCount: Int
  /// Pages of the page tree; `pages` has one element for each, `missing` ones included.
  public var pageCount: Int
  /// The pages.
  public var pages: [Page]
  /// Bookmarks.
  public var outline: [OutlineEntry]
  /// What the reader found wrong with the file as a whole; nil when nothing. Kept with the pages for equal bytes.
  public var damage: String?
  /// The chunks with embeddings, by ordinal.
  public var chunks: [EmbeddedChunk]
  /// The identity of those embeddings.
  public var identity: EmbeddingIdentity
  /// What made text and chunks.
  public var pipeline: PipelineVersion
  /// Where it stands.
  public var state: DocumentState
  /// Why it is not `ready`.
  public var reason: String?
  /// When it was indexed.
  public var indexed: Date

  /// Creates a document ready for commit.
  public init(
    document: Document, metadata: DocumentMetadata, sourceStamp: String, byteCount: Int, pageCount: Int,
    pages: [Page], outline: [OutlineEntry], damage: String? = nil, chunks: [EmbeddedChunk],
    identity: EmbeddingIdentity, pipeline: PipelineVersion, state: DocumentState, reason: String? = nil, indexed: Date
  ) {
    self.document = document
    self.metadata = metadata
    self.sourceStamp = sourceStamp
    self.byteCount = byteCount
    self.pageCount = pageCount
    self.pages = pages
    self.outline = outline
    self.damage = damage
    self.chunks = chunks
    self.identity = identity
    self.pipeline = pipeline
    self.state = state
    self.reason = reason
    self.indexed = indexed
  }
}

/// Extraction that can be used again for equal bytes under the same pipeline version.
public struct StoredExtraction: Sendable {
  /// Title, author, dates; attributes are not taken over.
  public var metadata: DocumentMetadata
  /// Pages of the page tree.
  public var pageCount: Int
  /// The pages.
  public var pages: [Page]
  /// Bookmarks.
  public var outline: [OutlineEntry]
  /// What the reader found wrong with the file as a whole; nil when nothing.
  public var damage: String?

  /// Creates a stored extraction.
  public init(
    metadata: DocumentMetadata, pageCount: Int, pages: [Page], outline: [OutlineEntry], damage: String? = nil
  ) {
    self.damage = damage
    self.metadata = metadata
    self.pageCount = pageCount
    self.pages = pages
    self.outline = outline
  }
}

extension StoredExtraction {
  /// How many pages are in each coverage state.
  public var coverage: [PageCoverage: Int] { pages.reduce(into: [:]) { $0[$1.coverage, default: 0] += 1 } }
}

/// What the index knows of the object at a URI: enough to decide whether anything changed.
public struct IndexedSource: Sendable, Hashable {
  /// The document there.
  public var document: Document
  /// The stamp its version was indexed under.
  public var stamp: String
  /// The pipeline that made it.
  public var pipeline: PipelineVersion
  /// The identity of its embeddings.
  public var identity: EmbeddingIdentity
  /// Whether it was deleted on purpose while its file stays (a tombstone): it must not come back by itself.
  public var isTombstone: Bool
  /// How many pages are in each coverage state; empty for a tombstone.
  public var coverage: [PageCoverage: Int]

  /// Creates a description.
  public init(
    document: Document, stamp: String, pipeline: PipelineVersion, identity: EmbeddingIdentity, isTombstone: Bool,
    coverage: [PageCoverage: Int] = [:]
  ) {
    self.document = document
    self.stamp = stamp
    self.pipeline = pipeline
    self.identity = identity
    self.isTombstone = isTombstone
    self.coverage = coverage
  }
}

/// A request for candidates of one question, answered from one snapshot of the store.
public struct CandidateRequest: Sendable {
  /// The question's embedding, for cosines and the dense leg; nil gives neither.
  public var embedding: Embedding?
  /// Whether the dense leg searches; when false an embedding still gives every candidate its cosine.
  public var searchesDense: Bool
  /// The identity of that embedding; another than the store's active one is refused.
  public var identity: EmbeddingIdentity?
  /// The question for the lexical leg; nil leaves it out.
  public var lexicalText: String?
  /// The question for the trigram leg; nil leaves it out.
  public var trigramText: String?
  /// What may be searched.
  public var filter: SearchFilter
  /// Candidates of each leg.
  public var depth: Int

  /// Creates a request.
  public init(
    embedding: Embedding?, searchesDense: Bool = true, identity: EmbeddingIdentity?, lexicalText: String?,
    trigramText: String?, filter: SearchFilter, depth: Int
  ) {
    self.embedding = embedding
    self.searchesDense = searchesDense
    self.identity = identity
    self.lexicalText = lexicalText
    self.trigramText = trigramText
    self.filter = filter
    self.depth = depth
  }
}

/// A chunk found by a leg.
public struct Candidate: Sendable, Hashable {
  /// The chunk.
  public var chunk: ChunkID
  /// Its document.
  public var document: DocumentID
  /// The backend's raw score; higher is better.
  public var score: Double

  /// Creates a candidate.
  public init(chunk: ChunkID, document: DocumentID, score: Double) {
    self.chunk = chunk
    self.document = document
    self.score = score
  }
}

/// The candidates of all legs, from one snapshot.
public struct Candidates: Sendable {
  /// By leg, best first; a leg that was not asked for is absent.
  public var legs: [RetrievalLeg: [Candidate]]
  /// The cosine of every candidate of any leg; empty when no embedding was given.
  public var similarities: [ChunkID: Float]
  /// The store version read.
  public var version: StoreVersion

  /// Creates candidates.
  public init(legs: [RetrievalLeg: [Candidate]], similarities: [ChunkID: Float], version: StoreVersion) {
    self.legs = legs
    self.similarities = similarities
    self.version = version
  }
}

/// One page of a listing.
public struct CataloguePage: Sendable {
  /// The entries, ordered by document id.
  public var entries: [CatalogueEntry]
  /// Pass it to get the next page; nil at the end.
  public var next: String?

  /// Creates a page of the catalogue.
  public init(entries: [CatalogueEntry], next: String?) {
    self.entries = entries
    self.next = next
  }
}

/// Totals of an index.
public struct IndexTotals: Sendable, Hashable, Codable {
  /// Documents, tombstones not counted.
  public var documents: Int
  /// Pages.
  public var pages: Int
  /// Chunks.
  public var chunks: Int
  /// Documents by state.
  public var states: [String: Int]
  /// Documents made by another pipeline or embedding identity than the given ones.
  public var stale: Int

  /// Creates totals.
  public init(documents: Int, pages: Int, chunks: Int, states: [String: Int], stale: Int) {
    self.documents = documents
    self.pages = pages
    self.chunks = chunks
    self.states = states
    self.stale = stale
  }
}

/// The index: whole documents in, candidates and texts out.
///
/// `commit` and `delete` are atomic: a reader sees all of a document's version or nothing of it. Several
/// processes may read while one writes.
public protocol DocumentIndex: Sendable {
  /// The identity whose vectors are searched; nil while the index is empty.
  func activeIdentity() async throws -> EmbeddingIdentity?
  /// The current version.
  func version() async throws -> StoreVersion

  /// Makes one version of a document searchable, replacing its earlier version; returns when a search finds it.
  ///
  /// The first commit fixes the active identity. A commit of another identity goes into that identity's own
  /// space, which is not searched until ``activate(_:)``.
  /// - Throws: A ``CategorizedError``; `storage_full` when the disk is full, and then nothing changed.
  @discardableResult
  func commit(_ document: IndexedDocument) async throws -> StoreVersion
  /// Searches `identity` from now on and drops the other space: the end of a rebuild.
  /// - Throws: `conflict` when some live document has no vectors of that identity.
  func activate(_ identity: EmbeddingIdentity) async throws
  /// Removes a document from every table and index. With `tombstone`, its URI is remembered so that a scan
  /// does not bring it back. Returns the chunks removed; empty when there was no such document.
  @discardableResult
  func delete(_ id: DocumentID, tombstone: Bool, now: Date) async throws -> [ChunkID]
  /// Changes a document's URI after a rename; the identity stays.
  func move(_ id: DocumentID, to uri: SourceURI, stamp: String) async throws
  /// Notes that the bytes of an unchanged document now carry another stamp (touched, copied back).
  func updateStamp(_ id: DocumentID, stamp: String) async throws

  /// What is known of the object at `uri`; nil when nothing is.
  func source(at uri: SourceURI, collection: CollectionName) async throws -> IndexedSource?
  /// Everything indexed under a root (`uri` equal to it or below it with `/`), tombstones included.
  func sources(under root: SourceURI, collection: CollectionName) async throws -> [IndexedSource]
  /// How many documents, live or deleted, ever began at `uri`: the next generation number.
  func nextGeneration(at uri: SourceURI, collection: CollectionName) async throws -> Int
  /// Extraction of equal bytes under the same pipeline version, from whichever document; nil when there is none.
  func extraction(of version: ContentVersion, pipeline: PipelineVersion) async throws -> StoredExtraction?

  /// The candidates of all requested legs, from one snapshot.
  /// - Throws: `conflict` (`index.identity_mismatch`) when the embedding's identity is not the active one.
  func candidates(for request: CandidateRequest) async throws -> Candidates
  /// The chunks of these ids; ids that are gone are left out.
  func chunks(_ ids: [ChunkID]) async throws -> [ChunkID: StoredChunk]
  /// The page of the document's current version; nil when there is no such page.
  func page(_ number: Int, of id: DocumentID) async throws -> Page?
  /// The pages (text and boxes) that citations must be checked against.
  func pages(_ numbers: [Int], of id: DocumentID) async throws -> [Page]
  /// The state of every page, by number.
  func coverage(of id: DocumentID) async throws -> [PageState]
  /// Unreadable pages of these documents: how many each has; documents without any are left out.
  func unreadablePages(of ids: Set<DocumentID>) async throws -> [DocumentID: Int]

  /// A document of the catalogue; nil when it is not there.
  func entry(_ id: DocumentID) async throws -> CatalogueEntry?
  /// Documents by id, `limit` (1 to 1,000) a page.
  func catalogue(
    collections: Set<CollectionName>?, state: DocumentState?, limit: Int, after cursor: String?
  ) async throws -> CataloguePage
  /// The collections that have documents, with how many.
  func collections() async throws -> [CollectionName: Int]
  /// Totals; `stale` counts against the given pipeline and identity.
  func totals(pipeline: CurrentPipeline, identity: EmbeddingIdentity) async throws -> IndexTotals
}
