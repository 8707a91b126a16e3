import Concurrency
public import Core
public import FoundationEssentials

/// Takes uploads in: bytes to disk as they arrive, then a durable job. What a receipt was given for is ingested even
/// when the process is killed at once.
public struct UploadIntake: Sendable {
  /// What became of an upload.
  public struct Receipt: Sendable, Hashable {
    /// Whether there is anything to do.
    public enum Outcome: Sendable, Hashable {
      /// The document is queued.
      case queued
      /// The document has exactly these bytes already.
      case unchanged
    }

    /// The document's id.
    public var document: DocumentID
    /// Where it is.
    public var uri: SourceURI
    /// Its collection.
    public var collection: CollectionName
    /// The bytes.
    public var content: UploadedContent
    /// What became of it.
    public var outcome: Outcome

    /// Creates a receipt.
    public init(
      document: DocumentID, uri: SourceURI, collection: CollectionName, content: UploadedContent, outcome: Outcome
    ) {
      self.document = document
      self.uri = uri
      self.collection = collection
      self.content = content
      self.outcome = outcome
    }
  }

  /// How far into a file its mark may be. Source: PDF 1.7, annex H, implementation note 13.
  private static let markRange = 1024

  private let store: any UploadStore
  private let index: any DocumentIndex
  private let jobs: any JobStore
  private let permits: AsyncSemaphore
  private let queued: @Sendable () -> Void
  private let now: @Sendable () -> Date

  /// Creates an intake.
  /// - Parameters:
  ///   - maxConcurrent: Uploads taken at the same time; more are refused.
  ///   - queued: Told when there is a new job.
  public init(
    store: any UploadStore, index: any DocumentIndex, jobs: any JobStore, maxConcurrent: Int,
    queued: @escaping @Sendable () -> Void = {}, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.store = store
    self.index = index
    self.jobs = jobs
    permits = AsyncSemaphore(width: max(1, maxConcurrent))
    self.queued = queued
    self.now = now
  }

  /// Takes one upload. Equal bytes under the same name change nothing; others are the document's next version.
  /// - Parameters:
  ///   - byteCount: How many bytes will come, as far as the sender says.
  ///   - next: Gives the bytes piece by piece, nil at the end.
  /// - Throws: `upload.not_pdf`, `upload.too_many`, `storage_full`, what `next` throws. Then nothing is kept.
  public func take(
    name: UploadName, collection: CollectionName, byteCount: Int?, next: () async throws -> [UInt8]?
  ) async throws -> Receipt {
    guard permits.tryAcquire() else {
      throw IngestionError(
        code: "upload.too_many", category: .rateLimited, message: "too many documents are being uploaded",
        remedy: "Try again later.")
    }
    defer { permits.release() }
    let uri = SourceURI(uploadNamed: name.text, collection: collection)
    let receiver = try await store.receive(expecting: byteCount)
    let content: UploadedContent
    do {
      try await Self.fill(receiver, next)
      content = try await receiver.keep(for: uri)
    } catch {
      await receiver.discard()
      throw error
    }
    return try await queue(content, at: uri, collection: collection)
  }

  /// Hands the bytes on once their beginning is known to be a PDF's.
  private static func fill(_ receiver: any UploadReceiver, _ next: () async throws -> [UInt8]?) async throws {
    var beginning: [UInt8] = []
    var isPDF = false
    while let piece = try await next() {
      if isPDF {
        try await receiver.write(piece)
        continue
      }
      let seen = beginning.count
      beginning += piece
      isPDF = hasMark(beginning, from: seen - mark.count)
      guard isPDF || beginning.count < markRange else { throw notPDF }
      if isPDF { try await receiver.write(beginning) }
    }
    guard isPDF else { throw notPDF }
  }

  private static let mark = Array("%PDF-".utf8)

  private static func hasMark(_ bytes: [UInt8], from start: Int) -> Bool {
    let range = bytes.prefix(markRange)
    return range.indices.dropFirst(max(0, start)).contains { place in
      range[place] == mark[0] && range[place...].starts(with: mark)
    }
  }

  private static let notPDF = IngestionError(
    code: "upload.not_pdf", category: .invalidInput, message: "the body is not a PDF: it has no %PDF- at its beginning",
    remedy: "Send the file itself, as application/pdf.")

  private func queue(
    _ content: UploadedContent, at uri: SourceURI, collection: CollectionName
  ) async throws -> Receipt {
    let known = try await index.source(at: uri, collection: collection)
    let live = known.flatMap { $0.isTombstone ? nil : $0 }
    let document: DocumentID
    if let live {
      document = live.document.id
    } else {
      let generation = try await index.nextGeneration(at: uri, collection: collection)
      document = DocumentID(collection: collection, firstURI: uri, generation: generation)
    }
    var receipt = Receipt(
      document: document, uri: uri, collection: collection, content: content, outcome: .queued)
    let job = try await jobs.job(for: uri, collection: collection)
    // A run that has committed these very bytes has its job yet to end.
    let isIndexed =
      job.map { $0.state == .done || $0.state == .running && $0.stamp == content.version.rawValue } ?? true
    if live?.document.version == content.version, isIndexed {
      receipt.outcome = .unchanged
      return receipt
    }
    let object = SourceObject(
      uri: uri, collection: collection, byteCount: content.byteCount, modified: now(),
      stamp: content.version.rawValue, document: document)
    try await jobs.enqueue([object], now: now())
    // Whoever sends again what was given up wants it to be tried again.
    if let job, job.state == .parked, job.stamp == object.stamp {
      _ = try await jobs.retry(uri, collection: collection, now: now())
    }
    queued()
    return receipt
  }
}
