public import Core

/// What is told while documents are ingested.
public enum IngestionProgress: Sendable {
  /// A source was listed: objects to look at, and what it passed over.
  case found(root: SourceURI, objects: Int, skipped: Int)
  /// Work on an object began.
  case started(SourceURI)
  /// Pages read so far, of all.
  case extracted(SourceURI, pages: Int, of: Int)
  /// Pages whose image was looked at by the recognizer so far, of those that need it.
  case recognized(SourceURI, pages: Int, of: Int)
  /// Chunks embedded so far, of all; reused ones count.
  case embedded(SourceURI, chunks: Int, of: Int)
  /// A document was read for a plan.
  case planned(SourceURI, pages: Int, chunks: Int)
  /// A version of a document is searchable.
  case committed(CommittedDocument)
  /// Nothing changed.
  case unchanged(SourceURI)
  /// A rename was recognised: the document keeps its id.
  case moved(from: SourceURI, to: SourceURI)
  /// A document left the index because its file is gone.
  case deleted(SourceURI)
  /// Deletions were held back; the message says why and how to allow them.
  case deletionRefused(root: SourceURI, count: Int, reason: String)
  /// An object was passed over.
  case skipped(SkippedObject)
  /// A document failed; the others go on.
  case failed(FailedObject)
}

/// Receives progress; ingestion waits for it to return.
public typealias IngestionProgressHandler = @Sendable (IngestionProgress) async -> Void

/// A document as committed.
public struct CommittedDocument: Sendable, Hashable, Codable {
  /// Its id.
  public var id: DocumentID
  /// Where it is.
  public var uri: SourceURI
  /// Whether it was not in the index before.
  public var isNew: Bool
  /// Where it stands.
  public var state: DocumentState
  /// Why it is not `ready`.
  public var reason: String?
  /// Pages of the page tree.
  public var pages: Int
  /// Chunks committed.
  public var chunks: Int

  /// Describes a document as committed.
  public init(
    id: DocumentID, uri: SourceURI, isNew: Bool, state: DocumentState, reason: String?, pages: Int, chunks: Int
  ) {
    self.id = id
    self.uri = uri
    self.isNew = isNew
    self.state = state
    self.reason = reason
    self.pages = pages
    self.chunks = chunks
  }
}

/// An object that could not be ingested.
public struct FailedObject: Sendable, Hashable, Codable {
  /// Its URI.
  public var name: String
  /// The error's code.
  public var code: String
  /// What happened.
  public var message: String
  /// What to do about it.
  public var remedy: String?
  /// Whether it will be tried again by itself.
  public var willRetry: Bool

  /// Describes a failure.
  public init(name: String, code: String, message: String, remedy: String?, willRetry: Bool) {
    self.name = name
    self.code = code
    self.message = message
    self.remedy = remedy
    self.willRetry = willRetry
  }
}

/// What a run of ingestion did.
public struct IngestionSummary: Sendable, Hashable, Codable {
  /// Documents committed that were not in the index.
  public var new = 0
  /// Documents committed in place of an earlier version.
  public var updated = 0
  /// Objects whose document is up to date.
  public var unchanged = 0
  /// Renames recognised.
  public var moved = 0
  /// Documents deleted because their file is gone.
  public var deleted = 0
  /// Unchanged documents made by another pipeline version; `--rebuild` renews them.
  public var stale = 0
  /// What was passed over, with reasons.
  public var skipped: [SkippedObject] = []
  /// What failed, with reasons.
  public var failed: [FailedObject] = []
  /// Deletions held back by the guard, by root.
  public var refusedDeletions: [RefusedDeletion] = []
  /// Pages of committed documents by coverage.
  public var pages: [PageCoverage: Int] = [:]
  /// Of these, the ones whose text was read from their image.
  public var recognizedPages = 0
  /// Documents committed that are not `ready`, by state.
  public var states: [DocumentState: Int] = [:]
  /// Chunks committed.
  public var chunks = 0
  /// Embeddings computed.
  public var embeddingsComputed = 0
  /// Embeddings taken from the cache.
  public var embeddingsReused = 0
  /// Seconds by stage (`extract`, `chunk`, `embed`, `commit`), summed over documents.
  public var stageSeconds: [String: Double] = [:]

