import Concurrency
import Core
import HTTPServer

/// The HTTP service: an ``API`` behind a listening socket.
public final class APIServer: Sendable {
  /// How to listen, and what to refuse.
  public struct Settings: Sendable {
    /// The address to listen on.
    public var host: String
    /// The port; 0 for any free one.
    public var port: Int
    /// The contents of the PEM file of the certificate chain; TLS is on when it is given.
    public var certificatePEM: String?
    /// The contents of the PEM file of the private key.
    public var keyPEM: String?
    /// Most bytes of a request's body.
    public var maxBodyBytes: Int
    /// Most connections.
    public var maxConnections: Int
    /// Most requests served at once; more get 503.
    public var maxConcurrentRequests: Int
    /// Time that a connection may be idle.
    public var idleTimeout: Duration
    /// Time that a request's head may take to arrive, however it drips.
    public var readTimeout: Duration
    /// Time that requests get to finish at shutdown.
    public var drainTimeout: Duration

    /// Creates settings.
    public init(
      host: String = "127.0.0.1", port: Int = 8080, certificatePEM: String? = nil, keyPEM: String? = nil,
      maxBodyBytes: Int = 256 << 10, maxConnections: Int = 10_000, maxConcurrentRequests: Int = 64,
      idleTimeout: Duration = .seconds(60), readTimeout: Duration = .seconds(20),
      drainTimeout: Duration = .seconds(20)
    ) {
      self.host = host
      self.port = port
      self.certificatePEM = certificatePEM
      self.keyPEM = keyPEM
      self.maxBodyBytes = maxBodyBytes
      self.maxConnections = maxConnections
      self.maxConcurrentRequests = maxConcurrentRequests
      self.idleTimeout = idleTimeout
      self.readTimeout = readTimeout
      self.drainTimeout = drainTimeout
    }
  }

  private let api: API
  private let server: HTTPServer
  private let settings: Settings
  private let stopped: AsyncStream<Void>
  private let stop: AsyncStream<Void>.Continuation

  /// Creates a server; nothing listens before ``start()``.
  public init(_ api: API, settings: Settings) {
    self.api = api
    self.settings = settings
    var configuration = HTTPServerConfiguration(host: settings.host, port: settings.port)
    if let certificate = settings.certificatePEM, let key = settings.keyPEM {
      configuration.tls = .init(certificatePEM: certificate, keyPEM: key)
    }
    configuration.maxBodyBytes = settings.maxBodyBytes
    // A chunked body shows its length only as it comes: it must be read to its end for its refusal to be read.
    configuration.maxDrainedBytes = max(8 << 20, settings.maxBodyBytes)
    configuration.maxConnections = settings.maxConnections
    configuration.maxConcurrentRequests = settings.maxConcurrentRequests
    configuration.idleTimeout = settings.idleTimeout
    configuration.requestReadDeadline = settings.readTimeout
    // The API ends its own work at its deadline and says so; the engine's is for work that does not listen.
    configuration.handlerDeadline = api.settings.requestTimeout + .seconds(2)
    configuration.streamedBodyLimit = { api.streamedBodyLimit($0) }
    configuration.early = { api.early($0) }
    configuration.errorResponse = { api.refusal($0, $1) }
    configuration.log = { api.requestLog.engine($0) }
    server = HTTPServer(configuration: configuration) { await api.handle($0) }
    (stopped, stop) = AsyncStream.makeStream()
  }

  /// The port listened on; 0 before ``start()``.
  public var port: Int { server.port }

  /// The requests under way.
  public var requestsInFlight: Int { server.requestsInFlight }

  /// Begins to listen.
  /// - Throws: `http.port_in_use` (category `unavailable`), other failures as `invalid_configuration`.
  public func start() throws {
    guard (settings.certificatePEM == nil) == (settings.keyPEM == nil) else {
      throw HTTPAPIError(
        code: "http.tls_invalid", category: .invalidConfiguration,
        message: "TLS needs a certificate and a key; one of them is missing",
        remedy: "Give server.tlsCertificate and server.tlsKey.")
    }
    do {
      try server.start()
    } catch {
      throw HTTPAPIError(
        // Another process on the port is no mistake of the configuration.
        code: error.code, category: error.code == "http.port_in_use" ? .unavailable : .invalidConfiguration,
        message: error.message,
        remedy: error.remedy.isEmpty ? nil : error.remedy, underlying: error)
    }
  }

  /// Waits until ``shutdown()`` has ended.
  public func run() async {
    for await _ in stopped {}
  }

  /// Stops: says "not ready", listens no more, lets requests under way finish for the drain time, cancels the rest.
  public func shutdown() async {
    api.isDraining.withLock { $0 = true }
    await server.shutdown(drain: settings.drainTimeout)
    stop.finish()
  }
}
