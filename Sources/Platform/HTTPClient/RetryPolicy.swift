/// How often, and after which waits, a failed request is sent again.
public struct RetryPolicy: Sendable, Hashable {
  /// What is known of a failed attempt.
  public struct Failure: Sendable, Hashable {
    /// Whether the same request may succeed later.
    public var isTransient: Bool
    /// Whether the attempt ended by a timeout.
    public var isTimeout: Bool
    /// The least wait that the server asked for.
    public var retryAfter: Duration?

    /// Creates a description.
    public init(isTransient: Bool, isTimeout: Bool = false, retryAfter: Duration? = nil) {
      self.isTransient = isTransient
      self.isTimeout = isTimeout
      self.retryAfter = retryAfter
    }
  }

  /// Tries in all, at least 1.
  public var maximumAttempts: Int
  /// The longest first wait; each further one is twice as long at most.
  public var baseDelay: Duration
  /// The longest wait of all.
  public var maximumDelay: Duration

  /// Creates a policy.
  public init(maximumAttempts: Int = 3, baseDelay: Duration = .milliseconds(100), maximumDelay: Duration = .seconds(20))
  {
    self.maximumAttempts = max(1, maximumAttempts)
    self.baseDelay = baseDelay
    self.maximumDelay = maximumDelay
  }

  /// The wait before the next try: anything between zero and the doubled base (full jitter), but not less than the
  /// server asked for.
  ///
  /// Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
  /// - Parameters:
  ///   - attempt: The try that failed, from 1.
  ///   - random: A number in 0..<1.
  public func delay(after attempt: Int, retryAfter: Duration?, random: Double) -> Duration {
    let ceiling = min(maximumDelay, baseDelay * (1 << min(20, max(0, attempt - 1))))
    let jittered = ceiling * min(max(random, 0), 1)
    return min(max(jittered, retryAfter ?? .zero), max(maximumDelay, retryAfter ?? .zero))
  }

  /// Runs `attempt` until it succeeds, fails for good, or the tries, the budget or the deadline are used up; then the
  /// last error is thrown.
  /// - Parameters:
  ///   - budget: Shared by the requests to one service.
  ///   - deadline: No wait goes beyond it.
  ///   - judge: What a failure means; nil for one that is never tried again.
  ///   - attempt: Gets its number, from 1.
  public func run<Value: Sendable, C: Clock>(
    budget: RetryBudget, clock: C = ContinuousClock(), deadline: C.Instant? = nil,
    judge: @Sendable (any Error) -> Failure?,
    onRetry: @Sendable (_ attempt: Int, _ error: any Error) -> Void = { _, _ in },
    attempt: @Sendable (Int) async throws -> Value
  ) async throws -> Value where C.Duration == Duration {
    var number = 1
    var lastCost: Int?
    while true {
      do {
        let value = try await attempt(number)
        budget.succeeded(after: lastCost)
        return value
      } catch {
        guard !Task.isCancelled, number < maximumAttempts, let failure = judge(error), failure.isTransient else {
          throw error
        }
        let wait = delay(after: number, retryAfter: failure.retryAfter, random: .random(in: 0..<1))
        if let deadline, clock.now.advanced(by: wait) >= deadline { throw error }
        let cost = failure.isTimeout ? RetryBudget.timeoutCost : RetryBudget.retryCost
        guard budget.take(cost) else { throw error }
        lastCost = cost
        onRetry(number, error)
        try await clock.sleep(until: clock.now.advanced(by: wait), tolerance: nil)
        number += 1
      }
    }
  }
}
