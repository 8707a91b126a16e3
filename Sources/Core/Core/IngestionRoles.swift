public import FoundationEssentials

/// What a source says of one object without reading its bytes.
public struct SourceObject: Sendable, Hashable {
  /// Where it is.
  public var uri: SourceURI
  /// The collection it belongs to.
  public var collection: CollectionName
  /// Bytes.
  public var byteCount: Int
  /// Time of last change.
  public var modified: Date
  /// Anything that changes when the bytes may have changed (inode, ETag), compared as a whole.
  public var stamp: String
  /// The document that it is or will be; nil while nobody has worked that out.
  public var document: DocumentID?

  /// Creates a description.
  public init(
    uri: SourceURI, collection: CollectionName, byteCount: Int, modified: Date, stamp: String,
    document: DocumentID? = nil
  ) {
    self.uri = uri
    self.collection = collection
    self.byteCount = byteCount
    self.modified = modified
    self.stamp = stamp
    self.document = document
  }
}

/// A local copy of a source object's bytes, valid until it is discarded.
public struct LocalCopy: Sendable, Hashable {
  /// Absolute path of a readable file.
  public var path: String
  /// SHA-256 of its bytes.
  public var version: ContentVersion
  /// Bytes.
  public var byteCount: Int
  /// Whether `discard` should delete the file (a download), or leave it (the source's own file).
  public var isTemporary: Bool
  /// What told the file's state when it was hashed, in the source's own words; empty when it cannot change.
  public var stamp: String

  /// Creates a copy's description.
  public init(path: String, version: ContentVersion, byteCount: Int, isTemporary: Bool, stamp: String = "") {
    self.path = path
    self.version = version
    self.byteCount = byteCount
    self.isTemporary = isTemporary
    self.stamp = stamp
  }
}

/// The result of one complete look at a source.
public struct SourceListing: Sendable, Hashable {
  /// All objects found.
  public var objects: [SourceObject]
  /// Things passed over, with the reason: hidden files, wrong suffixes, unreadable folders.
  public var skipped: [SkippedObject]
  /// Whether the listing saw everything; when false nothing may be deleted because of it.
  public var isComplete: Bool
  /// Identifies the root (device and inode, bucket); another value than before means another mount.
  public var rootStamp: String
  /// Those of the objects that may still be in writing: they are there, but not to be read yet.
  public var unsettled: Set<SourceURI>

  /// Creates a listing.
  public init(
    objects: [SourceObject], skipped: [SkippedObject] = [], isComplete: Bool, rootStamp: String,
    unsettled: Set<SourceURI> = []
  ) {
    self.objects = objects
    self.skipped = skipped
    self.isComplete = isComplete
    self.rootStamp = rootStamp
    self.unsettled = unsettled
  }
}

/// Something a source did not take, and why.
public struct SkippedObject: Sendable, Hashable, Codable {
  /// Its path or URI.
  public var name: String
  /// A stable dotted code.
  public var code: String
  /// One sentence.
  public var reason: String

  /// Creates a description.
  public init(name: String, code: String, reason: String) {
    self.name = name
    self.code = code
    self.reason = reason
  }
}

