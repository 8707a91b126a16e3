import Concurrency
import Core
import Foundation
import Ingestion
import LocalFiles
import QuarryTesting
import Telemetry
import Testing

/// Uploads from their first byte to the index, with a real store of bytes.
@Suite struct UploadTests {
  private let folder: URL
  private let store: DirectoryUploadStore
  private let index = InMemoryDocumentIndex()
  private let jobs = InMemoryJobStore(goneOwners: ["killed"])
  private let reader = TextFileReader()

  init() {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("quarry-upload-\(UUID().uuidString)")
    store = DirectoryUploadStore(directory: folder.path, maximumBytes: 1 << 20)
  }

  private func tidy() { try? FileManager.default.removeItem(at: folder) }

  private func intake(maxConcurrent: Int = 4, queued: @escaping @Sendable () -> Void = {}) -> UploadIntake {
    UploadIntake(store: store, index: index, jobs: jobs, maxConcurrent: maxConcurrent, queued: queued)
  }

  private func take(
    _ text: String, name: String = "a.pdf", by intake: UploadIntake? = nil, piece: Int = 11
  ) async throws -> UploadIntake.Receipt {
    var rest = Array(text.utf8)[...]
    return try await (intake ?? self.intake()).take(
      name: UploadName(name), collection: .default, byteCount: rest.count
    ) {
      defer { rest = rest.dropFirst(piece) }
      return rest.isEmpty ? nil : Array(rest.prefix(piece))
    }
  }

  private func queue(interval: Duration = .milliseconds(20)) -> UploadQueue {
    let ingester = Ingester(
      index: index, jobs: jobs, cache: InMemoryEmbeddingCache(), reader: reader, embedder: FakeEmbedder(),
      chunker: SentenceChunker(limit: FakeEmbedder().limit, settings: .init()))
    return UploadQueue(
      jobs: jobs, store: store, ingester: { ingester }, context: { RequestContext() }, interval: interval)
  }

