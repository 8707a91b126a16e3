import AWSSigning
import Concurrency
import Core
public import FoundationEssentials
public import HTTPClient

/// Signed calls with retries: the one way to every service.
///
/// A wrong clock is corrected from the service's answers, an expired token is renewed once, throttled and failed calls
/// are sent again within the budget of the service. The observer hears of every throttled attempt and every retry; an
/// answer's head is returned as soon as it is there, and its body streams.
public final class AWSClient: Sendable {
  /// An attempt that failed and may not be the call's last.
  public struct Setback: Sendable {
    /// What happened.
    public enum Kind: Sendable, Hashable {
      /// The service asked for patience.
      case throttled
      /// The call is sent again.
      case retried
    }

    /// The service.
    public var service: AWSService
    /// The call's action.
    public var action: String
    /// What happened; a throttled call that is sent again is told twice, once as each.
    public var kind: Kind
  }

  /// Where the services are.
  public let endpoints: AWSEndpoints
  /// The region of calls that name none.
  public let region: String
  /// The credentials.
  public let credentials: CredentialChain
  private let http: HTTPClient
  private let policy: RetryPolicy
  private let now: @Sendable () -> Date
  private let onSetback: @Sendable (Setback) -> Void
  private let budgets = Locked<[AWSService: RetryBudget]>([:])
  private let skews = Locked<[AWSService: ClockSkew]>([:])

  /// Creates a client.
  /// - Parameter region: From the configuration; else what the environment says.
  /// - Throws: `aws.region_missing` when nobody says a region.
  public init(
    environment: AWSEnvironment, region: String? = nil, http: HTTPClient,
    policy: RetryPolicy = RetryPolicy(maximumAttempts: 5),
    now: @escaping @Sendable () -> Date = { Date() }, onSetback: @escaping @Sendable (Setback) -> Void = { _ in }
  ) throws {
    guard let region = region ?? environment.region else {
      throw AWSError(
        "aws.region_missing", .invalidConfiguration, "no AWS region is configured",
        remedy: "Set aws.region, AWS_REGION, or region in the profile.")
    }
    endpoints = AWSEndpoints(environment: environment)
    self.region = region
    self.http = http
    self.policy = policy
    self.now = now
    self.onSetback = onSetback
    credentials = CredentialChain(environment: environment, region: region, http: http, now: now)
  }

  /// The tokens left of a service's retry budget.
  public func retryBudget(of service: AWSService) -> Int { budget(service).available }

  private func budget(_ service: AWSService) -> RetryBudget {
    budgets.withLock { budgets in
      if let budget = budgets[service] { return budget }
      let budget = RetryBudget()
      budgets[service] = budget
      return budget
    }
  }

  /// Sends a call; returns the head of a good answer.
  /// - Parameters:
  ///   - pace: The rate that each attempt waits for and tells of throttling; nil for none.
  ///   - tokens: An estimate of what the call takes of the pace.
  /// - Throws: ``AWSError`` naming action, resource and remedy; `CancellationError`.
  public func send(_ call: AWSCall, pace: RequestPace? = nil, tokens: Int = 0) async throws -> HTTPClientResponse {
    try await answer(to: call, pace: pace, tokens: tokens) { $0 }
  }

  /// Sends a call and reads its whole answer; one that is cut short is asked for again.
  /// - Parameters:
  ///   - limit: Bytes of the answer.
  ///   - pace: The rate and number in flight that the call keeps to; nil for none.
  ///   - tokens: An estimate of what the call takes of the pace.
  public func bytes(
    _ call: AWSCall, limit: Int = 16 << 20, pace: RequestPace? = nil, tokens: Int = 0
  ) async throws -> [UInt8] {
    let read = {
      try await self.answer(to: call, pace: pace, tokens: tokens) { try await $0.body.collect(upTo: limit) }
    }
    guard let pace else { return try await read() }
    return try await pace.hold(read)
  }

