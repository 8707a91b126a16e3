import Concurrency
import Core
import FoundationEssentials
import Ingestion
import QuarryTesting
import Testing

@Suite(.timeLimit(.minutes(10))) struct WatcherTests {
  /// A watcher at work, its clock moved by hand.
  private final class Watching: Sendable {
    let bench: Bench
    let notices = FakeWatch()
    let clock = ManualClock()
    let date = Locked(Sample.date)
    let events = Locked<[WatchEvent]>([])

    init() { bench = Bench(notices: notices) }

    func watcher(_ others: [any DocumentSource] = [], settings: WatchSettings = .init()) -> Watcher {
      Watcher(
        others + [bench.library], ingester: bench.ingester(now: { [date] in date.withLock { $0 } }),
        settings: settings, context: bench.context
      ) { [events] event in events.withLock { $0.append(event) } }
    }

    /// Moves both clocks.
    func pass(_ seconds: Double) {
      date.withLock { $0 += seconds }
      clock.advance(by: .seconds(seconds))
    }

    func documents() async throws -> Int {
      try await bench.index.totals(pipeline: Sample.current, identity: Sample.identity).documents
    }

    func finished(_ cause: WatchEvent.Cause) -> Int {
      events.withLock { $0.count { if case .finished(_, cause, _, _) = $0 { true } else { false } } }
    }

    func failures() -> [(root: SourceURI, code: String, delay: Duration)] {
      events.withLock {
        $0.compactMap {
          if case .failed(let source, let error, _, let delay) = $0 { (source.root, error.code, delay) } else { nil }
        }
      }
    }
  }

  /// Runs `body` while a watcher watches, then stops it.
  private func watch(_ watcher: Watcher, _ watching: Watching, _ body: () async throws -> Void) async throws {
    let run = Task { await watcher.run(clock: watching.clock) }
    do { try await body() } catch {
      run.cancel()
      throw error
    }
    run.cancel()
    await run.value
  }

  /// Waits until `condition` holds; the suite's time limit bounds it.
  private func until(_ condition: () async throws -> Bool) async throws {
    while try await !condition() { try await Task.sleep(for: .milliseconds(5)) }
  }

  @Test func listsAtTheStart_andTakesWhatIsNoticed() async throws {
    let watching = Watching()
    await watching.bench.library.put("a.pdf", ["The pump moves water."])
    try await watch(watching.watcher(), watching) {
      try await until { watching.finished(.listing) == 1 }
      #expect(try await watching.documents() == 1)
      await watching.bench.library.put("b.pdf", ["The pipe holds it."])
      let object = try #require(await watching.bench.library.object("b.pdf"))
      watching.notices.tell(SourceChanges(present: [object], rootStamp: "device-1"))
      try await until { watching.finished(.changes) == 1 }
      #expect(try await watching.documents() == 2)
      await watching.bench.library.remove("b.pdf")
      watching.notices.tell(SourceChanges(gone: [object.uri], rootStamp: "device-1"))
      try await until { watching.finished(.changes) == 2 }
      #expect(try await watching.documents() == 1)
      #expect(await watching.bench.library.listings == 1)
    }
    #expect(watching.notices.isStopped)
  }

  @Test func listsAgain_whenItIsTime_whenAsked_andWhenNoticesWereLost() async throws {
    let watching = Watching()
    let watcher = watching.watcher()
    try await watch(watcher, watching) {
      try await until { watching.finished(.listing) == 1 }
      await watching.bench.library.put("a.pdf", ["The pump moves water."])
      await watching.clock.whenSleeping()
      watching.pass(3599)
      watching.pass(1)
      try await until { watching.finished(.listing) == 2 }
      #expect(try await watching.documents() == 1)
      #expect(watcher.syncNow(where: { $0.rawValue == "law" }) == 0)
      #expect(watcher.syncNow() == 1)
      try await until { watching.finished(.listing) == 3 }
      watching.notices.tell(SourceChanges(rootStamp: "device-1", needsListing: true))
      try await until { watching.finished(.listing) == 4 }
    }
  }

  @Test func listsMoreOften_whenNoticesFallShort() async throws {
    let watching = Watching()
    try await watch(watching.watcher(), watching) {
      try await until { watching.finished(.listing) == 1 }
      watching.notices.tell(SourceChanges(shortfall: NoticeShortfall(code: "x", message: "x", remedy: "x")))
      try await until {
        watching.events.withLock { $0.contains { if case .noticesFallShort = $0 { true } else { false } } }
      }
      await watching.clock.whenSleeping()
      watching.pass(300)
      try await until { watching.finished(.listing) == 2 }
    }
  }

  @Test func aSourceThatFailsStopsNoOther_andIsTriedAgainEverLater() async throws {
    let watching = Watching()
    let broken = FakeLibrary(root: "/broken")
    await broken.failListing(with: CoreError(code: "file.missing", category: .notFound, message: "unmounted"))
    await watching.bench.library.put("a.pdf", ["The pump moves water."])
    try await watch(watching.watcher([broken]), watching) {
      try await until { watching.finished(.listing) == 1 && watching.failures().count == 1 }
      #expect(try await watching.documents() == 1)
      for count in 1...3 {
        await watching.clock.whenSleeping(2)
        watching.pass(watching.failures().last?.delay == .seconds(5) ? 5 : 300)
        try await until { watching.failures().count > count }
      }
      let delays = watching.failures().map(\.delay)
      #expect(delays.prefix(4) == [.seconds(5), .seconds(10), .seconds(20), .seconds(40)])
      #expect(watching.failures().allSatisfy { $0.root == broken.root && $0.code == "file.missing" })
      await broken.failListing(with: nil)
      await watching.clock.whenSleeping(2)
      watching.pass(300)
      try await until {
        watching.events.withLock { $0.contains { if case .recovered(_, 4) = $0 { true } else { false } } }
      }
    }
  }

  @Test func goesOn_whenTheDiskWasFull() async throws {
    let watching = Watching()
    await watching.bench.library.put("a.pdf", ["The pump moves water."])
    await watching.bench.index.failCommits(
      with: CoreError(code: "store.full", category: .storageFull, message: "the disk is full"))
    try await watch(watching.watcher(), watching) {
      try await until { watching.failures().map(\.code) == ["store.full"] }
      await watching.bench.index.failCommits(with: nil)
      // The document itself waits longer than the source.
      for _ in 0..<8 {
        await watching.clock.whenSleeping()
        watching.pass(10)
      }
      try await until { try await watching.documents() == 1 }
    }
  }

  @Test func triesAgainWhatFailed_whenItsTimeComes_andNeverWhatIsHopeless() async throws {
    let watching = Watching()
    let library = watching.bench.library
    await library.put("slow.pdf", ["The pump moves water."])
    await library.put("bad.pdf", ["x"])
    await library.fail("slow.pdf", with: CoreError(code: "pdf.timeout", category: .timedOut, message: "slow"))
    await library.fail("bad.pdf", with: CoreError(code: "pdf.damaged", category: .invalidInput, message: "bad"))
    try await watch(watching.watcher(), watching) {
      try await until { watching.finished(.listing) == 1 }
      await library.fail("slow.pdf", with: nil)
      await watching.clock.whenSleeping()
      watching.pass(30)
      try await until { watching.finished(.retries) == 1 }
      #expect(try await watching.documents() == 1)
      #expect(await library.listings == 1)
      #expect(await library.opened.filter { $0 == "bad.pdf" }.count == 1)
    }
  }

  @Test func aRunOfSingleDeletionsIsABurst() async throws {
    let watching = Watching()
    for number in 0..<15 { await watching.bench.library.put("\(number).pdf", ["Document number \(number) here."]) }
    try await watch(watching.watcher(), watching) {
      try await until { watching.finished(.listing) == 1 }
      for number in 0..<15 {
        let uri = FakeLibrary.uri("\(number).pdf")
        await watching.bench.library.remove("\(number).pdf")
        watching.notices.tell(SourceChanges(gone: [uri], rootStamp: "device-1"))
        try await until { watching.finished(.changes) == number + 1 }
      }
      #expect(try await watching.documents() == 6)
      // What was held back is still held back when everything is listed.
      await watching.clock.whenSleeping()
      watching.pass(3600)
      try await until { watching.finished(.listing) == 2 }
      #expect(try await watching.documents() == 6)
    }
  }

  @Test func overrulesTheGuardInTheFirstListingOnly() async throws {
    let watching = Watching()
    for number in 0..<3 { await watching.bench.library.put("\(number).pdf", ["Document number \(number) here."]) }
    try await watching.bench.ingest(.init(deletesMissing: true))
    await watching.bench.library.removeAll()
    let watcher = watching.watcher(settings: .init(allowsMassDelete: true))
    try await watch(watcher, watching) {
      try await until { watching.finished(.listing) == 1 }
      #expect(try await watching.documents() == 0)
      for number in 3..<6 { await watching.bench.library.put("\(number).pdf", ["Document number \(number) here."]) }
      watcher.syncNow()
      try await until { watching.finished(.listing) == 2 }
      await watching.bench.library.removeAll()
      watcher.syncNow()
      try await until { watching.finished(.listing) == 3 }
      #expect(try await watching.documents() == 3)
    }
  }

  @Test func tellsTheSource_howTheWorkOnItsChangesEnded() async throws {
    let watching = Watching()
    let bench = watching.bench
    try await watch(watching.watcher(), watching) {
      try await until { watching.finished(.listing) == 1 }
      for name in ["good.pdf", "bad.pdf", "held.pdf"] { await bench.library.put(name, ["The pump moves water."]) }
      await bench.library.fail(
        "bad.pdf", with: CoreError(code: "pdf.damaged", category: .invalidInput, message: "damaged"))
      func objects(_ names: String...) async -> [SourceObject] {
        var objects: [SourceObject] = []
        for name in names { if let object = await bench.library.object(name) { objects.append(object) } }
        return objects
      }
      let held = await objects("held.pdf")
      try await bench.jobs.enqueue(held, now: Sample.date)
      _ = try await bench.jobs.lease(
        held[0].uri, collection: .default, owner: "somebody", now: Sample.date, leaseUntil: .distantFuture)
      watching.notices.tell(
        SourceChanges(present: await objects("good.pdf", "bad.pdf", "held.pdf"), rootStamp: "device-1"))
      // What failed is in the job table; what another process has in work may still be lost with it.
      try await until { watching.notices.ends.count == 1 }
      #expect(watching.notices.ends == [.recorded(inWork: [held[0].uri])])
      #expect(try await bench.jobs.job(for: FakeLibrary.uri("bad.pdf"), collection: .default)?.state == .parked)

      await bench.index.failCommits(
        with: CoreError(code: "disk.full", category: .storageFull, message: "the disk is full"))
      await bench.library.put("late.pdf", ["The valve holds it back."])
      watching.notices.tell(SourceChanges(present: await objects("late.pdf"), rootStamp: "device-1"))
      try await until { watching.notices.ends.count == 2 }
      #expect(watching.notices.ends.last == .failed)
      await bench.index.failCommits(with: nil)
    }
  }

  @Test func onceWaitsForFilesInWriting_butNotForEver() async throws {
    let watching = Watching()
    let settings = WatchSettings(settleTime: .milliseconds(1))
    await watching.bench.library.put("a.pdf", ["The pump moves water."])
    await watching.bench.library.settle(after: 2)
    let summary = try await watching.watcher(settings: settings).once()
    #expect(summary.new == 1)
    #expect(!summary.skipped.contains { $0.code == "source.unsettled" })
    await watching.bench.library.put("b.pdf", ["The pipe holds it."])
    await watching.bench.library.settle(after: 1_000)
    let second = try await watching.watcher(settings: settings).once()
    #expect(second.new == 0 && second.unchanged == 1)
    #expect(second.skipped.contains { $0.code == "source.unsettled" })
  }

  @Test func onceTellsOfASourceThatFails_andTakesTheOthers() async throws {
    let watching = Watching()
    let broken = FakeLibrary(root: "/broken")
    await broken.failListing(with: CoreError(code: "file.missing", category: .notFound, message: "unmounted"))
    await watching.bench.library.put("a.pdf", ["The pump moves water."])
    let summary = try await watching.watcher([broken]).once()
    #expect(summary.new == 1)
    #expect(summary.failed.map(\.code) == ["file.missing"])
  }
}
