import CCurl
import Concurrency

/// One request under way: what the engine's thread hands to the task that waits, and back.
final class Transfer: Sendable {
  struct Head: Sendable {
    var status: Int
    var headers: [HTTPClientRequest.Header]
  }

  private struct State {
    var head: Head?
    var headWaiter: CheckedContinuation<Head, any Error>?
    var chunks: [[UInt8]] = []
    /// Of `chunks`, those that were taken.
    var taken = 0
    var buffered = 0
    var chunkWaiter: CheckedContinuation<[UInt8]?, any Error>?
    var isPaused = false
    var isCancelled = false
    var end: Result<Void, any Error>?
  }

  /// Bytes that may wait before the server has to.
  private static let highWater = 256 << 10

  let request: HTTPClientRequest
  private let engine: CurlEngine
  private let state = Locked(State())

  init(request: HTTPClientRequest, engine: CurlEngine) {
    self.request = request
    self.engine = engine
  }

  // MARK: - The task's side

  func head() async throws -> Head {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let isCancelled = state.withLock { state in
          if !state.isCancelled { state.headWaiter = continuation }
          return state.isCancelled
        }
        if isCancelled { return continuation.resume(throwing: CancellationError()) }
        engine.start(self)
      }
    } onCancel: {
      cancel()
    }
  }

  func nextChunk() async throws -> [UInt8]? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (answer, resumes) = state.withLock { state -> (Result<[UInt8]?, any Error>?, Bool) in
          if state.taken < state.chunks.count {
            let chunk = state.chunks[state.taken]
            state.chunks[state.taken] = []
            state.taken += 1
            if state.taken == state.chunks.count {
              state.chunks.removeAll(keepingCapacity: true)
              state.taken = 0
            }
            state.buffered -= chunk.count
            let resumes = state.isPaused && state.buffered < Self.highWater / 2
            if resumes { state.isPaused = false }
            return (.success(chunk), resumes)
          }
          if let end = state.end { return (end.map { nil }, false) }
          if state.isCancelled { return (.failure(CancellationError()), false) }
          state.chunkWaiter = continuation
          return (nil, false)
        }
        if resumes { engine.resume(self) }
        if let answer { continuation.resume(with: answer) }
      }
    } onCancel: {
      cancel()
    }
  }

  /// The body is nobody's any more.
  func abandon() { if state.withLock({ $0.end == nil }) { cancel() } }

  private func cancel() {
    let (head, chunk) = state.withLock { state in
      let waiters = (state.headWaiter, state.chunkWaiter)
      state.headWaiter = nil
      state.chunkWaiter = nil
      state.isCancelled = true
      return waiters
    }
    head?.resume(throwing: CancellationError())
    chunk?.resume(throwing: CancellationError())
    engine.cancel(self)
  }

  // MARK: - The engine's side

  func received(_ head: Head) {
    let waiter = state.withLock { state in
      state.head = head
      defer { state.headWaiter = nil }
      return state.headWaiter
    }
    waiter?.resume(returning: head)
  }

  /// Takes bytes of the body; false when the engine has to hold them back.
  func received(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let (taken, waiter) = state.withLock { state -> (Bool, CheckedContinuation<[UInt8]?, any Error>?) in
      if let waiter = state.chunkWaiter {
        state.chunkWaiter = nil
        return (true, waiter)
      }
      guard state.buffered < Self.highWater else {
        state.isPaused = true
        return (false, nil)
      }
      state.chunks.append([UInt8](bytes))
      state.buffered += bytes.count
      return (true, nil)
    }
    waiter?.resume(returning: [UInt8](bytes))
    return taken
  }

  func ended(_ result: Result<Void, any Error>) {
    let (head, chunk) = state.withLock { state in
      let waiters = (state.headWaiter, state.chunkWaiter)
      state.headWaiter = nil
      state.chunkWaiter = nil
      if state.end == nil { state.end = result }
      return waiters
    }
    switch result {
    case .success:
      head?.resume(throwing: HTTPClientError(.protocolError, "\(request.authority) sent no response"))
      chunk?.resume(returning: nil)
    case .failure(let error):
      head?.resume(throwing: error)
      chunk?.resume(throwing: error)
    }
  }

  /// Whether nobody waits for it any more.
  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  var hasHead: Bool { state.withLock { $0.head != nil } }
}
