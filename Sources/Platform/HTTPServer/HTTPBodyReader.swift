import Concurrency

/// A request's body, piece by piece.
///
/// Where `HTTPServerConfiguration.streamedBodyLimit` says so, the handler starts when the head has arrived, and the
/// client is held back while pieces wait to be read; other bodies are there whole and come as one piece. For one task
/// at a time.
public struct HTTPBodyReader: Sendable {
  enum Source: Sendable {
    case exchange(Exchange)
    case bytes(Bytes)
  }

  /// A body in memory that has been handed out or not.
  final class Bytes: Sendable {
    private let rest: Locked<[UInt8]>

    init(_ bytes: [UInt8]) { rest = Locked(bytes) }

    func take() -> [UInt8]? {
      rest.withLock { rest in
        defer { rest = [] }
        return rest.isEmpty ? nil : rest
      }
    }
  }

  let source: Source

  /// The next bytes, nil at the end. The first call tells a client that waits with `Expect: 100-continue` to go on;
  /// a handler that answers without it refuses the body.
  ///
  /// Throws `HTTPServerError.clientLeft` when the client has left, `HTTPServerError.bodyTooLarge` when the body turns
  /// out to be longer than its limit (the engine answers 413 then, whatever the handler returns), and
  /// `CancellationError` when the task is cancelled.
  public func next() async throws -> [UInt8]? {
    switch source {
    case .exchange(let exchange): try await exchange.nextPiece()
    case .bytes(let bytes): bytes.take()
    }
  }
}
