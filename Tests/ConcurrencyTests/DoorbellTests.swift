import Concurrency
import Testing

@Suite(.timeLimit(.minutes(1))) struct DoorbellTests {
  @Test func keepsARing_untilSomebodyWaits() async {
    let bell = Doorbell()
    bell.ring()
    bell.ring()
    await bell.wait()
    // Both counted as one: this wait ends by its deadline, which has passed.
    await bell.wait(until: .now, clock: ContinuousClock())
  }

  @Test func wakesTheWaiter_again_andAgain() async {
    let bell = Doorbell()
    let count = Locked(0)
    let waiter = Task {
      for _ in 0..<1_000 {
        await bell.wait()
        count.withLock { $0 += 1 }
      }
    }
    while count.withLock({ $0 }) < 1_000 {
      bell.ring()
      await Task.yield()
    }
    await waiter.value
    #expect(count.withLock { $0 } == 1_000)
  }

  @Test func endsTheWait_whenTheTaskIsCancelled() async {
    let bell = Doorbell()
    for _ in 0..<200 {
      let waiter = Task { await bell.wait() }
      await Task.yield()
      waiter.cancel()
      await waiter.value
    }
  }

  @Test func endsTheWait_atTheDeadline() async {
    let (bell, clock) = (Doorbell(), ManualClock())
    let waiter = Task { await bell.wait(until: clock.now.advanced(by: .seconds(9)), clock: clock) }
    await clock.whenSleeping()
    clock.advance(by: .seconds(9))
    await waiter.value
  }
}
