/// Where a streamed body is written.
///
/// Several tasks may write (an answer and its heartbeats, say); each `write` arrives whole.
public struct HTTPBodyWriter: Sendable {
  let exchange: Exchange

  /// Sends `bytes`, waiting first until the client has taken enough of what was written before.
  ///
  /// Throws `HTTPServerError.clientLeft` when the client has left and `CancellationError` when the task is cancelled.
  public func write(_ bytes: [UInt8]) async throws {
    guard !bytes.isEmpty else { return }
    while try !exchange.append(bytes) {
      try await exchange.waitForRoom()
    }
  }

  /// Sends `text` as UTF-8; see `write(_:)` for bytes.
  public func write(_ text: String) async throws {
    try await write(Array(text.utf8))
  }
}
