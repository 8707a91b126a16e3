import AWSSigning
import Concurrency
import Core
public import FoundationEssentials
public import HTTPClient

/// Requests to a cluster: authentication, another endpoint when one does not answer, retries within a budget.
///
/// Whatever is sent may be sent twice: ids are deterministic, and what must not happen twice is guarded by sequence
/// numbers or by scripts that look first.
public final class OpenSearchClient: Sendable {
  struct Response: Sendable {
    var status: Int
    var body: [UInt8]
  }

  /// The cluster and the index in it.
  public let configuration: OpenSearchConfiguration
  private let http: HTTPClient
  private let endpoints: [Endpoint]
  private let policy: RetryPolicy
  private let budget = RetryBudget()
  private let now: @Sendable () -> Date
  private let skew = Locked(ClockSkew())
  /// Until when an endpoint that did not answer is left alone.
  private let downUntil: Locked<[ContinuousClock.Instant?]>

  private struct Endpoint: Sendable {
    /// Scheme and authority.
    var base: String
    var host: String
    var prefix: String
  }

  /// Creates a client.
  /// - Parameters:
  ///   - http: Made with the configured roots of trust.
  ///   - policy: How often failed requests are sent again.
  /// - Throws: `opensearch.url` for an address that cannot be one.
  public init(
    _ configuration: OpenSearchConfiguration, http: HTTPClient,
    policy: RetryPolicy = RetryPolicy(maximumAttempts: 5, maximumDelay: .seconds(5)),
    now: @escaping @Sendable () -> Date = { Date() }
  ) throws {
    self.configuration = configuration
    self.http = http
    self.policy = policy
    self.now = now
    endpoints = try configuration.endpoints.map(Self.endpoint)
    guard !endpoints.isEmpty else {
      throw OpenSearchError(
        "opensearch.url", .invalidConfiguration, "store.url is empty", remedy: "Set it to the URL of a node.")
    }
    downUntil = Locked(Array(repeating: nil, count: endpoints.count))
  }

  private static func endpoint(_ url: String) throws -> Endpoint {
    let parts = url.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count >= 3, ["http:", "https:"].contains(parts[0]), parts[1].isEmpty, !parts[2].isEmpty,
      !parts[2].contains("@"), !url.contains(where: { $0.isWhitespace || $0 == "?" || $0 == "#" })
    else {
      throw OpenSearchError(
        "opensearch.url", .invalidConfiguration, "store.url must be like https://host:9200, not what is set",
        remedy: "User and password go into store.user and store.password.")
    }
    let isDefault =
      parts[0] == "https:" && parts[2].hasSuffix(":443") || parts[0] == "http:" && parts[2].hasSuffix(":80")
    let host = isDefault ? parts[2].split(separator: ":").dropLast().joined(separator: ":") : String(parts[2])
    let prefix = parts.dropFirst(3).filter { !$0.isEmpty }.map { "/" + $0 }.joined()
    return Endpoint(base: "\(parts[0])//\(parts[2])", host: host, prefix: prefix)
  }

  /// Sends a request; returns good answers and those of `accepted` statuses.
  /// - Parameters:
  ///   - path: Percent-encoded, from `/`.
  ///   - doing: What is done, for messages.
  ///   - retries: Whether an overloaded or missing cluster is asked again here; bulk does that item by item itself.
  /// - Throws: ``OpenSearchError``; `CancellationError`.
  func send(
    _ method: String, _ path: String, query: [(String, String)] = [], body: [UInt8]? = nil,
    contentType: String = "application/json", accepted: Set<Int> = [], timeout: Duration? = nil, retries: Bool = true,
    doing: String
  ) async throws -> Response {
    do {
      return try await policy.run(
        budget: budget,
        judge: { error in retries || error is HTTPClientError ? Self.judge(error) : nil },
        attempt: { _ in
          try await self.attempt(
            method, path, query, body, contentType, accepted, timeout ?? self.configuration.timeout, mayAmend: true)
        })
    } catch let failure as OpenSearchFailure {
      throw failure.error(doing)
    } catch let error as HTTPClientError {
      throw Self.error(error, doing)
    }
  }

  private static let judge: @Sendable (any Error) -> RetryPolicy.Failure? = { error in
    switch error {
    case let failure as OpenSearchFailure: RetryPolicy.Failure(isTransient: failure.isTransient)
    case let error as HTTPClientError:
      RetryPolicy.Failure(isTransient: error.isTransient, isTimeout: error.code == .timedOut)
    default: nil
    }
  }