  /// Runs a queue until `isDone`, then ends it.
  private func whileIngesting(_ queue: UploadQueue? = nil, until isDone: () async throws -> Bool) async throws {
    let queue = queue ?? self.queue()
    let task = Task { await queue.run() }
    defer { task.cancel() }
    let end = ContinuousClock.now + .seconds(300)
    while try await !isDone() {
      guard ContinuousClock.now < end else {
        Issue.record("it did not happen within five minutes")
        break
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    task.cancel()
    await task.value
  }

  private func state(_ receipt: UploadIntake.Receipt) async throws -> JobState? {
    try await jobs.job(of: receipt.document)?.state
  }

  private func files() -> [String] {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    return paths.filter { $0.hasSuffix(".pdf") || $0.hasSuffix(".part") }
  }

  @Test func uploadIsIngested_underTheIDOfItsReceipt() async throws {
    defer { tidy() }
    let receipt = try await take("%PDF-1.7\nThe pump moves water.\u{0C}The second page.")
    #expect(receipt.outcome == .queued && receipt.uri.rawValue == "upload://default/a.pdf")
    #expect(try await state(receipt) == .queued)
    #expect(try await index.entry(receipt.document) == nil)
    try await whileIngesting { try await state(receipt) == .done }
    let entry = try #require(try await index.entry(receipt.document))
    #expect(entry.pageCount == 2 && entry.document.version == receipt.content.version)
    #expect(entry.byteCount == receipt.content.byteCount)
    let path = try await OriginalBytes(uploads: store).file(for: entry.document.version, uri: entry.document.uri)
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func equalBytesChangeNothing_otherBytesAreTheNextVersion() async throws {
    defer { tidy() }
    let first = try await take("%PDF-1.7\nThe first text.")
    // Not done yet: the second one is part of the same work.
    #expect(try await take("%PDF-1.7\nThe first text.").outcome == .queued)
    try await whileIngesting { try await state(first) == .done }
    #expect(try await take("%PDF-1.7\nThe first text.").outcome == .unchanged)
    #expect(try await state(first) == .done)
    let second = try await take("%PDF-1.7\nThe second text.")
    #expect(second.document == first.document && second.outcome == .queued)
    try await whileIngesting { try await state(first) == .done }
    #expect(try await index.entry(first.document)?.document.version == second.content.version)
    #expect(await reader.opened == 2)
  }

  @Test func equalBytesChangeNothing_whileTheRunThatCommittedThemEndsItsJob() async throws {
    defer { tidy() }
    let first = try await take("%PDF-1.7\nThe text.")
    try await whileIngesting { try await state(first) == .done }
    let object = SourceObject(
      uri: first.uri, collection: .default, byteCount: first.content.byteCount, modified: .now,
      stamp: first.content.version.rawValue, document: first.document)
    try await jobs.remove(first.uri, collection: .default)
    try await jobs.enqueue([object], now: .now)
    _ = try await jobs.lease(
      first.uri, collection: .default, owner: "another", now: .now, leaseUntil: .distantFuture)
    #expect(try await take("%PDF-1.7\nThe text.").outcome == .unchanged)
    #expect(try await take("%PDF-1.7\nOther text.").outcome == .queued)
  }

  @Test func goingBackOvertakesTheQueuedVersion() async throws {
    defer { tidy() }
    let first = try await take("%PDF-1.7\nThe first text.")
    try await whileIngesting { try await state(first) == .done }
    _ = try await take("%PDF-1.7\nThe second text.")
    #expect(try await take("%PDF-1.7\nThe first text.").outcome == .queued)
    try await whileIngesting { try await state(first) == .done }
    #expect(try await index.entry(first.document)?.document.version == first.content.version)
    #expect(await reader.opened == 1)
  }

  @Test func queueTakesOver_whatAKilledProcessHeld() async throws {
    defer { tidy() }
    let receipt = try await take("%PDF-1.7\nThe text.")
    _ = try await jobs.lease(
      receipt.uri, collection: .default, owner: "killed", now: .now, leaseUntil: .distantFuture)
    try await whileIngesting { try await state(receipt) == .done }
    #expect(try await index.entry(receipt.document) != nil)
  }

  @Test func whatFailsSaysWhy_andIsTriedAgainWhenSentAgain() async throws {
    defer { tidy() }
    await reader.fail(with: CoreError(code: "pdf.encrypted", category: .invalidInput, message: "it is locked"))
    let receipt = try await take("%PDF-1.7\nThe text.")
    try await whileIngesting { try await state(receipt) == .parked }
    #expect(try await jobs.job(of: receipt.document)?.lastErrorCode == "pdf.encrypted")
    await reader.fail(with: nil)
    #expect(try await take("%PDF-1.7\nThe text.").outcome == .queued)
    try await whileIngesting { try await state(receipt) == .done }
  }

  @Test func wakeIsHeeded_longBeforeTheInterval() async throws {
    defer { tidy() }
    let queue = queue(interval: .seconds(3600))
    let intake = intake { queue.wake() }
    let receipts = Locked<[UploadIntake.Receipt]>([])
    try await whileIngesting(queue) {
      // One after the other, so that the queue is at rest in between.
      let taken = receipts.withLock { $0 }
      if let last = taken.last, try await state(last) != .done { return false }
      if taken.count == 3 { return true }
      let receipt = try await take("%PDF-1.7\nText \(taken.count).", name: "\(taken.count).pdf", by: intake)
      receipts.withLock { $0.append(receipt) }
      return false
    }
  }

  @Test func deletedWhileQueued_leavesNothing() async throws {
    defer { tidy() }
    let receipt = try await take("%PDF-1.7\nThe text.")
    let removal = DocumentRemoval(index: index, jobs: jobs, uploads: store, telemetry: .discarding())
    #expect(try await removal.remove(receipt.document, context: RequestContext())?.uri == receipt.uri)
    #expect(try await removal.remove(receipt.document, context: RequestContext()) == nil)
    #expect(files().isEmpty)
    #expect(try await jobs.job(of: receipt.document) == nil)
  }

  @Test func deletedWhileInWork_doesNotComeBack() async throws {
    defer { tidy() }
    let receipt = try await take("%PDF-1.7\nThe text.")
    await reader.hold()
    let removal = DocumentRemoval(index: index, jobs: jobs, uploads: store, telemetry: .discarding())
    let next = Locked<UploadIntake.Receipt?>(nil)
    try await whileIngesting {
      if let receipt = next.withLock({ $0 }) { return try await state(receipt) == .done }
      guard await reader.isHolding else { return false }
      _ = try await removal.remove(receipt.document, context: RequestContext())
      let other = try await take("%PDF-1.7\nAnother text.", name: "b.pdf")
      next.withLock { $0 = other }
      await reader.release()
      return false
    }
    #expect(try await index.entry(receipt.document) == nil)
    #expect(files().filter { $0.hasPrefix("contents") }.count == 1)
  }

  @Test func uploadAfterADeletion_isANewDocument() async throws {
    defer { tidy() }
    let receipt = try await take("%PDF-1.7\nThe text.")
    try await whileIngesting { try await state(receipt) == .done }
    let removal = DocumentRemoval(index: index, jobs: jobs, uploads: store, telemetry: .discarding())
    _ = try await removal.remove(receipt.document, context: RequestContext())
    #expect(files().isEmpty)
    let again = try await take("%PDF-1.7\nThe text.")
    #expect(again.document != receipt.document)
    try await whileIngesting { try await state(again) == .done }
    #expect(try await index.entry(again.document)?.document.generation == 1)
  }

  @Test(arguments: ["", "hello", "%PDX-1.7", "%PDF"])
  func otherBytesAreRefused_andNothingIsKept(text: String) async throws {
    defer { tidy() }
    let thrown = await codeThrown { _ = try await take(text) }
    #expect(thrown?.code == "upload.not_pdf")
    #expect(files().isEmpty)
    #expect(try await jobs.jobs(in: nil, limit: 10).isEmpty)
  }

  @Test func markMayComeLate_butNotAfterTheFirstKibibyte() async throws {
    defer { tidy() }
    let receipt = try await take(String(repeating: "x", count: 1019) + "%PDF-1.7", piece: 1)
    #expect(receipt.content.byteCount == 1027)
    let thrown = await codeThrown { _ = try await take(String(repeating: "x", count: 1020) + "%PDF-1.7", piece: 4096) }
    #expect(thrown?.code == "upload.not_pdf")
  }

  @Test func tooManyAtOnceAreRefused_andSenderWhoLeavesLeavesNothing() async throws {
    defer { tidy() }
    let intake = intake(maxConcurrent: 1)
    let (started, start) = AsyncStream<Void>.makeStream()
    let first = Task {
      try await intake.take(name: UploadName("slow.pdf"), collection: .default, byteCount: nil) {
        start.yield()
        try await Task.sleep(for: .seconds(3600))
        return nil
      }
    }
    for await _ in started { break }
    let thrown = await codeThrown { _ = try await take("%PDF-1.7", by: intake) }
    #expect(thrown?.code == "upload.too_many" && thrown?.category == .rateLimited)
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
    #expect(files().isEmpty)
    _ = try await take("%PDF-1.7", by: intake)
  }

  @Test(arguments: [
    "", ".", "..", "a/b.pdf", "/etc/passwd", "a\u{0}b", "a\nb.pdf", " a.pdf", "a.pdf ", "a\u{2028}b",
    "0123456789abcdef0123456789abcdef", String(repeating: "ä", count: 128),
  ])
  func badNamesAreRefused(name: String) {
    #expect(throws: IngestionError.self) { try UploadName(name) }
  }

  @Test(arguments: ["a", "report.pdf", "Bericht 2026 (final).pdf", "報告.pdf", "🍐.pdf", "..a", "a\\b", "%2e%2e"])
  func goodNamesAreTaken_asTheyAre(name: String) throws {
    #expect(try UploadName(name).text == name)
    #expect(SourceURI(uploadNamed: name, collection: .default).name == name)
  }
}

/// Reads files whose bytes are their pages' texts after a first line, pages ended by form feeds.
actor TextFileReader: PageReader {
  nonisolated let version = "text-1"
  private(set) var opened = 0
  private var error: (any Error)?
  private var isHeld = false
  private var waiter: CheckedContinuation<Void, Never>?

  func fail(with error: (any Error)?) { self.error = error }

  /// Has the next document wait until it is released.
  func hold() { isHeld = true }
  var isHolding: Bool { waiter != nil }
  func release() {
    isHeld = false
    waiter?.resume()
    waiter = nil
  }

  func open(path: String, name: String, passwords: [String]) async throws -> DocumentReading {
    opened += 1
    if isHeld { await withCheckedContinuation { waiter = $0 } }
    if let error { throw error }
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let body = text.drop { $0 != "\n" }.dropFirst()
    let pages = body.split(separator: "\u{0C}").enumerated().map { number, text -> ExtractedPage in
      var page = PrintedPage(number + 1)
      page.print(String(text), x: 50, y: 100)
      return page.extracted
    }
    let stream = AsyncThrowingStream<ExtractedPage, any Error> { continuation in
      for page in pages { continuation.yield(page) }
      continuation.finish()
    }
    return DocumentReading(
      document: ExtractedDocument(pageCount: pages.count, metadata: DocumentMetadata(), outline: []), pages: stream)
  }
}

/// The categorised error that `body` throws.
private func codeThrown(_ body: () async throws -> Void) async -> (any CategorizedError)? {
  do {
    try await body()
    Issue.record("nothing was thrown")
  } catch let error as any CategorizedError {
    return error
  } catch {
    Issue.record("\(error)")
  }
  return nil
}
