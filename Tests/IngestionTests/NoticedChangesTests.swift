import Core
import Ingestion
import QuarryTesting
import Testing

@Suite struct NoticedChangesTests {
  private func filled(_ count: Int) async throws -> Bench {
    let bench = Bench()
    for number in 0..<count { await bench.library.put("\(number).pdf", ["Document number \(number) here."]) }
    // With the root remembered, as a watcher's first listing does.
    try await bench.ingest(.init(deletesMissing: true))
    return bench
  }

  private func apply(
    _ bench: Bench, gone: [String] = [], present: [String] = [], rootStamp: String? = "device-1", recently: Int = 0
  ) async throws -> IngestionSummary {
    for name in gone where !present.contains(name) { await bench.library.remove(name) }
    var objects: [SourceObject] = []
    for name in present {
      if var object = await bench.library.object(name) {
        object.uri = FakeLibrary.uri(name)
        objects.append(object)
      }
    }
    let changes = SourceChanges(present: objects, gone: gone.map(FakeLibrary.uri), rootStamp: rootStamp)
    return try await bench.ingester().apply(
      changes, from: bench.library, recentlyDeleted: recently, context: bench.context)
  }

  private func documents(_ bench: Bench) async throws -> Int {
    try await bench.index.totals(pipeline: Sample.current, identity: Sample.identity).documents
  }

  private func names(_ numbers: Range<Int>) -> [String] { numbers.map { "\($0).pdf" } }

  // MARK: Deletions

  @Test func aSingleDeletionIsTrusted_evenOfTheLastDocument() async throws {
    let bench = try await filled(1)
    #expect(try await apply(bench, gone: ["0.pdf"]).deleted == 1)
    #expect(try await documents(bench) == 0)
    #expect(try await apply(bench, gone: ["0.pdf"]).deleted == 0)
  }

  @Test func nothingIsDeleted_whenTheRootIsMissing() async throws {
    let bench = try await filled(3)
    let summary = try await apply(bench, gone: ["0.pdf"], rootStamp: nil)
    #expect(summary.deleted == 0)
    #expect(summary.refusedDeletions.first?.reason.contains("missing") == true)
    #expect(try await documents(bench) == 3)
  }

  @Test func nothingIsDeleted_whenTheRootIsOnAnotherDevice() async throws {
    let bench = try await filled(3)
    let summary = try await apply(bench, gone: ["0.pdf"], rootStamp: "device-2")
    #expect(summary.deleted == 0)
    #expect(summary.refusedDeletions.first?.reason.contains("device") == true)
  }

  @Test func aBurstThatLeavesNothingIsHeldBack() async throws {
    let bench = try await filled(2)
    let summary = try await apply(bench, gone: names(0..<2))
    #expect(summary.deleted == 0)
    #expect(summary.refusedDeletions.map(\.count) == [2])
    #expect(try await documents(bench) == 2)
  }

  @Test(arguments: [(19, 10, false), (20, 10, true), (15, 9, true)])
  func aBurstOfTenAndMoreThanHalfIsHeldBack(known: Int, gone: Int, isDeleted: Bool) async throws {
    let bench = try await filled(known)
    let summary = try await apply(bench, gone: names(0..<gone))
    #expect(summary.deleted == (isDeleted ? gone : 0))
    #expect(summary.refusedDeletions.isEmpty == isDeleted)
  }

  @Test func deletionsOfAShortWhileAgoCountAsTheSameBurst() async throws {
    let bench = try await filled(11)
    #expect(try await apply(bench, gone: ["0.pdf"], recently: 8).deleted == 1)
    #expect(try await apply(bench, gone: ["1.pdf"], recently: 9).refusedDeletions.map(\.count) == [1])
    #expect(try await documents(bench) == 10)
  }

  @Test func aFolderThatIsGoneTakesWhatWasBelow_andNothingElse() async throws {
    let bench = Bench()
    for name in ["a/1.pdf", "a/b/2.pdf", "a-b/3.pdf", "a.pdf", "4.pdf"] {
      await bench.library.put(name, ["Document \(name) here."])
    }
    try await bench.ingest(.init(deletesMissing: true))
    for name in ["a/1.pdf", "a/b/2.pdf"] { await bench.library.remove(name) }
    #expect(try await apply(bench, gone: ["a"]).deleted == 2)
    #expect(try await bench.source("a-b/3.pdf") != nil)
    #expect(try await bench.source("a.pdf") != nil)
  }

