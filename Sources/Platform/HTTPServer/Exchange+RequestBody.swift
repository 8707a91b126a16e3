import Concurrency

/// The body of a request that is handled while it arrives.
struct IncomingBody {
  /// The most bytes that are taken; nil when the body is read whole before the handler starts.
  var limit: Int?
  var total = 0
  /// What has arrived and was not taken yet.
  var buffer: [UInt8] = []
  var isComplete = false
  /// Whether the engine has answered by itself, so that the handler's answer is not wanted.
  var isRefused = false
}

extension Exchange {
  // MARK: The library's thread

  /// Takes a piece of the body for the handler, and suspends the connection when enough waits; false when the body
  /// is longer than its limit.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let (isTaken, waiters) = state.withLock { state -> (Bool, [CheckedContinuation<Void, any Error>]) in
      state.incoming.total += bytes.count
      let isTaken = state.incoming.total <= state.incoming.limit ?? 0
      if isTaken {
        state.incoming.buffer.append(contentsOf: bytes)
        // A handler that has answered reads no more: it must not be waited for.
        if state.incoming.buffer.count >= engine.configuration.requestBufferBytes, state.response == nil,
          !state.hasExpired, !state.isAbandoned
        {
          suspend(&state)
        }
      } else {
        state.incoming.isRefused = true
        state.incoming.buffer = []
      }
      defer { state.waiters = [:] }
      return (isTaken, Array(state.waiters.values))
    }
    for waiter in waiters { waiter.resume() }
    return isTaken
  }

  /// The whole body has arrived: suspends the connection until the handler has answered, unless it has. Returns
  /// whether the answer is still to come.
  func endBody() -> Bool {
    let (isWaiting, waiters) = state.withLock { state -> (Bool, [CheckedContinuation<Void, any Error>]) in
      state.incoming.isComplete = true
      defer { state.waiters = [:] }
      let waiters = Array(state.waiters.values)
      guard state.response == nil, !state.hasExpired, !state.isAbandoned else { return (false, waiters) }
      state.phase = .handling(since: Monotonic.now())
      suspend(&state)
      return (true, waiters)
    }
    for waiter in waiters { waiter.resume() }
    return isWaiting
  }

  // MARK: The handler's task

  /// The next piece of the body, nil at its end.
  func nextPiece() async throws -> [UInt8]? {
    while true {
      enum Step {
        case piece([UInt8])
        case end
        case wait
      }
      let step: Step = try state.withLock { state in
        guard !state.incoming.isRefused else { throw HTTPServerError.bodyTooLarge }
        if !state.incoming.buffer.isEmpty {
          let piece = state.incoming.buffer
          state.incoming.buffer = []
          if !state.incoming.isComplete { resume(&state) }
          return .piece(piece)
        }
        if state.incoming.isComplete { return .end }
        guard !state.isOver, !state.isAbandoned, !state.peerLeft else { throw HTTPServerError.clientLeft }
        try Task.checkCancellation()
        // The first call says that the body is wanted.
        resume(&state)
        return .wait
      }
      switch step {
      case .piece(let piece): return piece
      case .end: return nil
      case .wait:
        try await wait { !$0.incoming.buffer.isEmpty || $0.incoming.isComplete || $0.incoming.isRefused }
      }
    }
  }
}
