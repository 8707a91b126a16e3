import Core
import FoundationEssentials
import Ingestion
import QuarryTesting
import Telemetry
import Testing

/// Everything an ingester needs, in memory.
struct Bench {
  let library: FakeLibrary
  let index = InMemoryDocumentIndex()
  let jobs = InMemoryJobStore()
  let cache = InMemoryEmbeddingCache()
  let embedder: FakeEmbedder
  let log = InMemoryEventLog()
  let context = RequestContext()

  init(model: String = "fake-words", notices: FakeWatch? = nil) {
    embedder = FakeEmbedder(model: model)
    library = FakeLibrary(notices: notices)
  }

  func ingester(
    _ other: FakeEmbedder? = nil, chunking: ChunkingSettings = .init(), telemetry: TelemetryRecorder = .discarding(),
    width: Int = 2, retriesParked: Bool = false, staleListingSeconds: Double = 10,
    now: @escaping @Sendable () -> Date = { Sample.date }
  ) -> Ingester {
    let embedder = other ?? self.embedder
    return Ingester(
      index: index, jobs: jobs, cache: cache, reader: library, embedder: embedder,
      chunker: SentenceChunker(limit: embedder.limit, settings: chunking), telemetry: telemetry,
      settings: .init(extractionWidth: width, retriesParked: retriesParked, staleListingSeconds: staleListingSeconds),
      now: now)
  }

  @discardableResult
  func ingest(_ request: IngestionRequest = .init()) async throws -> IngestionSummary {
    try await ingester().ingest([library], request: request, context: context)
  }

  func source(_ name: String) async throws -> IndexedSource? {
    try await index.source(at: FakeLibrary.uri(name), collection: .default)
  }
}

