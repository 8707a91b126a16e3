import Core
import FoundationEssentials
import Ingestion
import QuarryTesting
import Testing

@Suite struct ReconciliationTests {
  private let sync = IngestionRequest(deletesMissing: true)

  private func filled(_ count: Int) async throws -> Bench {
    let bench = Bench()
    for number in 0..<count { await bench.library.put("\(number).pdf", ["Document number \(number) here."]) }
    try await bench.ingest()
    return bench
  }

  private func documents(_ bench: Bench) async throws -> Int {
    try await bench.index.totals(pipeline: Sample.current, identity: Sample.identity).documents
  }

  @Test func ingestNeverDeletes() async throws {
    let bench = try await filled(3)
    await bench.library.remove("0.pdf")
    #expect(try await bench.ingest().deleted == 0)
    #expect(try await documents(bench) == 3)
  }

  @Test func syncDeletesWhatIsGone() async throws {
    let bench = try await filled(3)
    await bench.library.remove("0.pdf")
    let summary = try await bench.ingest(sync)
    #expect(summary.deleted == 1)
    #expect(try await bench.source("0.pdf") == nil)
    #expect(try await documents(bench) == 2)
  }

  @Test func guardHoldsWhenAllAreGone() async throws {
    let bench = try await filled(2)
    await bench.library.removeAll()
    let summary = try await bench.ingest(sync)
    #expect(summary.refusedDeletions.map(\.count) == [2])
    #expect(try await documents(bench) == 2)
    #expect(try await bench.ingest(.init(deletesMissing: true, allowsMassDelete: true)).deleted == 2)
  }

  @Test(arguments: [(19, 10, false), (20, 10, true), (15, 9, true)])
  func guardHoldsWhenTenAndMoreThanHalfAreGone(known: Int, gone: Int, isDeleted: Bool) async throws {
    let bench = try await filled(known)
    for number in 0..<gone { await bench.library.remove("\(number).pdf") }
    let summary = try await bench.ingest(sync)
    #expect(summary.deleted == (isDeleted ? gone : 0))
    #expect(summary.refusedDeletions.isEmpty == isDeleted)
  }

  @Test func guardHoldsWhenTheRootIsOnAnotherDevice() async throws {
    let bench = try await filled(4)
    await bench.library.remove("0.pdf")
    await bench.library.set(rootStamp: "device-2")
    #expect(try await bench.ingest(sync).deleted == 0)
    // Looking again does not make it right: the new device is not taken as known meanwhile.
    let second = try await bench.ingest(sync)
    #expect(second.deleted == 0)
    #expect(second.refusedDeletions.first?.reason.contains("device") == true)
    #expect(try await bench.ingest(.init(deletesMissing: true, allowsMassDelete: true)).deleted == 1)
    await bench.library.remove("1.pdf")
    #expect(try await bench.ingest(sync).deleted == 1)
  }

  @Test func guardHoldsWhenTheListingIsIncomplete_evenIfOverruled() async throws {
    let bench = try await filled(4)
    await bench.library.remove("0.pdf")
    await bench.library.set(isComplete: false)
    #expect(try await bench.ingest(sync).deleted == 0)
    #expect(try await bench.ingest(.init(deletesMissing: true, allowsMassDelete: true)).deleted == 0)
  }

  @Test(arguments: [ErrorCategory.notFound, .forbidden])
  func guardHoldsWhenTheRootIsMissingOrUnreadable(category: ErrorCategory) async throws {
    let bench = try await filled(3)
    await bench.library.failListing(with: CoreError(code: "source.root", category: category, message: "no root"))
    let summary = try await bench.ingest(sync)
    #expect(summary.failed.map(\.code) == ["source.root"])
    #expect(try await documents(bench) == 3)
    let forced = try await bench.ingest(.init(deletesMissing: true, allowsMassDelete: true))
    #expect(forced.deleted == (category == .notFound ? 3 : 0))
  }

