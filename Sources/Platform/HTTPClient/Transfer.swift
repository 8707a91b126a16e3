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
        let found = state.withLock { state in
          let found = Self.next(&state)
          if found == nil { state.chunkWaiter = continuation }
          return found
        }
        guard let (answer, resumes) = found else { return }
        if resumes { engine.resume(self) }
        continuation.resume(with: answer)
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
  //
  // What comes is noted first and told once, by `wake`, after libcurl has done all that it can: head, body and end
  // mostly come together, and a task that is woken for each of them costs more than the request.

  func received(_ head: Head) {
    state.withLock { $0.head = head }
    engine.touched(self)
  }

  /// Takes bytes of the body; false when the engine has to hold them back.
  func received(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let taken = state.withLock { state in
      guard state.buffered < Self.highWater else {
        state.isPaused = true
        return false
      }
      state.chunks.append([UInt8](bytes))
      state.buffered += bytes.count
      return true
    }
    engine.touched(self)
    return taken
  }

  /// Notes the end and tells it.
  func ended(_ result: Result<Void, any Error>) {
    state.withLock { state in
      if state.end == nil { state.end = result }
    }
    wake()
  }

  /// Gives what has come to those who wait for it.
  func wake() {
    let (head, chunk, resumes) = state.withLock {
      state -> (
        (CheckedContinuation<Head, any Error>, Result<Head, any Error>)?,
        (CheckedContinuation<[UInt8]?, any Error>, Result<[UInt8]?, any Error>)?, Bool
      ) in
      var head: (CheckedContinuation<Head, any Error>, Result<Head, any Error>)?
      var chunk: (CheckedContinuation<[UInt8]?, any Error>, Result<[UInt8]?, any Error>)?
      if let waiter = state.headWaiter {
        if let found = state.head {
          head = (waiter, .success(found))
        } else if let end = state.end {
          let error = HTTPClientError(.protocolError, "\(request.authority) sent no response")
          head = (waiter, end.flatMap { .failure(error) })
        }
        if head != nil { state.headWaiter = nil }
      }
      var resumes = false
      if let waiter = state.chunkWaiter, let (found, mayGoOn) = Self.next(&state) {
        chunk = (waiter, found)
        resumes = mayGoOn
        state.chunkWaiter = nil
      }
      return (head, chunk, resumes)
    }
    if resumes { engine.resume(self) }
    head.map { $0.0.resume(with: $0.1) }
    chunk.map { $0.0.resume(with: $0.1) }
  }

  /// What a consumer gets now, if anything, and whether the engine may go on with a transfer it held back.
  private static func next(_ state: inout State) -> (Result<[UInt8]?, any Error>, resumes: Bool)? {
    if state.taken < state.chunks.count {
      let chunk = state.chunks[state.taken]
      state.chunks[state.taken] = []
      state.taken += 1
      if state.taken == state.chunks.count {
        state.chunks.removeAll(keepingCapacity: true)
        state.taken = 0
      }
      state.buffered -= chunk.count
      let resumes = state.isPaused && state.buffered < highWater / 2
      if resumes { state.isPaused = false }
      return (.success(chunk), resumes)
    }
    if let end = state.end { return (end.map { nil }, false) }
    if state.isCancelled { return (.failure(CancellationError()), false) }
    return nil
  }

  /// Whether nobody waits for it any more.
  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  var hasHead: Bool { state.withLock { $0.head != nil } }
}
