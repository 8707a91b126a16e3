import Concurrency
import Core

/// Keeps calls to a rate of requests and tokens a minute, and slows down when the service says that it is too much.
///
/// A throttled call halves the rate; each minute without one wins back a tenth of the configured rate (additive
/// increase, multiplicative decrease, as in TCP's congestion control, RFC 5681).
public actor RequestPace {
  /// Calls a minute; nil for no limit.
  private let requestsPerMinute: Double?
  /// Tokens a minute; nil for no limit.
  private let tokensPerMinute: Double?
  private let clock: any Clock<Duration>
  private let origin: () -> Double
  /// 0…1 of the configured rate.
  private var factor = 1.0
  private var factorChanged = 0.0
  /// When the next call may start, in seconds of the clock.
  private var nextStart = 0.0

  /// Creates a pace.
  public init(requestsPerMinute: Double? = nil, tokensPerMinute: Double? = nil) {
    let clock = ContinuousClock()
    let start = clock.now
    self.init(
      requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute, clock: clock,
      now: { (clock.now - start) / .seconds(1) })
  }

  init(
    requestsPerMinute: Double?, tokensPerMinute: Double?, clock: any Clock<Duration>,
    now: @escaping @Sendable () -> Double
  ) {
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.clock = clock
    origin = now
  }

  /// The share of the configured rate that is used now.
  public var share: Double { factor }

  /// Waits for the call's turn, then makes it.
  /// - Parameter tokens: An estimate of what it takes.
  public nonisolated func run<Value: Sendable>(
    tokens: Int, _ call: @Sendable () async throws -> Value
  ) async throws -> Value {
    try await turn(tokens)
    do {
      return try await call()
    } catch let error as any CategorizedError where error.category == .rateLimited {
      await throttled()
      throw error
    }
  }

  /// Notes that the service asked for patience, also when a retry went through.
  public func throttled() {
    recover()
    factor = max(0.05, factor / 2)
    factorChanged = origin()
  }

  private func recover() {
    let minutes = (origin() - factorChanged) / 60
    guard minutes >= 1, factor < 1 else { return }
    factor = min(1, factor + 0.1 * minutes.rounded(.down))
    factorChanged = origin()
  }

  private func turn(_ tokens: Int) async throws {
    recover()
    var interval = 0.0
    if let requestsPerMinute { interval = 60 / max(0.01, requestsPerMinute * factor) }
    if let tokensPerMinute { interval = max(interval, 60 * Double(tokens) / max(1, tokensPerMinute * factor)) }
    let now = origin()
    let start = max(now, nextStart)
    nextStart = start + interval
    if start > now { try await clock.sleep(for: .milliseconds(Int((start - now) * 1_000))) }
    try Task.checkCancellation()
  }
}