  private func attempt(
    _ method: String, _ path: String, _ query: [(String, String)], _ body: [UInt8]?, _ contentType: String,
    _ accepted: Set<Int>, _ timeout: Duration, mayAmend: Bool
  ) async throws -> Response {
    let number = choose()
    let endpoint = endpoints[number]
    var headers: [HTTPClientRequest.Header] = []
    if body != nil { headers.append(.init("Content-Type", contentType)) }
    var url = endpoint.base + endpoint.prefix + path
    if !query.isEmpty {
      url += "?" + query.map { "\(URIEncoding.component($0.0))=\(URIEncoding.component($0.1))" }.joined(separator: "&")
    }
    var used: AWSCredentials?
    switch configuration.authentication {
    case .none: break
    case .basic(let user, let password):
      let token = Data("\(user):\(password)".utf8).base64EncodedString()
      headers.append(.init("Authorization", "Basic \(token)"))
    case .signed(let signing):
      let credentials = try await signing.credentials()
      used = credentials
      let signed = SignatureV4(service: signing.service.rawValue, region: signing.region).sign(
        SignableRequest(
          method: method, host: endpoint.host, path: endpoint.prefix + path,
          query: query.map { .init($0.0, $0.1) }, headers: headers.map { .init($0.name, $0.value) },
          payload: .bytes(body ?? [])),
        credentials: credentials, date: skew.withLock { $0 }.serviceTime(now()))
      url = endpoint.base + signed.target
      headers = signed.headers.map { .init($0.name, $0.value) }
    }
    let response: HTTPClientResponse
    let bytes: [UInt8]
    do {
      response = try await http.execute(
        HTTPClientRequest(
          method: method, url: url, headers: headers, body: body, timeout: timeout, isIdempotent: true))
      bytes = try await response.body.collect(upTo: 256 << 20)
    } catch let error as HTTPClientError {
      if error.isTransient { leaveAlone(number) }
      throw error
    }
    if (200..<300).contains(response.status) || accepted.contains(response.status) {
      return Response(status: response.status, body: bytes)
    }
    let failure = OpenSearchFailure(status: response.status, body: bytes)
    if failure.status == 502 || failure.status == 503 { leaveAlone(number) }
    if mayAmend, case .signed(let signing) = configuration.authentication, response.status == 403 {
      if let used, failure.reason.contains("expired") {
        await signing.forget(used)
        return try await attempt(method, path, query, body, contentType, accepted, timeout, mayAmend: false)
      }
      if let date = response["Date"], skew.withLock({ $0.learn(dateHeader: date, received: now()) }) {
        return try await attempt(method, path, query, body, contentType, accepted, timeout, mayAmend: false)
      }
    }
    throw failure
  }

  // MARK: - Endpoints

  /// The first endpoint that is not left alone; when all are, the one whose time ends first.
  private func choose() -> Int {
    guard endpoints.count > 1 else { return 0 }
    let now = ContinuousClock.now
    return downUntil.withLock { times in
      times.firstIndex { $0.map { $0 <= now } ?? true }
        ?? times.indices.min { (times[$0] ?? now) < (times[$1] ?? now) } ?? 0
    }
  }

  private func leaveAlone(_ number: Int) {
    guard endpoints.count > 1 else { return }
    downUntil.withLock { $0[number] = ContinuousClock.now + .seconds(10) }
  }

  private static func error(_ error: HTTPClientError, _ doing: String) -> OpenSearchError {
    let category: ErrorCategory
    let code: String
    var remedy = error.remedy
    switch error.code {
    case .timedOut: (code, category) = ("opensearch.timed_out", .timedOut)
    case .invalidRequest: (code, category) = ("opensearch.url", .invalidConfiguration)
    case .bodyTooLarge: (code, category) = ("opensearch.too_large", .tooLarge)
    case .tlsFailed:
      (code, category) = ("opensearch.tls", .unavailable)
      remedy = "Check the certificate and the host's name in store.url; own roots of trust go into store.ca."
    default: (code, category) = ("opensearch.unreachable", .unavailable)
    }
    return OpenSearchError(code, category, "\(doing): \(error.message)", remedy: remedy, underlying: error)
  }
}

extension OpenSearchClient {
  /// Sends JSON and reads JSON.
  func json<Value: Decodable>(
    _ type: Value.Type, _ method: String, _ path: String, query: [(String, String)] = [], body: JSON? = nil,
    accepted: Set<Int> = [], timeout: Duration? = nil, doing: String
  ) async throws -> Value {
    let response = try await send(
      method, path, query: query, body: body?.bytes, accepted: accepted, timeout: timeout, doing: doing)
    do { return try JSONText.decode(type, response.body) } catch { throw OpenSearchError.badResponse(doing, error) }
  }
}
