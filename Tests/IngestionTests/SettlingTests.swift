import Core
import FoundationEssentials
import Ingestion
import QuarryTesting
import Testing

/// What a run that was killed leaves in the job table is put right by the next.
@Suite struct SettlingTests {
  private let earlier = Sample.date.addingTimeInterval(-60)

  private func object(_ name: String, stamp: String) -> SourceObject {
    SourceObject(uri: FakeLibrary.uri(name), collection: .default, byteCount: 1, modified: earlier, stamp: stamp)
  }

  /// Queues, and with `owner` takes, the job of an object, as a run did that was killed then.
  private func leave(_ object: SourceObject, in bench: Bench, takenUntil end: Date? = nil) async throws {
    try await bench.jobs.enqueue([object], now: earlier)
    guard let end else { return }
    _ = try await bench.jobs.lease(
      object.uri, collection: .default, owner: "somebody", now: earlier, leaseUntil: end)
  }

  private func job(_ name: String, _ bench: Bench) async throws -> IngestionJob? {
    try await bench.jobs.job(for: FakeLibrary.uri(name), collection: .default)
  }

  @Test func aCommittedDocumentsJobDoesNotWaitForEver() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    try await bench.ingest()
    let stamp = try #require(try await bench.source("a.pdf")).stamp
    try await bench.jobs.remove(FakeLibrary.uri("a.pdf"), collection: .default)
    try await leave(object("a.pdf", stamp: stamp), in: bench, takenUntil: Sample.date.addingTimeInterval(20))
    #expect(try await job("a.pdf", bench)?.state == .running)
    #expect(try await bench.ingest().unchanged == 1)
    #expect(try await job("a.pdf", bench) == nil)
  }

  /// A library that another run brings up to date while this one lists it.
  private struct OvertakenLibrary: DocumentSource {
    let bench: Bench
    var root: SourceURI { bench.library.root }
    var collection: CollectionName { bench.library.collection }

    func list() async throws -> SourceListing {
      try await bench.ingest()
      return try await bench.library.list()
    }
    func fetch(_ object: SourceObject) async throws -> LocalCopy { try await bench.library.fetch(object) }
    func discard(_ copy: LocalCopy) async {}
  }

  @Test func whatAnotherRunDidSinceTheLook_isNotDoneAgain() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    let summary = try await bench.ingester().ingest([OvertakenLibrary(bench: bench)], context: bench.context)
    #expect(summary.new == 0 && summary.unchanged == 1)
    #expect(await bench.library.fetched == ["a.pdf"])
    #expect(try await bench.index.totals(pipeline: Sample.current, identity: Sample.identity).documents == 1)
    #expect(try await job("a.pdf", bench)?.state != .running)
  }

  @Test func theJobOfAFileThatIsGoneIsForgotten_unlessTheListingIsIncompleteOrItIsHeld() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    try await leave(object("gone.pdf", stamp: "1"), in: bench)
    try await leave(object("held.pdf", stamp: "1"), in: bench, takenUntil: Sample.date.addingTimeInterval(20))
    try await leave(object("let go.pdf", stamp: "1"), in: bench, takenUntil: earlier)
    await bench.library.set(isComplete: false)
    try await bench.ingest()
    #expect(try await job("gone.pdf", bench) != nil)
    await bench.library.set(isComplete: true)
    try await bench.ingest()
    #expect(try await job("gone.pdf", bench) == nil)
    #expect(try await job("let go.pdf", bench) == nil)
    #expect(try await job("held.pdf", bench)?.state == .running)
  }

  @Test func jobsOfOtherPlacesAreLeftAlone() async throws {
    let bench = Bench()
    await bench.library.put("a.pdf", ["The pump moves water."])
    let beside = SourceURI(rawValue: bench.library.root.rawValue + "-2/b.pdf")
    let object = SourceObject(uri: beside, collection: .default, byteCount: 1, modified: earlier, stamp: "1")
    try await leave(object, in: bench)
    try await bench.ingest()
    #expect(try await bench.jobs.job(for: beside, collection: .default) != nil)
  }
}
