import CMicroHTTPD
import Concurrency
import Dispatch
import Glibc

/// An HTTP/1.1 server whose handlers are asynchronous functions.
///
/// One thread of libmicrohttpd reads, parses and writes; handlers run as tasks. A handler's task is cancelled when
/// its client leaves. `start()` once, `shutdown(drain:)` once; a server that was started must be shut down.
public final class HTTPServer: Sendable {
  private struct State {
    var daemon: OpaquePointer?
    var settings: UnsafeMutablePointer<cmhd_settings>?
    var port = 0
    var wasStarted = false
  }

  private let engine: Engine
  private let state: Locked<State>

  /// Creates a server; nothing listens before `start()`.
  public init(
    configuration: HTTPServerConfiguration, handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
  ) {
    engine = Engine(configuration: configuration, handler: handler)
    state = Locked(State())
  }

  /// The port that is listened on; 0 before `start()`.
  public var port: Int { state.withLock { $0.port } }

  /// The requests under way.
  public var requestsInFlight: Int { engine.inFlight }

  /// The connections open now.
  public var openConnections: Int {
    state.withLock { state in state.daemon.map { Int(cmhd_open_connections($0)) } ?? 0 }
  }

  /// Starts to listen. Resolves the host and opens the socket on the calling thread.
  ///
  /// Throws `http.port_in_use`, `http.address_unavailable`, `http.permission_denied`, `http.host_unknown`,
  /// `http.listen_failed`, `http.tls_invalid`, `http.start_failed` or `http.already_started`.
  public func start() throws(HTTPServerError) {
    let configuration = engine.configuration
    let isFirst = state.withLock { state in
      defer { state.wasStarted = true }
      return !state.wasStarted
    }
    guard isFirst else { throw .stopped }
    let listener = try Listener(host: configuration.host, port: configuration.port)
    raiseDescriptorLimit(to: configuration.maxConnections + 256)
    let settings = makeSettings(configuration, listener)
    guard let daemon = cmhd_start(settings) else {
      // The library has closed the listening socket.
      free(settings)
      let reason = engine.lastMessage
      throw HTTPServerError(
        code: configuration.tls == nil ? "http.start_failed" : "http.tls_invalid",
        message: configuration.tls == nil
          ? "The HTTP engine did not start." : "The TLS certificate or its key cannot be used.",
        remedy: configuration.tls == nil
          ? "" : "Give a PEM certificate chain and the unencrypted PEM key that belongs to it.",
        underlying: reason)
    }
    engine.watcher.start()
    state.withLock { state in
      state.daemon = daemon
      state.settings = settings
      state.port = listener.port
    }
  }

  /// Stops: listens no more, gives requests under way `drain` to end, cancels the rest and closes all connections.
  ///
  /// Cancelled handlers get a second to return; one that ignores its cancellation does not hold the shutdown up.
  public func shutdown(drain: Duration) async {
    let (daemon, settings) = state.withLock { state in
      defer {
        state.daemon = nil
        state.settings = nil
      }
      return (state.daemon, state.settings)
    }
    guard let daemon, let settings else { return }
    engine.drain()
    let listening = MHD_quiesce_daemon(daemon)
    if listening >= 0 { close(listening) }
    await waitUntilIdle(for: drain)
    for exchange in engine.watcher.exchanges() { exchange.cancel() }
    await waitUntilIdle(for: .seconds(1))
    engine.abandonAll()
    let stopping = Stopping(daemon: daemon, settings: settings)
    // Joins threads: not on the cooperative pool.
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "http-stop").async { [self] in
        MHD_stop_daemon(stopping.daemon)
        engine.watcher.stop()
        free(stopping.settings)
        continuation.resume()
      }
    }
  }

  private func waitUntilIdle(for limit: Duration) async {
    let end = ContinuousClock.now + limit
    while engine.inFlight > 0, ContinuousClock.now < end {
      try? await Task.sleep(for: .milliseconds(10))
      if Task.isCancelled { return }
    }
  }

  private struct Stopping: @unchecked Sendable {
    let daemon: OpaquePointer
    let settings: UnsafeMutablePointer<cmhd_settings>
  }

  /// The settings retain the engine and own copies of the strings, until `free`.
  private func makeSettings(
    _ configuration: HTTPServerConfiguration, _ listener: Listener
  ) -> UnsafeMutablePointer<cmhd_settings> {
    let seconds = max(1, (configuration.idleTimeout.nanoseconds + 999_999_999) / 1_000_000_000)
    let settings = UnsafeMutablePointer<cmhd_settings>.allocate(capacity: 1)
    settings.initialize(
      to: cmhd_settings(
        listening_socket: listener.socket, ipv6: listener.isIPv6,
        connection_limit: UInt32(configuration.maxConnections),
        connections_per_address: UInt32(configuration.maxConnectionsPerAddress ?? 0),
        idle_timeout_seconds: UInt32(clamping: seconds), connection_memory: max(4096, configuration.maxHeadBytes),
        certificate_pem: UnsafePointer(configuration.tls.map { strdup($0.certificatePEM) } ?? nil),
        key_pem: UnsafePointer(configuration.tls.map { strdup($0.keyPEM) } ?? nil),
        context: Unmanaged.passRetained(engine).toOpaque(), access: onAccess, target: onTarget,
        completed: onCompleted, connection: onConnection, log: onLog))
    return settings
  }

  private func free(_ settings: UnsafeMutablePointer<cmhd_settings>) {
    for pem in [settings.pointee.certificate_pem, settings.pointee.key_pem] {
      guard let pem = UnsafeMutablePointer(mutating: pem) else { continue }
      explicit_bzero(pem, strlen(pem))
      Glibc.free(pem)
    }
    Unmanaged<Engine>.fromOpaque(settings.pointee.context).release()
    settings.deallocate()
  }

  private func raiseDescriptorLimit(to count: Int) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    guard limit.rlim_cur < UInt(count) else { return }
    limit.rlim_cur = min(UInt(count), limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
