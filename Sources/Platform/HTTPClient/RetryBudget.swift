import Concurrency

/// Stops retries while most of them fail: a token bucket shared by all requests to a service.
///
/// A retry takes 5 tokens, after a timeout 10; a success gives one back, a success after retries what the last of
/// them took. 500 tokens at most. Source: the AWS SDKs' "standard" retry mode,
/// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
public final class RetryBudget: Sendable {
  /// Tokens of a retry.
  public static let retryCost = 5
  /// Tokens of a retry after a timeout.
  public static let timeoutCost = 10

  private let capacity: Int
  private let tokens: Locked<Int>

  /// Creates a full bucket.
  public init(capacity: Int = 500) {
    self.capacity = max(0, capacity)
    tokens = Locked(max(0, capacity))
  }

  /// The tokens left.
  public var available: Int { tokens.withLock { $0 } }

  /// Takes the tokens of a retry; false when there are not enough, and then the failure is final.
  public func take(_ cost: Int) -> Bool {
    tokens.withLock { tokens in
      guard tokens >= cost else { return false }
      tokens -= cost
      return true
    }
  }

  /// Notes a success.
  /// - Parameter cost: What the last retry before it took; nil when it was the first try.
  public func succeeded(after cost: Int? = nil) {
    tokens.withLock { $0 = min(capacity, $0 + (cost ?? 1)) }
  }
}
