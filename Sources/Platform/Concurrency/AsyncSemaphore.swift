/// Lets at most `width` tasks through at once; the others wait in the order they came.
public final class AsyncSemaphore: Sendable {
  private struct State {
    var free: Int
    var nextTicket: UInt64 = 0
    var waiters: [(ticket: UInt64, continuation: CheckedContinuation<Bool, Never>)] = []
    /// Tickets cancelled before their continuation was stored.
    var cancelledEarly: Set<UInt64> = []
  }

  private let state: Locked<State>

  /// Creates a semaphore with `width` permits, at least 1.
  public init(width: Int) {
    precondition(width >= 1, "a semaphore needs at least one permit")
    state = Locked(State(free: width))
  }

  /// The number of tasks that wait for a permit now.
  public var waiting: Int { state.withLock { $0.waiters.count } }

  /// Runs `body` while holding a permit.
  /// - Throws: `CancellationError` if the task is cancelled while it waits; else what `body` throws.
  public func withPermit<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> sending Result
  ) async throws -> sending Result {
    try await acquire()
    defer { release() }
    return try await body()
  }

  /// Takes a permit if one is free, without waiting. Pair each success with `release()`.
  public func tryAcquire() -> Bool {
    state.withLock { state in
      guard state.free > 0 else { return false }
      state.free -= 1
      return true
    }
  }

  /// Waits for a permit. Pair each success with `release()`; prefer `withPermit`.
  /// - Throws: `CancellationError` if the task is or gets cancelled; it then holds no permit.
  public func acquire() async throws {
    try Task.checkCancellation()
    let ticket = state.withLock { state in
      state.nextTicket += 1
      return state.nextTicket
    }
    let granted = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let immediate: Bool? = state.withLock { state in
          if state.cancelledEarly.remove(ticket) != nil { return false }
          if state.free > 0 {
            state.free -= 1
            return true
          }
          state.waiters.append((ticket, continuation))
          return nil
        }
        if let immediate { continuation.resume(returning: immediate) }
      }
    } onCancel: {
      cancel(ticket)
    }
    // A cancellation that came too late to matter may have left its ticket behind.
    state.withLock { _ = $0.cancelledEarly.remove(ticket) }
    if !granted { throw CancellationError() }
  }

  /// Gives a permit back, to the longest waiter if there is one.
  public func release() {
    let next = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      if state.waiters.isEmpty {
        state.free += 1
        return nil
      }
      return state.waiters.removeFirst().continuation
    }
    next?.resume(returning: true)
  }

  private func cancel(_ ticket: UInt64) {
    let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
      if let index = state.waiters.firstIndex(where: { $0.ticket == ticket }) {
        return state.waiters.remove(at: index).continuation
      }
      state.cancelledEarly.insert(ticket)
      return nil
    }
    waiter?.resume(returning: false)
  }
}
