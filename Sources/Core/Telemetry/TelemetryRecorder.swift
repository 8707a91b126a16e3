public import Core
import Cryptography
import Concurrency
public import FoundationEssentials

/// The one recorder of events and metrics: takes them without ever waiting or failing, and hands them to the
/// event log and the exporters from a task of its own.
///
/// The queue is bounded; what does not fit is dropped and counted. Ingestion, which may wait, uses
/// ``recordWhenRoom(_:context:collection:answerID:)`` so that no embedding goes unrecorded.
public final class TelemetryRecorder: Sendable {
  /// What every event carries.
  public struct Identity: Sendable {
    /// The application's name.
    public var app: String
    /// The environment's name.
    public var environment: String
    /// This Quarry's version.
    public var quarryVersion: String

    /// Creates an identity.
    public init(app: String, environment: String, quarryVersion: String) {
      self.app = app
      self.environment = environment
      self.quarryVersion = quarryVersion
    }
  }

  /// What happened to telemetry so far.
  public struct Counters: Sendable, Hashable {
    /// Written to the log or exported.
    public var delivered = 0
    /// Dropped because the queue was full.
    public var dropped = 0
    /// Lost because the log or an exporter failed.
    public var failed = 0

    /// Creates counters.
    public init(delivered: Int = 0, dropped: Int = 0, failed: Int = 0) {
      self.delivered = delivered
      self.dropped = dropped
      self.failed = failed
    }
  }

  private enum Item {
    case event(Event)
    case metric(MetricPoint)
  }

  /// An item with what it takes in memory, bytes.
  private struct Queued {
    var item: Item
    var bytes: Int
  }

  private enum Phase {
    case beforeRun
    case running
    case ended
  }

  private enum Admission {
    case accepted
    case dropped
    case mustWait
  }

  private struct State {
    var queue: [Queued] = []
    /// Bytes of the queue, about.
    var bytes = 0
    var counters = Counters()
    var phase = Phase.beforeRun
    var roomWaiters: [CheckedContinuation<Void, Never>] = []
    var lastFailureLogged: Date?
    /// How many lost items the metric has told of.
    var lossReported = 0
  }

  private let identity: Identity
  private let redaction: Redaction
  private let eventLog: (any EventLog)?
  private let exporters: [any MetricExporter]
  private let log: StructuredLog
  private let capacity: Int
  private let byteCapacity: Int
  private let batch: Int
  private let now: @Sendable () -> Date
  private let state = Locked(State())
  private let wake: AsyncStream<Void>.Continuation
  private let wakes: Locked<AsyncStream<Void>?>

  /// Creates a recorder; nothing is delivered until ``run()``.
  /// - Parameters:
  ///   - identity: What every event carries.
  ///   - redaction: What is taken out before anything leaves the process; applied off the caller's path.
  ///   - eventLog: Where events go; nil for nowhere.
  ///   - exporters: Where metrics go.
  ///   - log: Told of failures, at most once a minute.
  ///   - capacity: Most items waiting.
  ///   - byteCapacity: Most bytes of items waiting; a larger one goes in only when nothing waits.
  ///   - now: The clock.
  public init(
    identity: Identity, redaction: Redaction = Redaction(), eventLog: (any EventLog)?,
    exporters: [any MetricExporter] = [], log: StructuredLog = .silent, capacity: Int = 4096,
    byteCapacity: Int = 64 << 20,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.identity = identity
    self.redaction = redaction
    self.eventLog = eventLog
    self.exporters = exporters
    self.log = log
    self.capacity = max(1, capacity)
    self.byteCapacity = max(1, byteCapacity)
    self.batch = min(256, max(1, capacity))
    self.now = now
    let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    wake = continuation
    wakes = Locked(stream)
  }

  /// A recorder that keeps nothing, for tools that leave no trace.
  public static func discarding() -> TelemetryRecorder {
    TelemetryRecorder(identity: .init(app: "", environment: "", quarryVersion: ""), eventLog: nil)
  }

  /// What happened so far.
  public var counters: Counters { state.withLock { $0.counters } }

  /// Records an event without waiting; dropped and counted when the queue is full.
  public func record(
    _ payload: EventPayload, context: RequestContext, collection: CollectionName? = nil, answerID: AnswerID? = nil
  ) {
    guard eventLog != nil else { return }
    let event = event(payload, context: context, collection: collection, answerID: answerID)
    enqueue(Queued(item: .event(event), bytes: event.approximateBytes))
  }

  /// Records events and waits for room in the queue; used where waiting is right, such as ingestion. Nothing is
  /// lost while ``run()`` runs; before and after, when nothing delivers, a full queue drops and counts.
  public func recordWhenRoom(
    _ payloads: [EventPayload], context: RequestContext, collection: CollectionName? = nil
  ) async {
    guard eventLog != nil else { return }
    for payload in payloads {
      let event = event(payload, context: context, collection: collection, answerID: nil)
      let queued = Queued(item: .event(event), bytes: event.approximateBytes)
      while enqueue(queued, mayWait: true) == .mustWait { await waitForRoom(of: queued.bytes) }
    }
  }

