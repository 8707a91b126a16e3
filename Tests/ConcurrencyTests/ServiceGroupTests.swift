import Concurrency
import Foundation
import Testing

private struct Broken: Error, Equatable {}

/// What happened, in order.
private final class Record: Sendable {
  private let lines = Locked<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}

/// A service that runs until it is asked to drain.
private func draining(_ name: String, _ record: Record) -> GroupedService {
  let (stream, stop) = AsyncStream<Never>.makeStream()
  return GroupedService(name: name) {
    record.add("\(name) drains")
    stop.finish()
  } run: {
    for await _ in stream {}
    record.add(Task.isCancelled ? "\(name) cancelled" : "\(name) ended")
  }
}

/// A service that ends only by cancellation.
private func stubborn(_ name: String, _ record: Record) -> GroupedService {
  GroupedService(name: name, shutdown: { record.add("\(name) asked") }) {
    do { try await Task.sleep(for: .seconds(600)) } catch {
      record.add("\(name) cancelled")
      throw error
    }
  }
}

@Suite(.timeLimit(.minutes(1)), .serialized) struct ServiceGroupTests {
  @Test func drainsInReverseOrder_whenShutdownIsTriggered() async throws {
    let record = Record()
    let group = ServiceGroup(["a", "b", "c"].map { draining($0, record) }, signals: [])
    group.triggerShutdown()
    try await group.run()
    #expect(record.all == ["c drains", "c ended", "b drains", "b ended", "a drains", "a ended"])
  }

  @Test func cancelsServicesWithoutAHook_whenTheirTurnComes() async throws {
    let record = Record()
    let service = GroupedService(name: "loop") {
      do { try await Task.sleep(for: .seconds(600)) } catch {
        record.add("cancelled")
        throw error
      }
    }
    let group = ServiceGroup([service], signals: [])
    group.triggerShutdown()
    try await group.run()
    #expect(record.all == ["cancelled"])
  }

  @Test func throwsTheFirstFailure_andDrainsTheOthers() async {
    let record = Record()
    let failing = GroupedService(name: "failing") { throw Broken() }
    await #expect(throws: Broken.self) {
      try await ServiceGroup([draining("a", record), failing], signals: []).run()
    }
    #expect(record.all == ["a drains", "a ended"])
  }

  @Test func failsNamingTheService_whenOneReturnsUnasked() async {
    let record = Record()
    let error = await #expect(throws: ServiceGroupError.self) {
      try await ServiceGroup([draining("a", record), GroupedService(name: "brief") {}], signals: []).run()
    }
    #expect(error?.service == "brief")
    #expect(record.all == ["a drains", "a ended"])
  }

  @Test func endsWithoutError_whenTheServiceMayStopTheGroup() async throws {
    let record = Record()
    let once = GroupedService(name: "once", earlyEnd: .stopsGroup) {}
    try await ServiceGroup([draining("a", record), once], signals: []).run()
    #expect(record.all == ["a drains", "a ended"])
  }

  @Test func cancelsWhatIsLeft_whenGracePeriodIsOver() async throws {
    let record = Record()
    let clock = ManualClock()
    let group = ServiceGroup(
      [stubborn("first", record), stubborn("last", record)], gracePeriod: .seconds(30), signals: [], clock: clock)
    async let end: Void = group.run()
    group.triggerShutdown()
    await clock.whenSleeping()
    clock.advance(by: .seconds(30))
    try await end
    #expect(record.all.filter { $0.hasSuffix("cancelled") }.count == 2)
    #expect(!record.all.contains("first asked"))
  }

  @Test func drainsOnFirstSignal_cancelsOnSecond() async throws {
    let record = Record()
    let (started, markStarted) = AsyncStream<Void>.makeStream()
    let (stopping, markStopping) = AsyncStream<Void>.makeStream()
    let group = ServiceGroup([stubborn("only", record)], signals: [.user1]) { event in
      switch event {
      case .started: markStarted.yield()
      case .stopping(let reason):
        #expect(reason == .signal(.user1))
        markStopping.yield()
      default: break
      }
    }
    async let end: Void = group.run()
    for await _ in started { break }
    kill(getpid(), SIGUSR1)
    for await _ in stopping { break }
    kill(getpid(), SIGUSR1)
    try await end
    #expect(record.all.last == "only cancelled")
  }

  @Test func throwsCancellation_whenItsTaskIsCancelled() async {
    let record = Record()
    let (started, markStarted) = AsyncStream<Void>.makeStream()
    let group = ServiceGroup([stubborn("only", record)], signals: []) { _ in markStarted.yield() }
    let task = Task { try await group.run() }
    for await _ in started { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(record.all.contains("only cancelled") || record.all.isEmpty)
  }
}

@Suite(.timeLimit(.minutes(1)), .serialized) struct SignalsTests {
  @Test func deliversASignal_insteadOfEndingTheProcess() async {
    let stream = Signals.stream(of: [.user2, .hangup])
    kill(getpid(), SIGUSR2)
    var iterator = stream.makeAsyncIterator()
    #expect(await iterator.next() == .user2)
  }

  @Test func reportsBrokenPipeAsAnError_onceIgnored() {
    Signals.ignoreBrokenPipes()
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    close(ends[0])
    #expect(write(ends[1], "x", 1) == -1 && errno == EPIPE)
    close(ends[1])
  }
}