  @Test func whatCameBackWhileOthersWereRead_isNotDeleted() async throws {
    let bench = try await filled(3)
    await bench.library.removeUntilNextReading("0.pdf")
    await bench.library.put("new.pdf", ["Something that takes long to read."])
    let new = try #require(await bench.library.object("new.pdf"))
    let changes = SourceChanges(present: [new], gone: [FakeLibrary.uri("0.pdf")], rootStamp: "device-1")
    let summary = try await bench.ingester().apply(changes, from: bench.library, context: bench.context)
    #expect(summary.new == 1 && summary.deleted == 0)
    #expect(try await bench.source("0.pdf") != nil)
  }

  @Test func manyChangesAtOnceAreTheSameAsFew() async throws {
    let bench = try await filled(300)
    for number in 200..<210 { await bench.library.put("\(number).pdf", ["Changed \(number)."]) }
    let summary = try await apply(bench, gone: names(0..<120), present: names(200..<210))
    #expect(summary.deleted == 120 && summary.updated == 10)
    #expect(try await documents(bench) == 180)
  }

  @Test func whatFailedAndIsGone_isForgotten() async throws {
    let bench = try await filled(2)
    await bench.library.put("bad.pdf", ["x"])
    await bench.library.fail("bad.pdf", with: CoreError(code: "pdf.damaged", category: .invalidInput, message: "bad"))
    #expect(try await apply(bench, present: ["bad.pdf"]).failed.count == 1)
    #expect(try await bench.jobs.jobs(in: .parked, limit: 9).count == 1)
    _ = try await apply(bench, gone: ["bad.pdf"])
    #expect(try await bench.jobs.jobs(in: .parked, limit: 9).isEmpty)
  }

  // MARK: Renames and changes

  @Test func aRenameKeepsTheDocument_andReadsNothing() async throws {
    let bench = try await filled(3)
    let before = try #require(try await bench.source("1.pdf")).document
    await bench.library.move("1.pdf", to: "renamed.pdf")
    let fetched = await bench.library.fetched.count
    let summary = try await apply(bench, gone: ["1.pdf"], present: ["renamed.pdf"])
    #expect(summary.moved == 1 && summary.deleted == 0 && summary.new == 0)
    #expect(try await bench.source("renamed.pdf")?.document.id == before.id)
    #expect(await bench.library.fetched.count == fetched)
  }

  @Test func aRenameWithATouchIsKnownByItsContent() async throws {
    let bench = try await filled(3)
    let before = try #require(try await bench.source("1.pdf")).document
    await bench.library.rename("1.pdf", to: "renamed.pdf")
    let summary = try await apply(bench, gone: ["1.pdf"], present: ["renamed.pdf"])
    #expect(summary.moved == 1 && summary.deleted == 0)
    #expect(try await bench.source("renamed.pdf")?.document.id == before.id)
  }

  @Test func aFileThatCameBackIsTheNextVersion() async throws {
    let bench = try await filled(2)
    let before = try #require(try await bench.source("1.pdf")).document
    await bench.library.put("1.pdf", ["Replaced by something else."])
    let summary = try await apply(bench, gone: ["1.pdf"], present: ["1.pdf"])
    #expect(summary.updated == 1 && summary.deleted == 0)
    #expect(try await bench.source("1.pdf")?.document.id == before.id)
  }

  @Test func aDocumentDeletedByAPersonStaysAway() async throws {
    let bench = try await filled(2)
    let id = try #require(try await bench.source("0.pdf")).document.id
    try await bench.ingester().delete(id, tombstone: true, context: bench.context)
    await bench.library.put("0.pdf", ["Changed by somebody."])
    let summary = try await apply(bench, present: ["0.pdf"])
    #expect(summary.new == 0)
    #expect(summary.skipped.map(\.code) == ["ingest.tombstone"])
    #expect(try await documents(bench) == 1)
  }
}
