import Core
import Foundation
import QuarryTesting
import Telemetry
import Testing

/// An event log whose appends wait until they are let through.
private actor GatedEventLog: EventLog {
  private(set) var events: [Event] = []
  private(set) var batches: [Int] = []
  private var isOpen = false
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private var arrivals: [CheckedContinuation<Void, Never>] = []

  func append(_ events: [Event]) async throws {
    arrivals.forEach { $0.resume() }
    arrivals = []
    if !isOpen { await withCheckedContinuation { waiting.append($0) } }
    self.events += events
    batches.append(events.count)
  }

  /// Returns when an append is waiting.
  func arrival() async {
    if waiting.isEmpty { await withCheckedContinuation { arrivals.append($0) } }
  }

  func open() {
    isOpen = true
    waiting.forEach { $0.resume() }
    waiting = []
  }

  nonisolated func events(
    from start: Date, to end: Date, kind: EventKind?, unreadable: @escaping @Sendable (String) -> Void
  ) -> AsyncThrowingStream<Event, any Error> { AsyncThrowingStream { $0.finish() } }
}

private actor Exported: MetricExporter {
  private(set) var points: [MetricPoint] = []
  private let fails: Bool
  init(fails: Bool = false) { self.fails = fails }
  func export(_ points: [MetricPoint]) async throws {
    if fails { throw CocoaError(.fileWriteUnknown) }
    self.points += points
  }
  nonisolated var name: String { "exported" }
}

