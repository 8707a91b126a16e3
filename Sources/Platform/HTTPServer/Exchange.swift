import CMicroHTTPD
import Concurrency

/// One request and its response, from the request line on.
///
/// The library's thread owns `reading`; everything that the handler's task and the watcher touch is in `state`.
/// The library may free a connection at any time unless it is suspended, so whoever turns `isSuspended` off, and
/// nobody else, resumes it, under the lock.
final class Exchange: @unchecked Sendable {
  /// What only the library's thread touches.
  struct Reading {
    var hasBegun = false
    var head: HTTPRequestHead?
    var body: [UInt8] = []
    var drained = 0
    /// The answer to give instead of calling the handler, once the body has been read and dropped.
    var answer: HTTPResponse?
    var refusal: HTTPRefusal?
    var mustClose = false
    var reservedBytes = 0
    /// How the body is delimited, for what is decided after the head.
    var verdict = Framing.Verdict()
    /// Whether the handler has the head and has not yet asked for the body.
    var isAtHead = false
    /// Whether `answer` comes from the handler.
    var answerIsHandlers = false
    /// A request target as sent, and where it lies in the library's read buffer.
    var target = ""
    var targetPointer: UnsafePointer<CChar>?
    var targetLength = 0
  }

  struct State {
    var phase = Phase.reading
    var received = 0
    var isSuspended = false
    var suspendedSince: Nanoseconds = 0
    /// How long the connection was suspended in all: time that is not the client's.
    var heldTime: Nanoseconds = 0
    /// The body of a request that is handled while it arrives.
    var incoming = IncomingBody()
    var isOver = false
    var isAbandoned = false
    var wasTooSlow = false
    var wasAborted = false
    var peerLeft = false
    var response: HTTPResponse?
    var hasExpired = false
    var task: Task<Void, Never>?
    var buffer: [UInt8] = []
    var bufferStart = 0
    var streamEnd: StreamEnd?
    var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    var nextWaiter: UInt64 = 0
    var buffered: Int { buffer.count - bufferStart }
  }

  enum Phase {
    case reading
    /// The handler runs while the body arrives.
    case receiving
    case handling(since: Nanoseconds)
    case responding
  }

  enum StreamEnd {
    case complete
    case failed
  }

  let engine: Engine
  let client: ClientConnection
  let connection: OpaquePointer
  let started = Monotonic.now()
  let state = Locked(State())
  var reading = Reading()

  init(engine: Engine, client: ClientConnection, connection: OpaquePointer) {
    self.engine = engine
    self.client = client
    self.connection = connection
  }

  deinit {
    engine.release(bytes: reading.reservedBytes)
  }

  func suspend(_ state: inout State) {
    // The library hands over all chunks that it has read, one call each, even when the first call suspends it; and it
    // does not bear to be suspended twice.
    guard !state.isSuspended else { return }
    state.isSuspended = true
    state.suspendedSince = Monotonic.now()
    MHD_suspend_connection(connection)
  }

  func resume(_ state: inout State) {
    guard state.isSuspended else { return }
    state.isSuspended = false
    state.heldTime += Monotonic.now() - state.suspendedSince
    MHD_resume_connection(connection)
  }

  // MARK: The handler's task

  /// Suspends the connection and starts the handler on `request`; false when the server is stopping.
  ///
  /// With `streamLimit` the body is still to come, up to that many bytes.
  func startHandler(_ request: HTTPRequest, streamLimit: Int? = nil) -> Bool {
    let isAbandoned = state.withLock { state in
      guard !state.isAbandoned else { return true }
      state.incoming.limit = streamLimit
      state.phase = streamLimit == nil ? .handling(since: Monotonic.now()) : .receiving
      suspend(&state)
      return false
    }
    guard !isAbandoned else { return false }
    let hasLeft = engine.watcher.watch(client)
    let task = Task { await self.run(request) }
    state.withLock { state in
      state.task = task
      if hasLeft || state.peerLeft { task.cancel() }
    }
    return true
  }

