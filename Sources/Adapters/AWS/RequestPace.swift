import Concurrency
import Core

/// Keeps calls to a rate of requests and tokens a minute and to a number in flight, and lowers all three when the
/// service says that it is too much.
///
/// A throttled call halves rate and number; several of the same moment count once. Each minute without one wins back a
/// tenth of the configured rate, each call that succeeds a part of a call in flight (additive increase, multiplicative
/// decrease, as in TCP's congestion control, RFC 5681).
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
  /// When the next attempt may start, in seconds of the clock.
  private var nextStart = 0.0
  /// Counts decreases: a call that began before the last one says nothing new by being throttled.
  private var decreases = 0
  /// Most calls in flight.
  private let maximumInFlight: Int
  /// Calls that may be in flight now, 1…`maximumInFlight`.
  private var window: Double
  private let slots: AsyncSemaphore
  /// Slots taken out of use because the window is smaller than the maximum.
  private var withheld = 0

  /// Creates a pace.
  /// - Parameter concurrency: Most calls in flight, at least 1.
  public init(requestsPerMinute: Double? = nil, tokensPerMinute: Double? = nil, concurrency: Int = 8) {
    let clock = ContinuousClock()
    let start = clock.now
    self.init(
      requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute, concurrency: concurrency, clock: clock,
      now: { (clock.now - start) / .seconds(1) })
  }

  init(
    requestsPerMinute: Double?, tokensPerMinute: Double?, concurrency: Int = 8, clock: any Clock<Duration>,
    now: @escaping @Sendable () -> Double
  ) {
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.clock = clock
    origin = now
    maximumInFlight = max(1, concurrency)
    window = Double(maximumInFlight)
    slots = AsyncSemaphore(width: maximumInFlight)
  }

  /// The share of the configured rate that is used now.
  public var share: Double { factor }

  /// The number of calls that may be in flight now.
  public var inFlightLimit: Int { Int(window) }

  /// Makes a call, its retries and the reading of its answer included, when fewer than the allowed number are in
  /// flight. Its attempts are made by ``attempt(tokens:_:)``.
  public nonisolated func hold<Value: Sendable>(_ call: () async throws -> Value) async throws -> Value {
    try await slots.acquire()
    do {
      let value = try await call()
      await leave(succeeded: true)
      return value
    } catch {
      await leave(succeeded: false)
      throw error
    }
  }

  /// Waits for the attempt's turn, then makes it: every retry is a request of the quota too.
  /// - Parameter tokens: An estimate of what it takes.
  public nonisolated func attempt<Value: Sendable>(
    tokens: Int, _ attempt: () async throws -> Value
  ) async throws -> Value {
    let beginning = try await turn(tokens)
    do {
      return try await attempt()
    } catch let failure as ServiceFailure where failure.isThrottling {
      await throttled(since: beginning)
      throw failure
    } catch let error as any CategorizedError where error.category == .rateLimited {
      await throttled(since: beginning)
      throw error
    }
  }

  /// Notes that the service asked for patience in the middle of an answer.
  public func throttled() { throttled(since: decreases) }

  private func throttled(since beginning: Int) {
    guard beginning == decreases else { return }
    recover()
    decreases += 1
    factor = max(0.05, factor / 2)
    factorChanged = origin()
    window = max(1, (window / 2).rounded(.down))
    while withheld < maximumInFlight - Int(window), slots.tryAcquire() { withheld += 1 }
  }

  private func leave(succeeded: Bool) {
    if succeeded { window = min(Double(maximumInFlight), window + 1 / window) }
    let surplus = maximumInFlight - Int(window)
    // A window that shrank keeps the slot; one that grew gives another back.
    if withheld < surplus {
      withheld += 1
    } else {
      slots.release()
      while withheld > surplus {
        withheld -= 1
        slots.release()
      }
    }
  }

  private func recover() {
    let minutes = (origin() - factorChanged) / 60
    guard minutes >= 1, factor < 1 else { return }
    factor = min(1, factor + 0.1 * minutes.rounded(.down))
    factorChanged = origin()
  }

  /// Returns the number of decreases so far, once the turn has come.
  private func turn(_ tokens: Int) async throws -> Int {
    recover()
    var interval = 0.0
    if let requestsPerMinute { interval = 60 / max(0.01, requestsPerMinute * factor) }
    if let tokensPerMinute { interval = max(interval, 60 * Double(tokens) / max(1, tokensPerMinute * factor)) }
    let now = origin()
    let start = max(now, nextStart)
    nextStart = start + interval
    if start > now { try await clock.sleep(for: .milliseconds(Int((start - now) * 1_000))) }
    try Task.checkCancellation()
    return decreases
  }
}
