/// A clock that moves only when told to, for tests of whatever takes a clock.
public final class ManualClock: Clock, Sendable {
  /// A point on a manual clock: the time since its creation.
  public struct Instant: InstantProtocol {
    /// The time since the clock's creation.
    public let offset: Duration

    /// The instant `duration` later (earlier if negative).
    public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }

    /// The time from here to `other`.
    public func duration(to other: Instant) -> Duration { other.offset - offset }

    /// Whether `left` comes before `right`.
    public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private struct Sleeper {
    let id: UInt64
    let deadline: Instant
    let continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var now = Instant(offset: .zero)
    var nextID: UInt64 = 0
    var sleepers: [Sleeper] = []
    var cancelledEarly: Set<UInt64> = []
    var observers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Locked(State())

  /// Creates a clock at offset zero.
  public init() {}

  /// The clock's present instant.
  public var now: Instant { state.withLock { $0.now } }

  /// Instants are exact.
  public var minimumResolution: Duration { .nanoseconds(1) }

  /// Moves the clock forward and wakes the sleepers whose deadline has come, earliest first.
  public func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.now = state.now.advanced(by: duration)
      let now = state.now
      let due = state.sleepers.filter { $0.deadline <= now }.sorted { $0.deadline < $1.deadline }
      state.sleepers.removeAll { $0.deadline <= now }
      return due
    }
    for sleeper in due { sleeper.continuation.resume(returning: true) }
  }

  /// Returns once at least `count` tasks sleep on this clock: the moment when advancing it has an effect.
  public func whenSleeping(_ count: Int = 1) async {
    await withCheckedContinuation { continuation in
      let ready = state.withLock { state in
        if state.sleepers.count >= count { return true }
        state.observers.append((count, continuation))
        return false
      }
      if ready { continuation.resume() }
    }
  }

  /// Suspends until the clock has been moved to `deadline`.
  /// - Throws: `CancellationError` when the task is cancelled.
  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let woken = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        add(Sleeper(id: id, deadline: deadline, continuation: continuation))
      }
    } onCancel: {
      let sleeper = state.withLock { state -> Sleeper? in
        if let index = state.sleepers.firstIndex(where: { $0.id == id }) { return state.sleepers.remove(at: index) }
        state.cancelledEarly.insert(id)
        return nil
      }
      sleeper?.continuation.resume(returning: false)
    }
    if !woken { throw CancellationError() }
  }

  private func add(_ sleeper: Sleeper) {
    var ready: [CheckedContinuation<Void, Never>] = []
    let immediate: Bool? = state.withLock { state in
      if state.cancelledEarly.remove(sleeper.id) != nil { return false }
      if sleeper.deadline <= state.now { return true }
      state.sleepers.append(sleeper)
      let count = state.sleepers.count
      ready = state.observers.filter { $0.count <= count }.map(\.continuation)
      state.observers.removeAll { $0.count <= count }
      return nil
    }
    if let immediate { sleeper.continuation.resume(returning: immediate) }
    for observer in ready { observer.resume() }
  }
}