/// A place documents come from. Conforming types never delete or change anything there.
public protocol DocumentSource: Sendable {
  /// The root, as configured: a directory, a file or `s3://bucket/prefix`.
  var root: SourceURI { get }
  /// The collection of everything found there.
  var collection: CollectionName { get }
  /// Lists what is there now.
  /// - Throws: A ``CategorizedError`` when the root is missing or unreadable.
  func list() async throws -> SourceListing
  /// Describes one object without reading it; nil when it is not there, or is none that the source takes. The default
  /// lists everything.
  /// - Throws: A ``CategorizedError`` when the root is missing or unreadable.
  func object(at uri: SourceURI) async throws -> SourceObject?
  /// Whether equal stamps at two URIs mean one and the same object, so that a document whose object is gone and whose
  /// stamp turned up elsewhere was renamed, and no byte of it needs to be read. The default says no.
  var stampsFollowRenames: Bool { get }
  /// Begins to notice changes. `notify` is called, on any thread, whenever the watch has some to take. Nil, the
  /// default, for sources that cannot notice.
  func watch(notify: @escaping @Sendable () -> Void) async -> (any SourceWatch)?
  /// Makes an object's bytes readable as a local file and hashes them.
  /// - Throws: A ``CategorizedError`` when it vanished, changed while being read, or is not a regular file.
  func fetch(_ object: SourceObject) async throws -> LocalCopy
  /// Confirms, after a copy was read, that its bytes are still those that were hashed: pages of one state of a
  /// file must never go under the hash of another. The default takes copies for unchangeable.
  /// - Throws: A ``CategorizedError`` when it vanished or changed since it was fetched.
  func confirm(_ copy: LocalCopy) async throws
  /// Releases a copy.
  func discard(_ copy: LocalCopy) async
}

extension DocumentSource {
  /// Nothing: the copy cannot change.
  public func confirm(_ copy: LocalCopy) async throws {}
}

/// A PDF being read: its description, then its pages in order.
public struct DocumentReading: Sendable {
  /// What the file says of itself.
  public var document: ExtractedDocument
  /// Its pages in order; single consumer. Ends early only by throwing.
  public var pages: AsyncThrowingStream<ExtractedPage, any Error>

  /// Creates a reading.
  public init(document: ExtractedDocument, pages: AsyncThrowingStream<ExtractedPage, any Error>) {
    self.document = document
    self.pages = pages
  }
}

/// Reads the pages of a PDF.
public protocol PageReader: Sendable {
  /// Names the extractor and its version, for the pipeline version.
  var version: String { get }
  /// Opens a document.
  /// - Parameters:
  ///   - path: Absolute path of a local file.
  ///   - name: The name for messages.
  ///   - passwords: User passwords to try when it is encrypted.
  /// - Throws: A ``CategorizedError`` with a code such as `pdf.encrypted`; reading pages may throw later too.
  func open(path: String, name: String, passwords: [String]) async throws -> DocumentReading
}

/// How long a text an embedder takes, declared so that chunks fit and nothing is cut silently.
public enum EmbeddingLimit: Sendable {
  /// Exactly this many tokens, counted by `counter`, special tokens included.
  case tokens(Int, counter: any TokenCounter)
  /// A number of characters that is certain to fit.
  case characters(Int)
}

/// Counts tokens as a model does.
public protocol TokenCounter: Sendable {
  /// The tokens of `text`, special tokens not included.
  func count(_ text: String) -> Int
  /// How many special tokens the model adds to a text.
  var specialTokens: Int { get }
}

/// Cuts a document's pages into chunks.
public protocol Chunker: Sendable {
  /// Names the chunker and its settings, for the pipeline version.
  var version: String { get }
  /// Cuts `pages` of `document`, whose title may prefix the embedded text.
  func chunks(
    of pages: [Page], document: Document, metadata: DocumentMetadata, pipeline: PipelineVersion
  ) -> [Chunk]
}

/// What a text is embedded as: some models treat the two differently.
public enum EmbeddingInput: String, Sendable {
  /// Text of the library.
  case document
  /// A question.
  case query
}

/// Turns texts into vectors.
public protocol Embedder: Sendable {
  /// What makes its vectors comparable.
  var identity: EmbeddingIdentity { get }
  /// How long a text may be.
  var limit: EmbeddingLimit { get }
  /// The largest number of texts of one call that is of use.
  var batchSize: Int { get }
  /// Whether the model was trained on texts of `script`; the dense leg is dropped for questions it cannot read.
  func reads(_ script: Script) -> Bool
  /// Embeds `texts`, in order. A text's vector never depends on its neighbours.
  /// - Throws: A ``CategorizedError``; no partial result.
  func embed(_ texts: [String], as input: EmbeddingInput) async throws -> [Embedding]
}

