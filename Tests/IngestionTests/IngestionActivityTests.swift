import Concurrency
import Core
import Ingestion
import QuarryTesting
import Testing

@Suite struct IngestionActivityTests {
  private let elapsed = Locked(Duration.zero)
  private let activity: IngestionActivity
  private let a = SourceURI(filePath: "/library/a.pdf")
  private let b = SourceURI(filePath: "/library/b.pdf")

  init() {
    let start = ContinuousClock.now
    let elapsed = elapsed
    activity = IngestionActivity { start + elapsed.withLock { $0 } }
  }

  private func advance(_ seconds: Int) { elapsed.withLock { $0 += .seconds(seconds) } }

  private func committed(_ uri: SourceURI) -> IngestionProgress {
    .committed(
      CommittedDocument(
        id: DocumentID(rawValue: "d"), uri: uri, isNew: true, state: .ready, reason: nil, pages: 3, chunks: 5))
  }

  @Test func isAllZero_beforeAnythingHappens() {
    #expect(activity.snapshot() == IngestionActivity.Snapshot())
  }

  @Test func namesWhatTakesLongest_first() {
    activity.record(.found(root: SourceURI(filePath: "/library"), objects: 3, skipped: 1))
    activity.record(.started(a))
    advance(5)
    activity.record(.started(b))
    activity.record(.extracted(a, pages: 16, of: 100))
    activity.record(.embedded(b, chunks: 8, of: 9))
    advance(1)
    #expect(
      activity.snapshot().inWork == [
        .init(uri: a, stage: .reading, done: 16, total: 100, elapsed: .seconds(6)),
        .init(uri: b, stage: .embedding, done: 8, total: 9, elapsed: .seconds(1)),
      ])
  }

  @Test func countsEachEndOnce() {
    activity.record(.found(root: SourceURI(filePath: "/library"), objects: 4, skipped: 0))
    for uri in [a, b] { activity.record(.started(uri)) }
    activity.record(committed(a))
    activity.record(
      .failed(FailedObject(name: b.rawValue, code: "pdf.encrypted", message: "locked", remedy: nil, willRetry: false)))
    activity.record(.unchanged(SourceURI(filePath: "/library/c.pdf")))
    activity.record(.skipped(SkippedObject(name: "/library/link.pdf", code: "source.link", reason: "broken")))
    let snapshot = activity.snapshot()
    #expect(snapshot.found == 4 && snapshot.finished == 3 && snapshot.failed == 1 && snapshot.inWork.isEmpty)
  }

  @Test func ratesLookBackAMinute_andTellTheRest() {
    activity.record(.found(root: SourceURI(filePath: "/library"), objects: 10, skipped: 0))
    activity.record(.started(a))
    advance(10)
    activity.record(.extracted(a, pages: 16, of: 20))
    activity.record(.extracted(a, pages: 20, of: 20))
    activity.record(.embedded(a, chunks: 30, of: 30))
    activity.record(committed(a))
    let soon = activity.snapshot()
    #expect(soon.pagesPerSecond == 2 && soon.chunksPerSecond == 3 && soon.documentsPerMinute == 6)
    #expect(soon.remaining == .seconds(90))
    advance(30)
    #expect(activity.snapshot().documentsPerMinute == 1.5)
    advance(300)
    let later = activity.snapshot()
    #expect(later.pagesPerSecond == 0 && later.documentsPerMinute == 0 && later.remaining == nil)
  }

  @Test func staysSmall_howeverLongItRuns() {
    for number in 0..<10_000 {
      let uri = SourceURI(filePath: "/library/\(number).pdf")
      activity.record(.started(uri))
      activity.record(.unchanged(uri))
    }
    #expect(activity.snapshot().inWork.isEmpty)
    #expect(activity.snapshot().finished == 10_000)
  }
}
