/// A bell that one task waits for. A ring while nobody waits is kept, and several count as one, so that the waiter,
/// who looks at everything there is to do whenever it wakes, misses nothing.
public final class Doorbell: Sendable {
  private struct State {
    var isRung = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Locked(State())

  /// Creates a bell.
  public init() {}

  /// Wakes the waiter, or the next one; on any thread.
  public func ring() {
    let waiter = state.withLock { state in
      state.isRung = state.waiter == nil
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Returns after a ring, or when the task is cancelled. One task may wait at a time: another one wakes the first.
  public func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let resumed: CheckedContinuation<Void, Never>? = state.withLock { state in
          // A cancellation before this point found no waiter.
          if state.isRung || Task.isCancelled {
            state.isRung = false
            return continuation
          }
          defer { state.waiter = continuation }
          return state.waiter
        }
        resumed?.resume()
      }
    } onCancel: {
      let waiter = state.withLock { state in
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume()
    }
  }

  /// Returns after a ring, at `deadline`, or when the task is cancelled.
  public func wait<C: Clock>(until deadline: C.Instant, clock: C) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.wait() }
      group.addTask { try? await clock.sleep(until: deadline, tolerance: nil) }
      await group.next()
      group.cancelAll()
    }
  }
}
