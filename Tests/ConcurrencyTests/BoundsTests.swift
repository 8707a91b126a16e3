import Concurrency
import Foundation
import Testing

private struct Broken: Error {}

@Suite(.timeLimit(.minutes(1))) struct DeadlineTests {
  @Test func returnsTheResult_whenWorkEndsInTime() async throws {
    #expect(try await withTimeout(.seconds(60)) { 7 } == 7)
  }

  @Test func throwsTheWorksOwnError_whenItFailsInTime() async {
    await #expect(throws: Broken.self) { try await withTimeout(.seconds(60)) { throw Broken() } }
  }

  @Test func cancelsTheWork_whenDeadlineComes() async {
    let clock = ManualClock()
    let wasCancelled = Locked(false)
    async let outcome: Void = withTimeout(.seconds(5), clock: clock) {
      do { try await Task.sleep(for: .seconds(600)) } catch {
        wasCancelled.withLock { $0 = true }
        throw error
      }
    }
    await clock.whenSleeping()
    clock.advance(by: .seconds(5))
    do {
      try await outcome
      Issue.record("the deadline had no effect")
    } catch { #expect(error is DeadlineExceeded) }
    #expect(wasCancelled.withLock { $0 })
  }

  @Test func throwsAtOnce_whenDeadlineHasPassed() async {
    let clock = ManualClock()
    let past = clock.now
    clock.advance(by: .seconds(1))
    await #expect(throws: DeadlineExceeded.self) {
      try await withDeadline(past, clock: clock) { try await Task.sleep(for: .seconds(600)) }
    }
  }
}

@Suite(.timeLimit(.minutes(1))) struct AsyncSemaphoreTests {
  @Test func neverLetsMoreThanItsWidthThrough() async throws {
    let semaphore = AsyncSemaphore(width: 3)
    let inside = Locked((now: 0, most: 0))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<200 {
        group.addTask {
          try await semaphore.withPermit {
            inside.withLock {
              $0.now += 1
              $0.most = max($0.most, $0.now)
            }
            await Task.yield()
            inside.withLock { $0.now -= 1 }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(inside.withLock { $0.now } == 0)
    #expect((1...3).contains(inside.withLock { $0.most }))
    #expect(semaphore.tryAcquire() && semaphore.tryAcquire() && semaphore.tryAcquire() && !semaphore.tryAcquire())
  }

  @Test func servesWaitersInTheOrderTheyCame() async throws {
    let semaphore = AsyncSemaphore(width: 1)
    try await semaphore.acquire()
    let order = Locked<[Int]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<5 {
        group.addTask { try await semaphore.withPermit { order.withLock { $0.append(number) } } }
        while semaphore.waiting != number + 1 { await Task.yield() }
      }
      semaphore.release()
      try await group.waitForAll()
    }
    #expect(order.withLock { $0 } == [0, 1, 2, 3, 4])
  }

  @Test func losesNoPermit_whenWaitersAreCancelled() async throws {
    let semaphore = AsyncSemaphore(width: 1)
    try await semaphore.acquire()
    let waiter = Task { try await semaphore.withPermit {} }
    while semaphore.waiting != 1 { await Task.yield() }
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
    semaphore.release()
    #expect(semaphore.tryAcquire())
  }

  @Test func losesNoPermit_whenCancellationRaces() async throws {
    let semaphore = AsyncSemaphore(width: 2)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<300 {
        let task = Task { try await semaphore.withPermit { await Task.yield() } }
        group.addTask { task.cancel() }
        group.addTask { _ = try? await task.value }
      }
    }
    #expect(semaphore.tryAcquire() && semaphore.tryAcquire() && !semaphore.tryAcquire())
  }
}

@Suite(.timeLimit(.minutes(1))) struct BlockingQueueTests {
  @Test func keepsThePoolFree_whenManyCallsBlock() async {
    let gate = DispatchSemaphore(value: 0)
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<8 { group.addTask { await runBlocking(label: "blocked-\(number)") { gate.wait() } } }
      // With the pool's threads blocked this task could not run, and the test would not end.
      group.addTask { for _ in 0..<8 { gate.signal() } }
    }
  }

  @Test func runsCallsInOrder_andThrowsTheirErrors() async throws {
    let queue = BlockingQueue(label: "ordered")
    #expect(await queue.run { 3 } == 3)
    await #expect(throws: Broken.self) { try await queue.run { throw Broken() } }
    #expect(await queue.run { 4 } == 4)
  }

  @Test func isolatesAnActor_whenUsedAsItsExecutor() async {
    actor Counter {
      let executor = SerialQueueExecutor(label: "counter")
      nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
      var count = 0
      func add() -> Int {
        executor.preconditionIsolated()
        count += 1
        return count
      }
    }
    let counter = Counter()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<100 { group.addTask { _ = await counter.add() } }
    }
    #expect(await counter.add() == 101)
  }
}