@Suite struct IngesterTests {
  @Test func documentsBecomeSearchable() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water.", "The pipe holds it."])
    let summary = try await bench.ingest()
    #expect(summary.new == 1)
    #expect(summary.pages == [.text: 2])
    #expect(summary.chunks == summary.embeddingsComputed)
    #expect(summary.skipped.map(\.code) == ["source.hidden"])
    let found = try #require(try await bench.source("a.pdf"))
    #expect(
      found.document.id
        == DocumentID(collection: .default, firstURI: FakeLibrary.uri("a.pdf"), generation: 0))
    let entry = try #require(try await bench.index.entry(found.document.id))
    #expect(entry.state == .ready)
    #expect(entry.metadata.title == "Title of a.pdf")
    let candidates = try await bench.index.candidates(
      for: CandidateRequest(
        embedding: nil, identity: nil, lexicalText: "pump", trigramText: nil, filter: .init(), depth: 5))
    #expect(candidates.legs[.lexical]?.count == 1)
  }

  @Test func aSecondRunDoesNothing() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    try await bench.ingest()
    let version = try await bench.index.version()
    let summary = try await bench.ingest()
    #expect(summary.unchanged == 1)
    #expect(summary.committed == 0)
    #expect(try await bench.index.version() == version)
    #expect(await bench.library.opened.count == 1)
  }

  @Test func touchedFilesGetTheirStampOnly() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    try await bench.ingest()
    await bench.library.touch("a.pdf")
    #expect(try await bench.ingest().unchanged == 1)
    #expect(await bench.library.opened.count == 1)
    #expect(try await bench.source("a.pdf")?.stamp == "stamp-2")
  }

  @Test func changedFilesBecomeTheNextVersion() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    try await bench.ingest()
    let first = try #require(try await bench.source("a.pdf"))
    await bench.library.put("a.pdf", ["The pump moves oil."])
    let summary = try await bench.ingest()
    #expect(summary.updated == 1)
    let second = try #require(try await bench.source("a.pdf"))
    #expect(second.document.id == first.document.id)
    #expect(second.document.version != first.document.version)
  }

  @Test func equalBytesAreReadAndEmbeddedOnce() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    try await bench.ingest()
    await bench.library.put("b.pdf", ["The pump moves water."])
    let summary = try await bench.ingest()
    #expect(summary.new == 1)
    #expect(await bench.library.opened == ["a.pdf"])
    #expect(summary.embeddingsComputed == 0)
    #expect(summary.embeddingsReused == summary.chunks)
    #expect(try await bench.source("a.pdf")?.document.id != bench.source("b.pdf")?.document.id)
  }

  @Test func failingDocumentsAreParkedAndTheOthersGoOn() async throws {
    let bench = Bench()
    await bench.library.put("bad.pdf", ["x"])
    await bench.library.put("good.pdf", ["The pump moves water."])
    let error = CoreError(
      code: "pdf.encrypted", category: .invalidInput, message: "bad.pdf needs a password", remedy: "Give it")
    await bench.library.fail("bad.pdf", with: error)
    let summary = try await bench.ingest()
    #expect(summary.new == 1)
    #expect(summary.failed.map(\.code) == ["pdf.encrypted"])
    #expect(summary.failed.first?.remedy == "Give it")
    #expect(try await bench.source("bad.pdf") == nil)
    let job = try await bench.jobs.job(for: FakeLibrary.uri("bad.pdf"), collection: .default)
    #expect(job?.state == .parked)
    #expect(job?.lastErrorCode == "pdf.encrypted")
    // The same bytes are not tried again, and the reason is told.
    let second = try await bench.ingest()
    #expect(second.failed.isEmpty)
    #expect(second.skipped.contains { $0.code == "pdf.encrypted" })
    // Unless a person asks, who may have followed the remedy.
    let ingester = bench.ingester(retriesParked: true)
    #expect(try await ingester.ingest([bench.library], context: bench.context).failed.map(\.code) == ["pdf.encrypted"])
    // Other bytes are.
    await bench.library.fail("bad.pdf", with: nil)
    await bench.library.put("bad.pdf", ["Now it opens."])
    #expect(try await bench.ingest().new == 1)
  }

  @Test func passingFailuresAreTriedAgain() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    await bench.library.fail("a.pdf", with: CoreError(code: "pdf.timeout", category: .timedOut, message: "slow"))
    let summary = try await bench.ingest()
    #expect(summary.failed.map(\.willRetry) == [true])
    await bench.library.fail("a.pdf", with: nil)
    // Not before its time, unless a person asks.
    #expect(try await bench.ingest().skipped.contains { $0.code == "ingest.waiting" })
    let asked = bench.ingester(retriesParked: true)
    #expect(try await asked.ingest([bench.library], context: bench.context).new == 1)
  }

  @Test func aFailedDocumentIsTriedAgainByItself_whenItsTimeHasCome() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    await bench.library.fail("a.pdf", with: CoreError(code: "pdf.timeout", category: .timedOut, message: "slow"))
    try await bench.ingest()
    await bench.library.fail("a.pdf", with: nil)
    let seconds = try #require(try await bench.ingester().secondsToNextRetry(of: bench.library))
    let early = bench.ingester(now: { Sample.date + (seconds - 1) })
    #expect(try await early.retryDue(of: bench.library, context: bench.context).new == 0)
    let due = bench.ingester(now: { Sample.date + seconds })
    #expect(try await due.ingest([bench.library], context: bench.context).new == 1)
    #expect(try await due.secondsToNextRetry(of: bench.library) == nil)
  }

  @Test func aFailedUpdateKeepsTheOldVersion() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    try await bench.ingest()
    let before = try await bench.source("a.pdf")?.document
    await bench.library.put("a.pdf", ["broken"])
    await bench.library.fail("a.pdf", with: CoreError(code: "pdf.damaged", category: .invalidInput, message: "broken"))
    try await bench.ingest()
    #expect(try await bench.source("a.pdf")?.document == before)
  }

  @Test func aFullDiskEndsTheRun() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    let full = CoreError(code: "store.full", category: .storageFull, message: "the disk is full")
    await bench.index.failCommits(with: full)
    await #expect(throws: CoreError.self) { try await bench.ingest() }
    await bench.index.failCommits(with: nil)
    let asked = bench.ingester(retriesParked: true)
    #expect(try await asked.ingest([bench.library], context: bench.context).new == 1)
  }

  @Test func unreadableDocumentsAreListedAsSuch() async throws {
    let bench = Bench()
    await bench.library.put("scan.pdf", ["", ""])
    await bench.library.put("half.pdf", ["The pump moves water.", ""])
    let summary = try await bench.ingest()
    #expect(summary.states == [.unreadable: 1, .incomplete: 1])
    #expect(summary.pages == [.text: 1, .imageOnly: 3])
    let scan = try #require(try await bench.source("scan.pdf"))
    let entry = try #require(try await bench.index.entry(scan.document.id))
    #expect(entry.state == .unreadable)
    #expect(entry.reason == "no page has readable text: 2 image-only")
  }

  @Test func pagesNotDeliveredMakeADocumentIncomplete() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water.", "The pipe holds it.", "The end."])
    await bench.library.set(withheld: 1)
    try await bench.ingest()
    let known = try #require(try await bench.source("a.pdf"))
    let entry = try #require(try await bench.index.entry(known.document.id))
    #expect(entry.state == .incomplete)
    #expect(entry.pageCount == 3)
    #expect(entry.coverage == [.text: 2, .missing: 1])
  }

  @Test func damagedFilesAreIncomplete_alsoAfterARebuild() async throws {
    let bench = Bench()
    await bench.library.put("cut.pdf", ["The pump moves water."])
    await bench.library.set(damage: "The file was cut.")
    try await bench.ingest()
    let id = try #require(try await bench.source("cut.pdf")).document.id
    #expect(try await bench.index.entry(id)?.state == .incomplete)
    #expect(try await bench.index.entry(id)?.reason == "The file was cut.")
    _ = try await bench.ingester(FakeEmbedder(model: "other")).rebuild(bytes: nil, context: bench.context)
    #expect(try await bench.index.entry(id)?.reason == "The file was cut.")
  }

  @Test func copiesOfADamagedFileAreIncompleteToo() async throws {
    let bench = Bench()
    await bench.library.put("cut.pdf", ["The pump moves water."])
    await bench.library.set(damage: "The file was cut.")
    try await bench.ingest()
    await bench.library.put("copy.pdf", ["The pump moves water."])
    try await bench.ingest()
    // Read from the stored pages, not from the file.
    #expect(await bench.library.opened == ["cut.pdf"])
    let id = try #require(try await bench.source("copy.pdf")).document.id
    let entry = try #require(try await bench.index.entry(id))
    #expect(entry.state == .incomplete && entry.reason == "The file was cut.")
  }

  @Test func copiesOfPagesOfAnEarlierPipelineStayStale() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    try await bench.ingest()
    let before = try #require(try await bench.source("a.pdf"))
    // Renamed twice over: two new files with the bytes of the one that is gone.
    await bench.library.rename("a.pdf", to: "b.pdf")
    await bench.library.put("c.pdf", ["The pump moves water."])
    let newer = bench.ingester(chunking: .init(target: 100))
    #expect(newer.pipeline.base != before.pipeline)
    let summary = try await newer.ingest([bench.library], context: bench.context)
    #expect(summary.moved == 1 && summary.new == 1)
    #expect(try await bench.source("b.pdf")?.pipeline == before.pipeline)
    // Pages of the earlier pipeline, cut by this one.
    let copied = try #require(try await bench.source("c.pdf")?.pipeline)
    #expect(copied.rawValue.hasPrefix(before.pipeline.rawValue + "/") && copied != before.pipeline)
    let rebuilt = try await newer.rebuild(bytes: nil, context: bench.context)
    #expect(rebuilt.stale == 2)
  }

  @Test func rebuildsWithoutTheOriginal_giveNoTextAnIDThatAnotherHad() async throws {
    let bench = Bench()
    let page = (0..<40).map { "The pump number \($0) moves water from the lower basin to the upper one." }
    await bench.library.put("a.pdf", [page.joined(separator: " ")])
    try await bench.ingest()
    func texts() async throws -> [ChunkID: String] {
      let found = try await bench.index.candidates(
        for: CandidateRequest(
          embedding: nil, identity: nil, lexicalText: "pump", trigramText: nil, filter: .init(), depth: 100))
      return try await bench.index.chunks(found.legs.values.joined().map(\.chunk)).mapValues(\.chunk.text)
    }
    let before = try await texts()
    let smaller = bench.ingester(chunking: .init(target: 60))
    #expect(try await smaller.rebuild(bytes: nil, context: bench.context).stale == 1)
    let after = try await texts()
    #expect(after.count > before.count)
    #expect(Set(before.keys).isDisjoint(with: after.keys))
    let again = try await smaller.rebuild(bytes: nil, context: bench.context)
    #expect(again.stale == 1 && again.unchanged == 1)
    #expect(try await texts() == after)
  }

  @Test func widthBoundsHowManyDocumentsAreReadAtOnce() async throws {
    let bench = Bench()
    for number in 0..<12 { await bench.library.put("\(number).pdf", ["Document number \(number) here."]) }
    _ = try await bench.ingester(width: 3).ingest([bench.library], context: bench.context)
    #expect(await bench.library.mostRunning <= 3)
    #expect(await bench.library.mostRunning > 1)
    #expect(await bench.library.opened.count == 12)
  }

  @Test func jobsOfOtherSourcesAreLeftForThem() async throws {
    let bench = Bench()
    let foreign = SourceObject(
      uri: SourceURI(filePath: "/elsewhere/x.pdf"), collection: .default, byteCount: 1, modified: Sample.date,
      stamp: "s")
    try await bench.jobs.enqueue([foreign], now: Sample.date)
    await bench.library.put("a.pdf", ["The pump moves water."])
    #expect(try await bench.ingest().new == 1)
    let job = try await bench.jobs.job(for: foreign.uri, collection: .default)
    #expect(job?.state == .queued && job?.attempts == 0)
  }

  @Test func everyCommittedChunkIsAnEventAndEveryRemovedOneATombstone() async throws {
    let bench = Bench()
    let recorder = TelemetryRecorder(
      identity: .init(app: "test", environment: "test", quarryVersion: "0"), eventLog: bench.log)
    let ingester = bench.ingester(telemetry: recorder)
    await bench.library.put("a.pdf", ["The pump moves water."])
    _ = try await ingester.ingest([bench.library], context: bench.context)
    let id = try #require(try await bench.source("a.pdf")).document.id
    await bench.library.put("a.pdf", ["The pump moves oil."])
    _ = try await ingester.ingest([bench.library], context: bench.context)
    #expect(try await ingester.delete(id, tombstone: true, context: bench.context))
    recorder.finish()
    await recorder.run()
    var live: Set<ChunkID> = []
    var seen = 0
    for event in bench.log.all {
      switch event.payload {
      case .embedding(let embedding):
        live.insert(embedding.chunkID)
        seen += 1
        #expect(embedding.pages == [1])
        #expect(!embedding.reused)
      case .tombstone(let tombstone): #expect(live.remove(tombstone.chunkID) != nil)
      default: Issue.record("unexpected event")
      }
    }
    #expect(seen == 2)
    #expect(live.isEmpty)
  }

  @Test func cancellationLeavesTheJobDueAtOnce() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    await bench.library.fail("a.pdf", with: CancellationError())
    await #expect(throws: CancellationError.self) { try await bench.ingest() }
    let job = try await bench.jobs.job(for: FakeLibrary.uri("a.pdf"), collection: .default)
    #expect(job?.state == .retrying)
    await bench.library.fail("a.pdf", with: nil)
    #expect(try await bench.ingest().new == 1)
  }
}