extension Embedder {
  /// Models read every script unless they say otherwise.
  public func reads(_ script: Script) -> Bool { true }
}

/// A durable cache of embeddings, so that nothing is computed or paid for twice.
public protocol EmbeddingCache: Sendable {
  /// The embeddings known for these texts under `identity`.
  func embeddings(for hashes: [TextHash], identity: EmbeddingIdentity) async throws -> [TextHash: Embedding]
  /// Remembers embeddings; durable when it returns.
  func store(_ embeddings: [TextHash: Embedding], identity: EmbeddingIdentity) async throws
}

/// Original bytes of documents, addressed by content.
public protocol DocumentBytes: Sendable {
  /// A local file with exactly the bytes of `version`, from the store or from `uri` after a hash check.
  /// - Throws: A ``CategorizedError`` of category `gone` when the version cannot be had any more.
  func file(for version: ContentVersion, uri: SourceURI) async throws -> String
}

/// What a look at a document's source shows, without reading its bytes.
public enum SourceState: Sendable, Hashable {
  /// It is there, with this stamp.
  case present(stamp: String)
  /// This version of it is kept by its content, and cannot change.
  case kept
  /// It is gone.
  case missing
  /// It cannot be looked at; the reason in words.
  case unreadable(String)
  /// Its kind of source is not looked at here.
  case unknown
}

/// Looks whether the objects that documents came from are still there.
public protocol SourceProbe: Sendable {
  /// The state now of the object that `version` of a document came from.
  func state(of uri: SourceURI, version: ContentVersion) async -> SourceState
}

/// Draws pages.
public protocol PageImageRenderer: Sendable {
  /// Draws one page as PNG.
  /// - Parameters:
  ///   - path: Absolute path of the PDF.
  ///   - page: 1-based page.
  ///   - dotsPerInch: Resolution, 36 to 600; lower where the image would have too many pixels.
  ///   - highlights: Boxes to mark, in points.
  ///   - passwords: User passwords to try.
  func png(path: String, page: Int, dotsPerInch: Double, highlights: [Box], passwords: [String]) async throws
    -> [UInt8]
}

/// Where a job of ingestion stands.
public enum JobState: String, Sendable, Codable, CaseIterable {
  /// Waits for a worker.
  case queued
  /// A worker has it, until its lease ends.
  case running
  /// Finished.
  case done
  /// Will be tried again at `nextTry`.
  case retrying
  /// Given up after too many tries, or hopeless at once; `lastError` says why.
  case parked
}

/// A durable record of work on one source object.
public struct IngestionJob: Sendable, Hashable {
  /// The object's URI and collection identify the job.
  public var uri: SourceURI
  /// The collection.
  public var collection: CollectionName
  /// The source object's stamp (size, time, inode or ETag) that the job is about.
  public var stamp: String
  /// The document that the object is or will be; nil in jobs of earlier versions of Quarry.
  public var document: DocumentID?
  /// Where it stands.
  public var state: JobState
  /// Tries so far.
  public var attempts: Int
  /// Not before this time.
  public var nextTry: Date?
  /// The code of the last error.
  public var lastErrorCode: String?
  /// The last error in words.
  public var lastError: String?
  /// The worker that has it.
  public var leaseOwner: String?
  /// When the lease ends.
  public var leaseUntil: Date?
  /// Seconds by stage of the last try.
  public var stageSeconds: [String: Double]
  /// When the record changed last.
  public var updated: Date

