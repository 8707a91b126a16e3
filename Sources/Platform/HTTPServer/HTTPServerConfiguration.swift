/// How a server listens, what it refuses and how long it waits.
public struct HTTPServerConfiguration: Sendable {
  /// A certificate and its key, as the contents of PEM files.
  public struct TLS: Sendable {
    /// The certificate, followed by its intermediates.
    public var certificatePEM: String
    /// The private key, unencrypted.
    public var keyPEM: String

    /// Creates TLS settings.
    public init(certificatePEM: String, keyPEM: String) {
      self.certificatePEM = certificatePEM
      self.keyPEM = keyPEM
    }
  }

  /// The address to listen on: an IPv4 or IPv6 address, or a name that resolves to one. `::` takes both kinds.
  public var host: String
  /// The port to listen on; 0 picks a free one.
  public var port: Int
  /// Encrypts connections (TLS 1.2 and 1.3) when set.
  public var tls: TLS?
  /// The longest request body in bytes; longer ones get 413.
  public var maxBodyBytes = 1 << 20
  /// The bytes of all request bodies held at once; beyond, requests get 503.
  public var maxBufferedBodyBytes = 256 << 20
  /// How much of an unwanted body is read and dropped so that the client gets to read its refusal, in bytes.
  public var maxDrainedBytes = 256 << 10
  /// The memory for a connection's request line and headers, in bytes (at least 4096); longer heads get 431 or 414.
  /// Only what is touched counts: an idle connection takes a page or two of it.
  public var maxHeadBytes = 32 << 10
  /// The most header fields; more get 431.
  public var maxHeaderFields = 100
  /// The most open connections; further clients wait in the kernel's queue.
  public var maxConnections = 10_000
  /// The most open connections of one client address; nil for no limit. Further ones are closed.
  public var maxConnectionsPerAddress: Int?
  /// The most requests being handled; further ones get 503 with `Retry-After`.
  public var maxConcurrentRequests = 256
  /// What `Retry-After` says with a 503, in seconds.
  public var retryAfterSeconds = 1
  /// How long a connection may be silent, between requests or within one.
  public var idleTimeout: Duration = .seconds(60)
  /// How long a request may take to arrive, from its request line on, however it drips; a body gets the time that
  /// `minBodyBytesPerSecond` allows in addition.
  public var requestReadDeadline: Duration = .seconds(20)
  /// The slowest body that is waited for, in bytes per second.
  public var minBodyBytesPerSecond = 16 << 10
  /// How long the handler may take to return a response; then it is cancelled and the client gets 503. Streams are
  /// not limited once they have started.
  public var handlerDeadline: Duration = .seconds(60)
  /// The bytes of a stream that wait for a slow client before the writer is suspended.
  public var streamBufferBytes = 64 << 10
  /// The bytes of a streamed request body that wait for the handler before the client is held back.
  public var requestBufferBytes = 128 << 10
  /// The `Server` header; nil for none.
  public var serverName: String?
  /// The most bytes of a request's body when the handler is to run while it arrives (`HTTPRequest.pieces`); nil for a
  /// body that is read whole first, up to `maxBodyBytes`. Runs on the engine's only thread, so it must not block. Of a
  /// streamed body that is refused half-way, as much is read and dropped as would have been taken.
  public var streamedBodyLimit: (@Sendable (HTTPRequestHead) -> Int?)?
  /// Decides on a request before its body is read: a response ends it there. Runs on the engine's only thread for
  /// every request, so it must not block; the cheapest answers (health checks) can be given here. Its response
  /// cannot be a stream: no task runs yet that could write it.
  public var early: (@Sendable (HTTPRequestHead) -> HTTPResponse?)?
  /// Makes the response to a request that the engine refuses; the head is nil when it could not be read. Not a stream.
  public var errorResponse: @Sendable (HTTPRefusal, HTTPRequestHead?) -> HTTPResponse = { refusal, _ in
    HTTPResponse(status: refusal.status, text: refusal.message + "\n")
  }
  /// Told of each ended request and of the engine's own complaints, on the engine's threads: it must not block.
  public var log: (@Sendable (HTTPServerEvent) -> Void)?

  /// Creates a configuration with the default limits.
  public init(host: String = "127.0.0.1", port: Int = 0, tls: TLS? = nil) {
    self.host = host
    self.port = port
    self.tls = tls
  }
}

/// Why the engine refuses a request.
public struct HTTPRefusal: Sendable, Equatable {
  /// The status to answer with.
  public let status: Int
  /// A stable word, such as `body_too_large`.
  public let code: String
  /// What is wrong, for the client.
  public let message: String

  /// Creates a refusal.
  public init(status: Int, code: String, message: String) {
    self.status = status
    self.code = code
    self.message = message
  }
}

/// Something to log.
public enum HTTPServerEvent: Sendable {
  /// A request has ended, one way or another.
  case exchange(HTTPExchange)
  /// A complaint of the engine, such as a failed TLS handshake.
  case message(String)
}

/// An ended request.
public struct HTTPExchange: Sendable {
  /// How a request ended.
  public enum Outcome: String, Sendable {
    /// The whole response was handed to the kernel.
    case completed
    /// The client left, or the connection failed, before the end.
    case clientLeft = "client_left"
    /// The request arrived, or its response was taken, too slowly and the connection was cut.
    case tooSlow = "too_slow"
    /// The engine broke the connection off: a handler's stream failed, or a body went on beyond all limits.
    case aborted
    /// The server stopped before the end.
    case serverStopped = "server_stopped"
  }

  /// The head; nil when the request was refused before it could be read.
  public let head: HTTPRequestHead?
  /// The request target as sent.
  public let target: String
  /// The client's numeric IP address.
  public let remoteAddress: String
  /// The status sent; 0 when none was.
  public let status: Int
  /// The refusal, if the engine refused the request.
  public let refusal: HTTPRefusal?
  /// How it ended.
  public let outcome: Outcome
  /// From the request line to the end of the response.
  public let duration: Duration
}
