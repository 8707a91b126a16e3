/// A request to be sent.
public struct HTTPClientRequest: Sendable {
  /// A header's name and value.
  public struct Header: Sendable, Hashable {
    /// The name in any case.
    public var name: String
    /// The value; line breaks are refused.
    public var value: String

    /// Creates a header.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The method in capitals.
  public var method: String
  /// An absolute `http` or `https` URL, percent-encoded. It is sent exactly as it is: dot segments stay.
  public var url: String
  /// Headers; `Host` and `Content-Length` follow from the URL and the body.
  public var headers: [Header]
  /// The body; nil for none.
  public var body: [UInt8]?
  /// The longest wait for a connection, TLS included.
  public var connectTimeout: Duration
  /// The longest time of the whole exchange, the body included; nil for no limit.
  public var timeout: Duration?
  /// The longest time without a byte in either direction while the response is being read; nil for no limit.
  public var idleTimeout: Duration?
  /// Whether it may be sent twice: a connection that the server closed while it was idle is then replaced silently.
  public var isIdempotent: Bool
  /// Whether a proxy may be used; metadata endpoints of the machine itself must not be asked for through one.
  public var mayUseProxy: Bool

  /// Creates a request. `GET`, `HEAD`, `PUT`, `DELETE` and `OPTIONS` are idempotent (RFC 9110, section 9.2.2).
  public init(
    method: String = "GET", url: String, headers: [Header] = [], body: [UInt8]? = nil,
    connectTimeout: Duration = .seconds(5), timeout: Duration? = .seconds(60), idleTimeout: Duration? = .seconds(60),
    isIdempotent: Bool? = nil, mayUseProxy: Bool = true
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.connectTimeout = connectTimeout
    self.timeout = timeout
    self.idleTimeout = idleTimeout
    self.isIdempotent = isIdempotent ?? ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"].contains(method)
    self.mayUseProxy = mayUseProxy
  }

  /// Host and port, for messages: a URL's path and query may hold what is nobody's business.
  var authority: String {
    let parts = url.split(separator: "://", maxSplits: 1)
    guard parts.count == 2 else { return "?" }
    let rest = parts[1].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    return String(rest.split(separator: "@", omittingEmptySubsequences: false).last ?? rest)
  }
}