  private func waitForRoom(of bytes: Int) async {
    await withCheckedContinuation { continuation in
      let resumeNow = state.withLock { state -> Bool in
        guard !hasRoom(for: bytes, state), state.phase == .running else { return true }
        state.roomWaiters.append(continuation)
        return false
      }
      if resumeNow { continuation.resume() }
    }
  }

  /// Records one metric point without waiting.
  public func metric(
    _ name: String, _ value: Double, unit: MetricUnit = .none, dimensions: [String: String] = [:],
    isHighResolution: Bool = false
  ) {
    guard !exporters.isEmpty else { return }
    let point = MetricPoint(
      name: name, value: value, unit: unit, time: now(), dimensions: dimensions, isHighResolution: isHighResolution)
    enqueue(Queued(item: .metric(point), bytes: 256))
  }

  /// Delivers what is recorded until the task is cancelled, then delivers what is left. Call it once.
  public func run() async {
    guard
      let stream = wakes.withLock({ stream in
        defer { stream = nil }
        return stream
      })
    else { return }
    state.withLock { $0.phase = .running }
    await deliverAll()
    for await _ in stream {
      await deliverAll()
    }
    while !end() { await deliverAll() }
  }

  /// Ends delivery unless something is waiting: what comes later is counted as dropped, never left in the queue.
  private func end() -> Bool {
    state.withLock { state in
      guard state.queue.isEmpty else { return false }
      state.phase = .ended
      return true
    }
  }

  /// Lets ``run()`` deliver what is left and return.
  public func finish() { wake.finish() }

  private func event(
    _ payload: EventPayload, context: RequestContext, collection: CollectionName?, answerID: AnswerID?
  ) -> Event {
    // Rounded here, so that an event is the same before and after it was written.
    let time = EventTime.rounded(now())
    return Event(
      eventID: TimeOrderedID.make(now: time), time: time, answerID: answerID, traceID: context.traceID,
      app: identity.app, environment: identity.environment, quarryVersion: identity.quarryVersion,
      traffic: context.traffic, caller: Self.hashed(context.caller.id), collection: collection, payload: payload)
  }

  @discardableResult
  private func enqueue(_ queued: Queued, mayWait: Bool = false) -> Admission {
    let admission = state.withLock { state -> Admission in
      if state.phase != .ended, hasRoom(for: queued.bytes, state) {
        state.queue.append(queued)
        state.bytes += queued.bytes
        return .accepted
      }
      if mayWait, state.phase == .running { return .mustWait }
      state.counters.dropped += 1
      return .dropped
    }
    if admission == .accepted { wake.yield() }
    return admission
  }

  private func hasRoom(for bytes: Int, _ state: State) -> Bool {
    state.queue.isEmpty || (state.queue.count < capacity && state.bytes + bytes <= byteCapacity)
  }

  private func deliverAll() async {
    while true {
      let (items, waiters) = state.withLock { state in
        let items = Array(state.queue.prefix(batch))
        state.queue.removeFirst(items.count)
        for item in items { state.bytes -= item.bytes }
        defer { state.roomWaiters = [] }
        return (items.map(\.item), state.roomWaiters)
      }
      for waiter in waiters { waiter.resume() }
      guard !items.isEmpty else { return }
      await deliver(items)
    }
  }

  private func deliver(_ items: [Item]) async {
    var events: [Event] = []
    var points: [MetricPoint] = []
    for item in items {
      switch item {
      case .event(let event): events.append(event.redacting(redaction))
      case .metric(let point): points.append(point)
      }
    }
    if let eventLog, !events.isEmpty {
      do {
        try await eventLog.append(events)
        count(delivered: events.count)
      } catch {
        logFailure("events could not be written", error)
        count(failed: events.count)
      }
    }
    if !exporters.isEmpty, let lost = newlyLost() { points.append(lost) }
    guard !points.isEmpty else { return }
    for exporter in exporters {
      do {
        try await exporter.export(points)
        count(delivered: points.count)
      } catch {
        logFailure("metrics could not be exported", error)
        count(failed: points.count)
      }
    }
  }

  /// What was lost since the last call, as a point that goes out with the others; nil for nothing.
  private func newlyLost() -> MetricPoint? {
    let lost = state.withLock { state in
      let all = state.counters.dropped + state.counters.failed
      defer { state.lossReported = all }
      return all - state.lossReported
    }
    guard lost > 0 else { return nil }
    return MetricPoint(
      name: MetricName.droppedTelemetry, value: Double(lost), unit: .count, time: now(),
      dimensions: [DimensionName.app: identity.app, DimensionName.environment: identity.environment])
  }

  private func count(delivered: Int = 0, failed: Int = 0) {
    state.withLock { state in
      state.counters.delivered += delivered
      state.counters.failed += failed
    }
  }

  private func logFailure(_ message: StaticString, _ error: any Error) {
    let time = now()
    let mayLog = state.withLock { state -> Bool in
      if let last = state.lastFailureLogged, time.timeIntervalSince(last) < 60 { return false }
      state.lastFailureLogged = time
      return true
    }
    if mayLog { log.log(.error, message, error: error) }
  }

  /// Callers are recorded as the first 16 hex digits of SHA-256 of their id.
  static func hashed(_ caller: String) -> String {
    String(SHA256.hash(Array(caller.utf8)).hexadecimal.prefix(16))
  }
}
