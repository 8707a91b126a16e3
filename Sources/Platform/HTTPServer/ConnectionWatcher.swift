import CMicroHTTPD
import Concurrency
import Glibc

/// Watches what the library does not: clients that leave while their request is being handled, requests that
/// arrive or are handled too slowly, and sockets that linger after a refusal.
///
/// The library takes a suspended connection out of its own epoll set and stops its timeout. Here each connection
/// that was ever suspended is registered for EPOLLRDHUP alone, once: pipelined bytes do not wake it.
final class ConnectionWatcher: Sendable {
  private struct State {
    var clients: [UInt64: ClientConnection] = [:]
    var lingering: [UInt64: (socket: Int32, until: Nanoseconds)] = [:]
    var nextID: UInt64 = 1
    var isStopping = false
    var thread: pthread_t?
  }

  /// How often deadlines are checked; they are late by this much at most.
  private static let sweepMilliseconds: Int32 = 100
  private static let lingerTime: Nanoseconds = 2_000_000_000

  private let poll: Int32
  private let state = Locked(State())
  private let limits: Limits

  /// The deadlines of a configuration in nanoseconds.
  struct Limits: Sendable {
    let idle: Nanoseconds
    let read: Nanoseconds
    let handler: Nanoseconds
    let nanosecondsPerBodyByte: Nanoseconds

    init(_ configuration: HTTPServerConfiguration) {
      idle = configuration.idleTimeout.nanoseconds
      read = configuration.requestReadDeadline.nanoseconds
      handler = configuration.handlerDeadline.nanoseconds
      nanosecondsPerBodyByte = 1_000_000_000 / Nanoseconds(max(1, configuration.minBodyBytesPerSecond))
    }
  }

  init(limits: Limits) {
    self.limits = limits
    poll = cmhd_epoll_create()
  }

  deinit { close(poll) }

  // MARK: Called on the engine's thread

  func add(_ connection: OpaquePointer) -> ClientConnection {
    state.withLock { state in
      let client = ClientConnection(id: state.nextID, connection: connection)
      state.nextID += 1
      state.clients[client.id] = client
      return client
    }
  }

  func remove(_ client: ClientConnection) {
    let lingering = client.state.withLock { state in
      state.isClosed = true
      if state.isWatched { cmhd_epoll_remove(poll, client.socket) }
      return state.lingering
    }
    state.withLock { state in
      state.clients[client.id] = nil
      guard let lingering else { return }
      let id = state.nextID
      state.nextID += 1
      state.lingering[id] = (lingering, Monotonic.now() + Self.lingerTime)
      shutdown(lingering, Int32(SHUT_WR))
      cmhd_epoll_add_readable(poll, lingering, id)
    }
  }

  /// Has `client` watched from now on; returns whether it has left already.
  func watch(_ client: ClientConnection) -> Bool {
    client.state.withLock { state in
      if !state.isWatched, !state.isClosed {
        state.isWatched = true
        cmhd_epoll_add_peer_left(poll, client.socket, client.id)
      }
      return state.peerLeft
    }
  }

  // MARK: The thread

  func start() {
    let retained = Unmanaged.passRetained(self).toOpaque()
    var thread = pthread_t()
    let started = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<ConnectionWatcher>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, retained)
    precondition(started == 0, "no thread for the connection watcher")
    state.withLock { $0.thread = thread }
  }

  /// Ends the thread and waits for it: at most one sweep interval.
  func stop() {
    let thread = state.withLock { state in
      state.isStopping = true
      defer { state.thread = nil }
      return state.thread
    }
    if let thread { pthread_join(thread, nil) }
    state.withLock { state in
      for entry in state.lingering.values { close(entry.socket) }
      state.lingering = [:]
    }
  }

  private func run() {
    var ids = [UInt64](repeating: 0, count: 64)
    var lastSweep = Monotonic.now()
    while !state.withLock({ $0.isStopping }) {
      let count = cmhd_epoll_wait(poll, &ids, Self.sweepMilliseconds)
      for id in ids.prefix(Int(count)) { handle(id: id) }
      let now = Monotonic.now()
      if now - lastSweep >= Nanoseconds(Self.sweepMilliseconds) * 1_000_000 {
        lastSweep = now
        sweep(now)
      }
    }
  }

  private func handle(id: UInt64) {
    let (client, lingering) = state.withLock { ($0.clients[id], $0.lingering[id]?.socket) }
    if let client {
      let exchange = client.state.withLock { state in
        state.peerLeft = true
        return state.exchange
      }
      exchange?.peerLeft()
    } else if let lingering {
      drain(lingering, id: id)
    }
  }

  private func drain(_ socket: Int32, id: UInt64) {
    var scratch = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(socket, &scratch, scratch.count, Int32(MSG_DONTWAIT))
    if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { endLingering(id) }
  }

  private func endLingering(_ id: UInt64) {
    state.withLock { state in
      if let entry = state.lingering.removeValue(forKey: id) { close(entry.socket) }
    }
  }

  private func sweep(_ now: Nanoseconds) {
    let (clients, overdue) = state.withLock { state in
      (Array(state.clients.values), state.lingering.filter { $0.value.until < now }.map(\.key))
    }
    for id in overdue { endLingering(id) }
    for client in clients {
      let (exchange, idleSince) = client.state.withLock { ($0.exchange, $0.idleSince) }
      if let exchange {
        exchange.checkDeadlines(now, limits)
      } else if now - idleSince > limits.idle + limits.read {
        // The library's own timeout ends silent connections; one that outlives it drips a request line.
        client.cut()
      }
    }
  }

  /// The exchanges under way.
  func exchanges() -> [Exchange] {
    let clients = state.withLock { Array($0.clients.values) }
    return clients.compactMap { client in client.state.withLock { $0.exchange } }
  }
}