  @Test func aRenameKeepsTheDocument() async throws {
    let bench = try await filled(3)
    let before = try #require(try await bench.source("1.pdf")).document
    await bench.library.rename("1.pdf", to: "renamed.pdf")
    let summary = try await bench.ingest(sync)
    #expect(summary.moved == 1)
    #expect(summary.deleted == 0)
    #expect(summary.new == 0)
    let after = try #require(try await bench.source("renamed.pdf")).document
    #expect(after.id == before.id)
    #expect(await bench.library.opened.count == 3)
  }

  @Test func aFileWhereADocumentMovedAwayStartsTheNextGeneration() async throws {
    let bench = try await filled(2)
    await bench.library.rename("1.pdf", to: "renamed.pdf")
    try await bench.ingest(sync)
    await bench.library.put("1.pdf", ["Something else altogether."])
    try await bench.ingest(sync)
    let document = try #require(try await bench.source("1.pdf")).document
    #expect(document.generation == 1)
    #expect(document.id == DocumentID(collection: .default, firstURI: FakeLibrary.uri("1.pdf"), generation: 1))
  }

  @Test func twoCopiesOfAFileThatIsGoneAreARenameAndANewDocument() async throws {
    let bench = try await filled(2)
    await bench.library.rename("1.pdf", to: "b.pdf")
    await bench.library.put("c.pdf", ["Document number 1 here."])
    let summary = try await bench.ingest(sync)
    #expect(summary.moved == 1)
    #expect(summary.new == 1)
    #expect(try await documents(bench) == 3)
  }

  @Test func tombstonesHoldUntilTheFileIsNamed() async throws {
    let bench = try await filled(2)
    let id = try #require(try await bench.source("0.pdf")).document.id
    try await bench.ingester().delete(id, tombstone: true, context: bench.context)
    let summary = try await bench.ingest(sync)
    #expect(summary.new == 0)
    #expect(summary.skipped.contains { $0.code == "ingest.tombstone" })
    await bench.library.touch("0.pdf")
    #expect(try await bench.ingest().new == 0)
    // Named by its own path it comes back, as the next generation.
    let single = FakeLibrary(root: "/library/0.pdf")
    await single.put("0.pdf", ["Document number 0 here."])
    let lifted = try await bench.ingester().ingest([single], context: bench.context)
    #expect(lifted.new == 1)
    #expect(try await bench.source("0.pdf")?.document.generation == 1)
  }

  @Test func aRenameWithoutATouch_readsNothing() async throws {
    let bench = try await filled(3)
    let before = try #require(try await bench.source("1.pdf")).document
    await bench.library.move("1.pdf", to: "elsewhere/1.pdf")
    let fetched = await bench.library.fetched.count
    let summary = try await bench.ingest(sync)
    #expect(summary.moved == 1 && summary.deleted == 0 && summary.new == 0)
    #expect(try await bench.source("elsewhere/1.pdf")?.document.id == before.id)
    #expect(await bench.library.fetched.count == fetched)
    #expect(try await bench.ingest(sync).unchanged == 3)
  }

  @Test func whatCameBackWhileOthersWereRead_isNotDeleted() async throws {
    let bench = try await filled(3)
    await bench.library.removeUntilNextReading("0.pdf")
    await bench.library.put("new.pdf", ["Something that takes long to read."])
    let ingester = bench.ingester(staleListingSeconds: 0)
    let summary = try await ingester.ingest([bench.library], request: sync, context: bench.context)
    #expect(summary.new == 1 && summary.deleted == 0)
    #expect(try await bench.source("0.pdf") != nil)
  }

