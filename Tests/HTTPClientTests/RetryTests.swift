import Concurrency
import HTTPClient
import Testing

@Suite struct RetryTests {
  struct Failed: Error {}

  private let policy = RetryPolicy(maximumAttempts: 4, baseDelay: .milliseconds(1), maximumDelay: .milliseconds(4))

  @Test func waitsAnythingBetweenZeroAndTheDoubledBase() {
    let policy = RetryPolicy(maximumAttempts: 9, baseDelay: .milliseconds(100), maximumDelay: .seconds(1))
    let ceilings = (1...6).map { policy.delay(after: $0, retryAfter: nil, random: 1) }
    #expect(ceilings == [100, 200, 400, 800, 1_000, 1_000].map { .milliseconds($0) })
    #expect(policy.delay(after: 3, retryAfter: nil, random: 0) == .zero)
    #expect(policy.delay(after: 3, retryAfter: nil, random: 0.5) == .milliseconds(200))
    #expect(policy.delay(after: 100, retryAfter: nil, random: 1) == .seconds(1))
  }

  @Test func waitsAsLongAsTheServerAsks() {
    let policy = RetryPolicy(baseDelay: .milliseconds(100), maximumDelay: .seconds(1))
    #expect(policy.delay(after: 1, retryAfter: .seconds(7), random: 0.3) == .seconds(7))
    #expect(policy.delay(after: 1, retryAfter: .milliseconds(1), random: 0.5) == .milliseconds(50))
  }

  @Test(arguments: [("3", 3_000), ("0.25", 250), ("0", 0)])
  func readsRetryAfter(text: String, milliseconds: Int) {
    #expect(RetryAfter.parse(text) == .milliseconds(milliseconds))
  }

  @Test(arguments: [nil, "", "-1", "soon", "inf", "nan", "99999", "Sun, 06 Nov 1994 08:49:37 GMT"])
  func readsNoOtherRetryAfter(text: String?) { #expect(RetryAfter.parse(text) == nil) }

  @Test func triesAgain_untilItSucceeds() async throws {
    let budget = RetryBudget()
    let tries = Locked(0)
    let value = try await policy.run(budget: budget, judge: { _ in .init(isTransient: true) }) { attempt in
      tries.withLock { $0 += 1 }
      if attempt < 3 { throw Failed() }
      return attempt
    }
    #expect(value == 3)
    #expect(tries.withLock { $0 } == 3)
    // Two retries took ten; the success gave the last one's five back.
    #expect(budget.available == 495)
  }

  @Test func givesUp_afterItsTries() async {
    let tries = Locked(0)
    await #expect(throws: Failed.self) {
      try await policy.run(budget: RetryBudget(), judge: { _ in .init(isTransient: true) }) { _ in
        tries.withLock { $0 += 1 }
        throw Failed()
      }
    }
    #expect(tries.withLock { $0 } == 4)
  }

  @Test(arguments: [RetryPolicy.Failure?.none, .init(isTransient: false)])
  func givesUpAtOnce_whenTheFailureIsFinal(failure: RetryPolicy.Failure?) async {
    let tries = Locked(0)
    await #expect(throws: Failed.self) {
      try await policy.run(budget: RetryBudget(), judge: { _ in failure }) { _ in
        tries.withLock { $0 += 1 }
        throw Failed()
      }
    }
    #expect(tries.withLock { $0 } == 1)
  }

  @Test func stopsRetrying_whenTheBudgetIsSpent() async {
    let budget = RetryBudget(capacity: 50)
    let tries = Locked(0)
    for _ in 0..<100 {
      try? await policy.run(budget: budget, judge: { _ in .init(isTransient: true) }) { _ in
        tries.withLock { $0 += 1 }
        throw Failed()
      }
    }
    // A hundred first tries, and no more retries than fifty tokens pay for.
    #expect(tries.withLock { $0 } == 110)
    #expect(budget.available == 0)
  }

  @Test func takesMoreForATimeout() async {
    let budget = RetryBudget(capacity: 10)
    let tries = Locked(0)
    try? await policy.run(budget: budget, judge: { _ in .init(isTransient: true, isTimeout: true) }) { _ in
      tries.withLock { $0 += 1 }
      throw Failed()
    }
    #expect(tries.withLock { $0 } == 2)
  }

  @Test func fillsUpAgain_butNotBeyondItsCapacity() {
    let budget = RetryBudget(capacity: 10)
    #expect(budget.take(8))
    #expect(!budget.take(5))
    budget.succeeded()
    #expect(budget.available == 3)
    for _ in 0..<20 { budget.succeeded() }
    #expect(budget.available == 10)
  }

  @Test func waitsNotBeyondTheDeadline() async {
    let slow = RetryPolicy(maximumAttempts: 9, baseDelay: .seconds(3_600), maximumDelay: .seconds(3_600))
    let tries = Locked(0)
    await #expect(throws: Failed.self) {
      try await slow.run(
        budget: RetryBudget(), deadline: .now, judge: { _ in .init(isTransient: true, retryAfter: .seconds(1)) }
      ) { _ in
        tries.withLock { $0 += 1 }
        throw Failed()
      }
    }
    #expect(tries.withLock { $0 } == 1)
  }
}
