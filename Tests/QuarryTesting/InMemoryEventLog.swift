import Concurrency
public import Core
public import FoundationEssentials

/// An event log in memory.
public final class InMemoryEventLog: EventLog {
  private struct State {
    var events: [Event] = []
    var failure: (any Error)?
  }

  private let state = Locked(State())

  /// Creates an empty log.
  public init() {}

  /// Everything appended, in order.
  public var all: [Event] { state.withLock { $0.events } }

  /// Makes every later append throw `error`, until nil is set.
  public func fail(with error: (any Error)?) { state.withLock { $0.failure = error } }

  /// Appends events.
  public func append(_ events: [Event]) async throws {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.events += events
    }
  }

  /// Events of a half-open span of time, oldest first.
  public func events(
    from start: Date, to end: Date, kind: EventKind?, unreadable: @escaping @Sendable (String) -> Void
  ) -> AsyncThrowingStream<Event, any Error> {
    let found = all.filter { $0.time >= start && $0.time < end && (kind == nil || $0.payload.kind == kind) }
      .sorted { $0.time < $1.time }
    return AsyncThrowingStream { continuation in
      found.forEach { continuation.yield($0) }
      continuation.finish()
    }
  }
}