  /// Creates a job.
  public init(
    uri: SourceURI, collection: CollectionName, stamp: String, document: DocumentID? = nil,
    state: JobState = .queued, attempts: Int = 0, nextTry: Date? = nil, lastErrorCode: String? = nil,
    lastError: String? = nil, leaseOwner: String? = nil,
    leaseUntil: Date? = nil, stageSeconds: [String: Double] = [:], updated: Date
  ) {
    self.uri = uri
    self.collection = collection
    self.stamp = stamp
    self.document = document
    self.state = state
    self.attempts = attempts
    self.nextTry = nextTry
    self.lastErrorCode = lastErrorCode
    self.lastError = lastError
    self.leaseOwner = leaseOwner
    self.leaseUntil = leaseUntil
    self.stageSeconds = stageSeconds
    self.updated = updated
  }
}

/// The durable table of ingestion work. All methods are atomic and durable when they return.
public protocol JobStore: Sendable {
  /// Queues an object; a job for the same URI and collection with the same stamp that is queued, running or
  /// parked stays as it is.
  func enqueue(_ objects: [SourceObject], now: Date) async throws
  /// Takes up to `count` jobs that are due, or whose lease has ended, for `owner` until `leaseUntil`; each
  /// take counts as an attempt.
  func lease(_ count: Int, owner: String, now: Date, leaseUntil: Date) async throws -> [IngestionJob]
  /// Takes the job of one object under the same conditions; nil when it is not due, held by another, or not there.
  func lease(_ uri: SourceURI, collection: CollectionName, owner: String, now: Date, leaseUntil: Date) async throws
    -> IngestionJob?
  /// Extends a lease; false when it is no longer the owner's.
  func extendLease(of uri: SourceURI, collection: CollectionName, owner: String, until: Date) async throws -> Bool
  /// Marks a job done, with stage times.
  func complete(
    _ uri: SourceURI, collection: CollectionName, owner: String, stageSeconds: [String: Double], now: Date
  ) async throws
  /// Records a failure: tried again at `nextTry`, or parked when that is nil.
  func fail(
    _ uri: SourceURI, collection: CollectionName, owner: String, code: String, message: String, nextTry: Date?,
    now: Date
  ) async throws
  /// Jobs by state, newest change first.
  func jobs(in state: JobState?, limit: Int) async throws -> [IngestionJob]
  /// The job of one object; nil when there is none.
  func job(for uri: SourceURI, collection: CollectionName) async throws -> IngestionJob?
  /// Forgets the job of an object that is gone.
  func remove(_ uri: SourceURI, collection: CollectionName) async throws

  /// The job of a document, the one that changed last if there are several; nil when there is none.
  func job(of document: DocumentID) async throws -> IngestionJob?
  /// Jobs of objects at or below `root` that are queued, running or to be tried again: the soonest due first, then
  /// in the order they were first queued.
  func waiting(under root: SourceURI, limit: Int) async throws -> [IngestionJob]
  /// Jobs in any of these states, `limit` (1 to 1,000) a page, in the order they were first queued.
  func jobs(
    in states: Set<JobState>, collections: Set<CollectionName>?, limit: Int, after cursor: String?
  ) async throws -> JobPage
  /// Queues a job that was given up, or waits to be tried again, as if it were new; false when there is none such.
  func retry(_ uri: SourceURI, collection: CollectionName, now: Date) async throws -> Bool
  /// What the jobs of objects at or below `root` say together; of all jobs when it is nil.
  func summary(under root: SourceURI?, collections: Set<CollectionName>?) async throws -> JobSummary
  /// The jobs at or below `root` that are not done, by URI.
  func unfinished(under root: SourceURI, collection: CollectionName) async throws -> [IngestionJob]
  /// A new name under which a worker of this process may hold jobs.
  func makeOwner() -> String
  /// Whether the worker of that name is gone for certain, so that its jobs are free before their lease ends.
  func isGone(owner: String) -> Bool
}

extension JobStore {
  /// A random name.
  public func makeOwner() -> String { TraceID.random().rawValue }
  /// False: nobody can tell, and leases have to end by themselves.
  public func isGone(owner: String) -> Bool { false }
}