@Suite(.timeLimit(.minutes(5))) struct TelemetryRecorderTests {
  private let identity = TelemetryRecorder.Identity(app: "app", environment: "test", quarryVersion: "1.2.3")
  private let context = RequestContext(caller: Caller(id: "key-1"))

  private func payload(_ number: Int) -> EventPayload { .feedback(FeedbackEvent(rating: number)) }

  private func ratings(_ events: [Event]) -> [Int] {
    events.compactMap { if case .feedback(let feedback) = $0.payload { feedback.rating } else { nil } }
  }

  @Test func fillsTheEnvelope_andHashesTheCaller() async throws {
    let log = InMemoryEventLog()
    let recorder = TelemetryRecorder(
      identity: identity, redaction: Redaction(fields: [.question]), eventLog: log, now: { Sample.date + 0.00049 })
    recorder.record(
      .answer(Sample.answerEvent()), context: context, collection: .default, answerID: AnswerID(rawValue: "a1"))
    recorder.finish()
    await recorder.run()
    let event = try #require(log.all.first)
    #expect(log.all.count == 1)
    #expect(event.app == "app" && event.environment == "test" && event.quarryVersion == "1.2.3")
    #expect(event.traceID == context.traceID && event.traffic == .live)
    #expect(event.answerID == AnswerID(rawValue: "a1") && event.collection == .default)
    // printf key-1 | sha256sum
    #expect(event.caller == "be2974546978e373")
    #expect(event.redacted.contains("question"))
    #expect(try EventCoding.decode(EventCoding.encode(event)) == event)
  }

  @Test func dropsAndCounts_whenTheQueueIsFullOfBytes_butTakesOneHoweverLarge() async {
    let log = InMemoryEventLog()
    let recorder = TelemetryRecorder(identity: identity, eventLog: log, byteCapacity: 100_000)
    func comment(_ rating: Int, _ length: Int) -> EventPayload {
      .feedback(FeedbackEvent(rating: rating, comment: String(repeating: "x", count: length)))
    }
    recorder.record(comment(1, 200_000), context: context)
    recorder.record(comment(2, 10), context: context)
    #expect(recorder.counters.dropped == 1)
    recorder.finish()
    await recorder.run()
    #expect(ratings(log.all) == [1])

    let other = TelemetryRecorder(identity: identity, eventLog: log, byteCapacity: 100_000)
    for rating in 3...7 { other.record(comment(rating, 30_000), context: context) }
    #expect(other.counters.dropped == 2)
    other.finish()
    await other.run()
    #expect(ratings(log.all) == [1, 3, 4, 5])
  }

  @Test func losesNothing_whenBytesAreFewAndIngestionWaits() async {
    let log = InMemoryEventLog()
    let recorder = TelemetryRecorder(identity: identity, eventLog: log, byteCapacity: 10_000)
    let delivery = Task { await recorder.run() }
    // `recordWhenRoom` waits only while somebody delivers.
    while recorder.counters.delivered == 0 {
      recorder.record(payload(0), context: context)
      await Task.yield()
    }
    let before = recorder.counters.dropped
    await recorder.recordWhenRoom(
      (1...200).map { .feedback(FeedbackEvent(rating: $0, comment: String(repeating: "x", count: 3_000))) },
      context: context)
    recorder.finish()
    await delivery.value
    #expect(ratings(log.all).filter { $0 > 0 } == Array(1...200))
    #expect(recorder.counters.dropped == before)
  }

  @Test func dropsAndCounts_withoutWaiting_whenTheQueueIsFull() async {
    let log = InMemoryEventLog()
    let recorder = TelemetryRecorder(identity: identity, eventLog: log, capacity: 10)
    for number in 0..<25 { recorder.record(payload(number), context: context) }
    #expect(recorder.counters == .init(dropped: 15))
    recorder.finish()
    await recorder.run()
    #expect(ratings(log.all) == Array(0..<10))
    #expect(recorder.counters == .init(delivered: 10, dropped: 15))
  }

  @Test func recordsWhileTheLogHangs() async {
    let log = GatedEventLog()
    let recorder = TelemetryRecorder(identity: identity, eventLog: log, capacity: 4)
    async let running: Void = recorder.run()
    recorder.record(payload(0), context: context)
    await log.arrival()
    for number in 1..<10 { recorder.record(payload(number), context: context) }
    #expect(recorder.counters == .init(dropped: 5))
    await log.open()
    recorder.finish()
    await running
    #expect(await ratings(log.events) == Array(0..<5))
  }

  @Test func losesNothing_whenProducersMayWait() async {
    let log = GatedEventLog()
    let recorder = TelemetryRecorder(identity: identity, eventLog: log, capacity: 5)
    async let running: Void = recorder.run()
    recorder.record(payload(-1), context: context)
    await log.arrival()
    await withTaskGroup(of: Void.self) { group in
      for producer in 0..<8 {
        group.addTask {
          await recorder.recordWhenRoom((0..<50).map { payload(producer * 50 + $0) }, context: context)
        }
      }
      group.addTask { await log.open() }
    }
    recorder.finish()
    await running
    let ratings = await ratings(log.events).filter { $0 >= 0 }
    #expect(ratings.sorted() == Array(0..<400))
    // Each producer's own order is kept.
    for producer in 0..<8 {
      #expect(ratings.filter { $0 / 50 == producer } == Array(producer * 50..<producer * 50 + 50))
    }
    #expect(recorder.counters == .init(delivered: 401))
  }

  @Test func doesNotWaitForEver_whenNothingDelivers() async {
    let log = InMemoryEventLog()
    let recorder = TelemetryRecorder(identity: identity, eventLog: log, capacity: 3)
    await recorder.recordWhenRoom((0..<5).map(payload), context: context)
    #expect(recorder.counters == .init(dropped: 2))
    recorder.finish()
    await recorder.run()
    await recorder.recordWhenRoom((5..<9).map(payload), context: context)
    recorder.record(payload(9), context: context)
    #expect(ratings(log.all) == [0, 1, 2])
    #expect(recorder.counters == .init(delivered: 3, dropped: 7))
  }

  @Test func deliversTheRest_whenItsTaskIsCancelled() async {
    let log = InMemoryEventLog()
    let recorder = TelemetryRecorder(identity: identity, eventLog: log)
    let running = Task { await recorder.run() }
    for number in 0..<1000 { recorder.record(payload(number), context: context) }
    running.cancel()
    await running.value
    #expect(recorder.counters.delivered == 1000)
    #expect(ratings(log.all) == Array(0..<1000))
  }

  @Test func runsOnce() async {
    let recorder = TelemetryRecorder(identity: identity, eventLog: InMemoryEventLog())
    recorder.finish()
    await recorder.run()
    await recorder.run()
  }

  @Test func countsFailures_logsThemOnceAMinute_andGoesOn() async throws {
    let log = InMemoryEventLog()
    log.fail(with: CocoaError(.fileWriteOutOfSpace))
    let clock = Clock()
    let lines = Clock()
    let recorder = TelemetryRecorder(
      identity: identity, eventLog: log, log: StructuredLog(level: .info, format: .text) { _ in lines.advance(1) },
      now: { clock.date })
    let running = Task { await recorder.run() }
    for _ in 0..<5 { await recorder.recordWhenRoom([payload(0)], context: context) }
    while recorder.counters.failed < 5 { try await Task.sleep(for: .milliseconds(1)) }
    #expect(lines.date.timeIntervalSince(Sample.date) == 1)
    clock.advance(61)
    await recorder.recordWhenRoom([payload(0)], context: context)
    while recorder.counters.failed < 6 { try await Task.sleep(for: .milliseconds(1)) }
    log.fail(with: nil)
    await recorder.recordWhenRoom([payload(7)], context: context)
    recorder.finish()
    await running.value
    #expect(lines.date.timeIntervalSince(Sample.date) == 2)
    #expect(ratings(log.all) == [7])
    #expect(recorder.counters == .init(delivered: 1, failed: 6))
  }

  @Test func exportsMetrics_evenWhenAnotherExporterFails() async {
    let exported = Exported()
    let recorder = TelemetryRecorder(
      identity: identity, eventLog: nil, exporters: [Exported(fails: true), exported], now: { Sample.date })
    recorder.metric("similarity", 0.7, isHighResolution: true)
    recorder.metric("questions", 1, unit: .count, dimensions: ["app": "a"])
    recorder.finish()
    await recorder.run()
    #expect(
      await exported.points == [
        MetricPoint(name: "similarity", value: 0.7, time: Sample.date, isHighResolution: true),
        MetricPoint(name: "questions", value: 1, unit: .count, time: Sample.date, dimensions: ["app": "a"]),
      ])
    #expect(recorder.counters == .init(delivered: 2, failed: 2))
  }

  @Test func keepsNothing_whenDiscarding() async {
    let recorder = TelemetryRecorder.discarding()
    for number in 0..<10_000 { recorder.record(payload(number), context: context) }
    await recorder.recordWhenRoom([payload(0)], context: context)
    recorder.metric("similarity", 1)
    #expect(recorder.counters == .init())
  }

  private final class Clock: @unchecked Sendable {
    private let lock = NSLock()
    private var now = Sample.date
    var date: Date { lock.withLock { now } }
    func advance(_ seconds: Double) { lock.withLock { now += seconds } }
  }

  @Test func aMetricTellsWhatWasLost() async {
    let log = InMemoryEventLog()
    let exported = Exported()
    let recorder = TelemetryRecorder(identity: identity, eventLog: log, exporters: [exported], capacity: 2)
    for rating in 1...5 { recorder.record(payload(rating), context: context) }
    #expect(recorder.counters.dropped == 3)
    recorder.finish()
    await recorder.run()
    let lost = await exported.points.filter { $0.name == MetricName.droppedTelemetry }
    #expect(lost.map(\.value) == [3])
    #expect(lost.first?.dimensions == ["app": "app", "environment": "test"] && lost.first?.unit == .count)
  }
}