  private func run(_ request: HTTPRequest) async {
    let response = await engine.handler(request)
    if deliver(response), case .stream(_, let produce) = response.body,
      request.method != "HEAD", Self.hasBody(response.status)
    {
      do {
        try await produce(HTTPBodyWriter(exchange: self))
        endStream(.complete)
      } catch {
        if !(error is CancellationError), (error as? HTTPServerError)?.code != HTTPServerError.clientLeft.code {
          engine.configuration.log?(.message("A streamed body failed: \(error)"))
        }
        endStream(.failed)
      }
    }
    engine.handlerEnded()
  }

  private static func hasBody(_ status: Int) -> Bool { status >= 200 && status != 204 && status != 304 }

  /// Hands the response over; false when nobody waits for it any more.
  private func deliver(_ response: HTTPResponse) -> Bool {
    state.withLock { state in
      guard !state.isOver, !state.isAbandoned, !state.hasExpired, !state.incoming.isRefused else { return false }
      switch state.phase {
      case .handling: state.phase = .responding
      // The rest of the body is read and dropped first, and in good time.
      case .receiving: break
      case .reading, .responding: return false
      }
      state.response = response
      resume(&state)
      return true
    }
  }

  /// What the handler left for the library's thread: its response, once, or that it took too long.
  func takeResult() -> (response: HTTPResponse?, hasExpired: Bool) {
    state.withLock { state in
      defer { state.response = nil }
      return (state.response, state.hasExpired)
    }
  }

  // MARK: The stream

  /// Appends `bytes` if there is room; false means wait.
  func append(_ bytes: [UInt8]) throws -> Bool {
    try state.withLock { state in
      guard !state.isOver, !state.isAbandoned, !state.peerLeft else { throw HTTPServerError.clientLeft }
      try Task.checkCancellation()
      guard state.buffered < engine.configuration.streamBufferBytes else { return false }
      if state.bufferStart > 0 {
        state.buffer.removeFirst(state.bufferStart)
        state.bufferStart = 0
      }
      state.buffer.append(contentsOf: bytes)
      resume(&state)
      return true
    }
  }

  /// Returns once there may be room, or throws when there will be none.
  func waitForRoom() async throws {
    let capacity = engine.configuration.streamBufferBytes
    try await wait { $0.buffered < capacity }
  }

