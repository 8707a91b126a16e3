/// The work did not end before its deadline.
public struct DeadlineExceeded: Error, Hashable, Sendable, CustomStringConvertible {
  /// Creates the error.
  public init() {}

  /// A sentence for logs.
  public var description: String { "the deadline passed before the work was done" }
}

/// Runs `operation` and cancels it when `clock` reaches `deadline`.
///
/// Returns only once the operation has ended, so work never outlives its deadline unseen; an operation that
/// ignores cancellation is waited for.
/// - Throws: `DeadlineExceeded` if the deadline came first, whatever the cancelled operation then returned or threw;
///   else the operation's own error.
public func withDeadline<C: Clock, Result: Sendable>(
  _ deadline: C.Instant, clock: C = ContinuousClock(), operation: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withThrowingTaskGroup(of: Result?.self) { group in
    group.addTask { try await operation() }
    group.addTask {
      try await clock.sleep(until: deadline, tolerance: nil)
      return nil
    }
    // The first to end decides; leaving the group cancels and awaits the other.
    defer { group.cancelAll() }
    guard let first = try await group.next(), let result = first else { throw DeadlineExceeded() }
    return result
  }
}

/// Runs `operation` and cancels it once `limit` has passed on `clock`; see `withDeadline`.
public func withTimeout<C: Clock, Result: Sendable>(
  _ limit: C.Duration, clock: C = ContinuousClock(), operation: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  try await withDeadline(clock.now.advanced(by: limit), clock: clock, operation: operation)
}