  /// Deletions that were not made.
  public struct RefusedDeletion: Sendable, Hashable, Codable {
    /// The root of the source.
    public var root: SourceURI
    /// Documents that would have gone.
    public var count: Int
    /// Why they stay.
    public var reason: String
  }

  /// An empty summary.
  public init() {}

  /// Documents committed.
  public var committed: Int { new + updated }

  /// Takes in what a later run over the same source did: what was done adds up, what was found is that of the later.
  mutating func follow(with later: IngestionSummary) {
    new += later.new
    updated += later.updated
    moved += later.moved
    deleted += later.deleted
    unchanged = later.unchanged
    stale = later.stale
    skipped = later.skipped
    failed += later.failed
    refusedDeletions = later.refusedDeletions
    addWork(of: later)
  }

  /// Takes in what a run over another source did.
  public mutating func add(_ other: IngestionSummary) {
    new += other.new
    updated += other.updated
    moved += other.moved
    deleted += other.deleted
    unchanged += other.unchanged
    stale += other.stale
    skipped += other.skipped
    failed += other.failed
    refusedDeletions += other.refusedDeletions
    addWork(of: other)
  }

  private mutating func addWork(of other: IngestionSummary) {
    pages.merge(other.pages, uniquingKeysWith: +)
    states.merge(other.states, uniquingKeysWith: +)
    chunks += other.chunks
    embeddingsComputed += other.embeddingsComputed
    embeddingsReused += other.embeddingsReused
    add(seconds: other.stageSeconds)
  }

  mutating func add(seconds: [String: Double]) { stageSeconds.merge(seconds, uniquingKeysWith: +) }

  mutating func add(_ failure: FailedObject) { failed.append(failure) }
}

/// What a run may do.
public struct IngestionRequest: Sendable, Hashable {
  /// Whether documents whose file is gone are deleted, under the guard.
  public var deletesMissing: Bool
  /// Whether the guard against mass deletion is overruled.
  public var allowsMassDelete: Bool

  /// Creates a request; by default nothing is deleted.
  public init(deletesMissing: Bool = false, allowsMassDelete: Bool = false) {
    self.deletesMissing = deletesMissing
    self.allowsMassDelete = allowsMassDelete
  }
}

/// Bounds and choices of the pipeline.
public struct IngestionSettings: Sendable {
  /// Documents read at the same time, at least 1; one more may be in embedding and commit.
  public var extractionWidth: Int
  /// User passwords to try on encrypted documents.
  public var passwords: [String]
  /// Attributes given to every document committed.
  public var attributes: [String: String]
  /// Tries of a document that fails for a passing reason before it is parked.
  public var maximumAttempts: Int
  /// Whether documents that were given up, or wait for their next try, are tried at once: right when a person asks, who may have followed the
  /// remedy (a password, a higher limit); wrong for a watcher, which would read a hopeless file for ever.
  public var retriesParked: Bool
  /// Seconds after which the work of a run that was killed is free for others; a run that lives renews its hold.
  public var leaseSeconds: Double
  /// Seconds of work after which a source is listed again before anything is deleted because of its listing.
  public var staleListingSeconds: Double

  /// Creates settings.
  public init(
    extractionWidth: Int = 2, passwords: [String] = [], attributes: [String: String] = [:],
    maximumAttempts: Int = 5, retriesParked: Bool = false, leaseSeconds: Double = 20,
    staleListingSeconds: Double = 10
  ) {
    self.extractionWidth = max(1, extractionWidth)
    self.passwords = passwords
    self.attributes = attributes
    self.maximumAttempts = max(1, maximumAttempts)
    self.retriesParked = retriesParked
    self.leaseSeconds = max(1, leaseSeconds)
    self.staleListingSeconds = staleListingSeconds
  }
}

extension SkippedObject {
  /// The code of objects that may still be in writing.
  static let unsettledCode = "source.unsettled"

  /// The code of objects that another process has in work.
  static let inWorkCode = "ingest.in_work"
}