  /// Returns at once when `isReady`, else when the state may have become so; throws when it never will.
  func wait(until isReady: @escaping @Sendable (State) -> Bool) async throws {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    let wasCancelled = Locked(false)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<Void, any Error>? = state.withLock { state in
          // What has come is to be had even when the connection has ended since.
          if isReady(state) { return .success(()) }
          if state.isOver || state.isAbandoned || state.peerLeft { return .failure(HTTPServerError.clientLeft) }
          if wasCancelled.withLock({ $0 }) { return .failure(CancellationError()) }
          state.waiters[id] = continuation
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        wasCancelled.withLock { $0 = true }
        return state.waiters.removeValue(forKey: id)
      }
      waiter?.resume(throwing: CancellationError())
    }
  }

  private func endStream(_ end: StreamEnd) {
    state.withLock { state in
      state.streamEnd = end
      if end == .failed { state.wasAborted = true }
      resume(&state)
    }
  }

  /// Fills the library's buffer; called on its thread. 0 means the connection is suspended, -1 the end, -2 an error.
  func read(into target: UnsafeMutablePointer<CChar>, capacity: Int) -> Int {
    let (count, waiters) = state.withLock { state -> (Int, [CheckedContinuation<Void, any Error>]) in
      guard !state.isAbandoned, state.streamEnd != .failed else { return (-2, []) }
      guard state.buffered > 0 else {
        if state.streamEnd == .complete { return (-1, []) }
        suspend(&state)
        return (0, [])
      }
      let count = min(capacity, state.buffered)
      state.buffer.withUnsafeBytes { bytes in
        let piece = UnsafeRawBufferPointer(rebasing: bytes[state.bufferStart..<state.bufferStart + count])
        UnsafeMutableRawPointer(target).copyMemory(from: piece.baseAddress!, byteCount: count)
      }
      state.bufferStart += count
      if state.buffered == 0 {
        state.buffer.removeAll(keepingCapacity: state.buffer.capacity <= 4 * engine.configuration.streamBufferBytes)
        state.bufferStart = 0
      }
      guard state.buffered < engine.configuration.streamBufferBytes else { return (count, []) }
      defer { state.waiters = [:] }
      return (count, Array(state.waiters.values))
    }
    for waiter in waiters { waiter.resume() }
    return count
  }

  // MARK: Ends

  /// The client has left, or closed its side: its handler is cancelled, and what it still returns is sent.
  func peerLeft() {
    let (task, waiters) = state.withLock { state in
      state.peerLeft = true
      defer { state.waiters = [:] }
      return (state.task, Array(state.waiters.values))
    }
    task?.cancel()
    for waiter in waiters { waiter.resume(throwing: HTTPServerError.clientLeft) }
  }

  /// Ends what takes too long; called by the watcher.
  func checkDeadlines(_ now: Nanoseconds, _ limits: ConnectionWatcher.Limits) {
    let (mustCut, expired) = state.withLock { state -> (Bool, Task<Void, Never>?) in
      switch state.phase {
      case .reading:
        let allowed = limits.read + Nanoseconds(state.received) * limits.nanosecondsPerBodyByte
        guard now - started > allowed else { return (false, nil) }
        state.wasTooSlow = true
        return (true, nil)
      case .receiving:
        if state.isSuspended, now - state.suspendedSince > limits.handler, !state.isOver {
          // The handler neither reads nor answers.
          state.hasExpired = true
          resume(&state)
          return (false, state.task)
        }
        let held = state.heldTime + (state.isSuspended ? now - state.suspendedSince : 0)
        let allowed = limits.read + held + Nanoseconds(state.received) * limits.nanosecondsPerBodyByte
        guard now - started > allowed else { return (false, nil) }
        state.wasTooSlow = true
        return (true, state.task)
      case .handling(let since):
        guard now - since > limits.handler, !state.isOver else { return (false, nil) }
        state.phase = .responding
        state.hasExpired = true
        resume(&state)
        return (false, state.task)
      case .responding:
        return (false, nil)
      }
    }
    if mustCut { client.cut() }
    expired?.cancel()
  }

  /// The server stops: the handler is cancelled and the connection let go, whatever it is doing.
  func abandon() {
    let (task, waiters) = state.withLock { state in
      state.isAbandoned = true
      resume(&state)
      defer { state.waiters = [:] }
      return (state.task, Array(state.waiters.values))
    }
    task?.cancel()
    for waiter in waiters { waiter.resume(throwing: HTTPServerError.clientLeft) }
  }

  /// Cancels the handler and leaves it the time to answer.
  func cancel() {
    state.withLock { $0.task }?.cancel()
  }

  /// The library is done with the request; called on its thread.
  func over(_ code: MHD_RequestTerminationCode) {
    let (task, waiters, outcome) = state.withLock { state in
      state.isOver = true
      defer {
        state.waiters = [:]
        state.buffer = []
        state.bufferStart = 0
      }
      let outcome: HTTPExchange.Outcome =
        if state.wasTooSlow || code == .REQUEST_TERMINATED_TIMEOUT_REACHED {
          .tooSlow
        } else if code == .REQUEST_TERMINATED_COMPLETED_OK {
          .completed
        } else if state.isAbandoned || code == .REQUEST_TERMINATED_DAEMON_SHUTDOWN {
          .serverStopped
        } else if state.wasAborted && !state.peerLeft {
          .aborted
        } else {
          .clientLeft
        }
      return (state.task, Array(state.waiters.values), outcome)
    }
    if outcome != .completed { task?.cancel() }
    for waiter in waiters { waiter.resume(throwing: HTTPServerError.clientLeft) }
    client.state.withLock { state in
      state.exchange = nil
      state.idleSince = Monotonic.now()
    }
    guard let log = engine.configuration.log else { return }
    log(
      .exchange(
        HTTPExchange(
          head: reading.head, target: reading.target, remoteAddress: client.remoteAddress,
          status: Int(cmhd_status(connection)), refusal: reading.refusal, outcome: outcome,
          duration: .nanoseconds(Monotonic.now() - started))))
  }
}