  @Test func filesInWritingAreThere_butNotRead() async throws {
    let bench = try await filled(2)
    await bench.library.put("0.pdf", ["Half of it"])
    await bench.library.put("new.pdf", ["Half"])
    await bench.library.settle(after: 2)
    let first = try await bench.ingest(sync)
    #expect(first.deleted == 0 && first.new == 0 && first.updated == 0)
    #expect(first.skipped.filter { $0.code == "source.unsettled" }.count == 2)
    let second = try await bench.ingest(sync)
    #expect(second.new == 1 && second.updated == 1)
  }

  @Test func whatFailedAndIsGone_isForgotten() async throws {
    let bench = try await filled(2)
    await bench.library.put("bad.pdf", ["x"])
    await bench.library.fail("bad.pdf", with: CoreError(code: "pdf.damaged", category: .invalidInput, message: "bad"))
    try await bench.ingest(sync)
    #expect(try await bench.jobs.jobs(in: .parked, limit: 9).count == 1)
    await bench.library.remove("bad.pdf")
    let later = bench.ingester(now: { Sample.date + 1 })
    _ = try await later.ingest([bench.library], request: sync, context: bench.context)
    #expect(try await bench.jobs.jobs(in: .parked, limit: 9).isEmpty)
  }

  @Test func singleObjectsAreIngestedWithoutAListing() async throws {
    let bench = try await filled(2)
    await bench.library.put("new.pdf", ["A new file arrived."])
    let object = try #require(await bench.library.object("new.pdf"))
    let summary = try await bench.ingester().ingest([object], from: bench.library, context: bench.context)
    #expect(summary.new == 1)
    #expect(try await documents(bench) == 3)
  }
}

@Suite struct RebuildTests {
  @Test func anotherModelIsRefusedUntilTheRebuild() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    await bench.library.put("b.pdf", ["The pipe holds it."])
    try await bench.ingest()
    let other = FakeEmbedder(model: "other-words")
    let ingester = bench.ingester(other)
    await #expect(throws: IngestionError.self) {
      try await ingester.ingest([bench.library], context: bench.context)
    }
    let summary = try await ingester.rebuild(bytes: nil, context: bench.context)
    #expect(summary.updated == 2)
    #expect(try await bench.index.activeIdentity() == other.identity)
    // Equal pipeline: the stored pages served, no file was read again.
    #expect(await bench.library.opened.count == 2)
    #expect(try await ingester.ingest([bench.library], context: bench.context).unchanged == 2)
  }

  @Test func theOldModelServesUntilAllIsRebuilt() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    await bench.library.put("b.pdf", ["The pipe holds it."])
    try await bench.ingest()
    let other = FakeEmbedder(model: "other-words")
    other.fail(with: CoreError(code: "model.down", category: .unavailable, message: "down"))
    let summary = try await bench.ingester(other).rebuild(bytes: nil, context: bench.context)
    #expect(summary.failed.count == 2)
    #expect(try await bench.index.activeIdentity() == bench.embedder.identity)
    other.fail(with: nil)
    #expect(try await bench.ingester(other).rebuild(bytes: nil, context: bench.context).failed.isEmpty)
    #expect(try await bench.index.activeIdentity() == other.identity)
  }

  @Test func anotherPipelineMakesDocumentsStaleAndARebuildRenewsThem() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    try await bench.ingest()
    let changed = bench.ingester(chunking: .init(overlap: 0.3))
    #expect(try await changed.ingest([bench.library], context: bench.context).stale == 1)
    let bytes = FakeBytes()
    let summary = try await changed.rebuild(bytes: bytes, context: bench.context)
    #expect(summary.updated == 1)
    #expect(summary.stale == 0)
    #expect(try await bench.source("a.pdf")?.pipeline == changed.pipeline.base)
    #expect(await bench.library.opened.count == 2)
    #expect(try await changed.rebuild(bytes: bytes, context: bench.context).unchanged == 1)
  }
}

/// Original bytes that are always where they were.
struct FakeBytes: DocumentBytes {
  func file(for version: ContentVersion, uri: SourceURI) async throws -> String { uri.filePath ?? "" }
}
