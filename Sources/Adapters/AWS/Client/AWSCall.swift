public import AWSSigning

/// One call of a service: what is sent, and what it is called in errors.
public struct AWSCall: Sendable {
  /// The service.
  public var service: AWSService
  /// The action as IAM calls it, without the service: `InvokeModel`.
  public var action: String
  /// What it acts on, for messages: `model amazon.titan-embed-text-v2:0`, `bucket reports`.
  public var resource: String
  /// The method.
  public var method: String
  /// The host, when it is not the service's own (a bucket's); else nil.
  public var host: String?
  /// The path, percent-encoded once; see `URIEncoding.path(segments:)`.
  public var path: String
  /// The query, not encoded.
  public var query: [SignableRequest.Field]
  /// Headers.
  public var headers: [SignableRequest.Field]
  /// The body.
  public var body: [UInt8]?
  /// The longest time of one attempt, the body included; nil for streams.
  public var timeout: Duration?
  /// The longest silence of a stream.
  public var idleTimeout: Duration
  /// Statuses beside 200…299 that are answers and no errors, such as 304 and 404 where nothing is expected.
  public var accepted: Set<Int>
  /// The region, when it is not the configured one.
  public var region: String?

  /// Creates a call.
  public init(
    _ service: AWSService, _ action: String, on resource: String, method: String = "POST", host: String? = nil,
    path: String = "/", query: [SignableRequest.Field] = [], headers: [SignableRequest.Field] = [],
    body: [UInt8]? = nil, timeout: Duration? = .seconds(60), idleTimeout: Duration = .seconds(60),
    accepted: Set<Int> = [], region: String? = nil
  ) {
    self.service = service
    self.action = action
    self.resource = resource
    self.method = method
    self.host = host
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.idleTimeout = idleTimeout
    self.accepted = accepted
    self.region = region
  }

  /// A call of a service that speaks JSON by `X-Amz-Target`.
  public static func json(
    _ service: AWSService, _ action: String, on resource: String, target: String, version: String = "1.1",
    body: [UInt8], timeout: Duration = .seconds(60)
  ) -> AWSCall {
    AWSCall(
      service, action, on: resource,
      headers: [
        .init("Content-Type", "application/x-amz-json-\(version)"), .init("X-Amz-Target", "\(target).\(action)"),
      ], body: body, timeout: timeout)
  }
}