  /// What `read` takes from the answer; its failures are those of an attempt.
  private func answer<Result: Sendable>(
    to call: AWSCall, pace: RequestPace?, tokens: Int,
    read: @escaping @Sendable (HTTPClientResponse) async throws -> Result
  ) async throws -> Result {
    let region = call.region ?? region
    let link = Locked("?")
    do {
      return try await policy.run(
        budget: budget(call.service), judge: Self.judge,
        onRetry: { _, _ in self.tell(.retried, of: call) },
        attempt: { _ in
          let attempt = { try await read(self.attempt(call, region: region, link: link, mayAmend: true)) }
          do {
            guard let pace else { return try await attempt() }
            return try await pace.attempt(tokens: tokens, attempt)
          } catch let failure as ServiceFailure where failure.isThrottling {
            self.tell(.throttled, of: call)
            throw failure
          }
        })
    } catch let failure as ServiceFailure {
      throw failure.error(of: call, region: region, link: link.withLock { $0 })
    } catch let error as HTTPClientError {
      throw Self.error(error, call)
    }
  }

  /// Tells the observer.
  func tell(_ kind: Setback.Kind, of call: AWSCall) {
    onSetback(Setback(service: call.service, action: call.action, kind: kind))
  }

  // MARK: - One attempt

  private func attempt(
    _ call: AWSCall, region: String, link: Locked<String>, mayAmend: Bool
  ) async throws -> HTTPClientResponse {
    let found = try await credentials.credentials()
    link.withLock { $0 = found.link }
    let base = endpoints.url(of: call.service, region: region)
    let scheme = base.hasPrefix("http://") ? "http://" : "https://"
    let authority = call.host ?? String(base.dropFirst(scheme.count))
    let time = skews.withLock { $0[call.service] ?? ClockSkew() }.serviceTime(now())
    let signed = SignatureV4(service: call.service.signingName, region: region).sign(
      SignableRequest(
        method: call.method, host: authority, path: call.path, query: call.query, headers: call.headers,
        payload: .bytes(call.body ?? [])),
      credentials: found.credentials, date: time)
    let response = try await http.execute(
      HTTPClientRequest(
        method: call.method, url: scheme + authority + signed.target,
        headers: signed.headers.map { .init($0.name, $0.value) }, body: call.body, timeout: call.timeout,
        idleTimeout: call.idleTimeout, isIdempotent: true))
    if (200..<300).contains(response.status) || call.accepted.contains(response.status) { return response }
    let body = try await response.body.collect(upTo: 256 << 10)
    let failure = ServiceFailure(status: response.status, headers: { response[$0] }, body: body)
    guard mayAmend else { throw failure }
    if failure.isExpiredToken {
      await credentials.forget(found.credentials)
      return try await attempt(call, region: region, link: link, mayAmend: false)
    }
    if failure.mayBeSkew, let date = failure.date {
      let received = now()
      let learnt = skews.withLock { skews in
        var skew = skews[call.service] ?? ClockSkew()
        let changed = skew.learn(dateHeader: date, received: received)
        skews[call.service] = skew
        return changed
      }
      if learnt { return try await attempt(call, region: region, link: link, mayAmend: false) }
    }
    throw failure
  }

  private static let judge: @Sendable (any Error) -> RetryPolicy.Failure? = { error in
    switch error {
    case let failure as ServiceFailure:
      RetryPolicy.Failure(isTransient: failure.isTransient, retryAfter: failure.retryAfter)
    case let error as HTTPClientError:
      RetryPolicy.Failure(isTransient: error.isTransient, isTimeout: error.code == .timedOut)
    default: nil
    }
  }

  private static func error(_ error: HTTPClientError, _ call: AWSCall) -> AWSError {
    let category: ErrorCategory =
      switch error.code {
      case .timedOut: .timedOut
      case .invalidRequest: .invalidConfiguration
      case .bodyTooLarge: .tooLarge
      default: .unavailable
      }
    return AWSError(
      "aws.unreachable", category, "\(call.service.actionPrefix):\(call.action) on \(call.resource): \(error.message)",
      remedy: error.remedy.isEmpty ? nil : error.remedy, underlying: error)
  }
}
