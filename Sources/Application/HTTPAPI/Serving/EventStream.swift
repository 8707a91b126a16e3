import Concurrency
import FoundationEssentials
import HTTPServer

/// Writes server-sent events. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
struct EventStream: Sendable {
  private let writer: HTTPBodyWriter
  private let hasWritten = Locked(false)

  init(_ writer: HTTPBodyWriter) { self.writer = writer }

  /// Sends an event whose data is `body` as JSON, which has no line ends and so fits on one line.
  /// - Throws: When the client has left or the task is cancelled.
  func send(_ event: String, _ body: some Encodable) async throws {
    let data = try WireCoding.encode(body)
    hasWritten.withLock { $0 = true }
    try await writer.write(Array("event: \(event)\ndata: ".utf8) + data + Array("\n\n".utf8))
  }

  /// Sends progress, which has nowhere to throw: a client that left ends the answer by cancelling its task.
  func offer(_ event: String, _ body: some Encodable) async {
    try? await send(event, body)
  }

  /// Sends a comment whenever nothing else was sent for `interval`, so that proxies keep the connection; returns
  /// only by throwing.
  func beat(every interval: Duration) async throws {
    while true {
      try await Task.sleep(for: interval)
      let wasSilent = hasWritten.withLock { hasWritten in
        defer { hasWritten = false }
        return !hasWritten
      }
      if wasSilent { try await writer.write(": heartbeat\n\n") }
    }
  }
}
