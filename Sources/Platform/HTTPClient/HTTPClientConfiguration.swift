/// What all requests of a client share.
public struct HTTPClientConfiguration: Sendable, Hashable {
  /// Sent as `User-Agent` when a request has none.
  public var userAgent: String
  /// Connections to one host at a time, at least 1; further requests wait.
  public var connectionsPerHost: Int
  /// Seconds an idle connection is kept. Below the idle limit of the servers: AWS closes after 20 s and more.
  public var idleConnectionSeconds: Int
  /// A file of PEM certificates to trust instead of the system's; nil for the system's.
  public var certificateAuthorities: String?
  /// A proxy such as `http://proxy:3128`; nil for what `http_proxy`, `https_proxy` and `no_proxy` say.
  public var proxy: String?

  /// Creates a configuration.
  public init(
    userAgent: String = "swift-http-client", connectionsPerHost: Int = 64, idleConnectionSeconds: Int = 15,
    certificateAuthorities: String? = nil, proxy: String? = nil
  ) {
    self.userAgent = userAgent
    self.connectionsPerHost = max(1, connectionsPerHost)
    self.idleConnectionSeconds = max(1, idleConnectionSeconds)
    self.certificateAuthorities = certificateAuthorities
    self.proxy = proxy
  }
}
