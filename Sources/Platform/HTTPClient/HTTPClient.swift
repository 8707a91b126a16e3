/// Sends requests and receives responses as they come. Safe to use from any task.
///
/// Blocking work is on the engine's own thread. When the client is released, its transfers end.
public final class HTTPClient: Sendable {
  private let engine: CurlEngine

  /// Starts a client with a thread of its own.
  public init(configuration: HTTPClientConfiguration = HTTPClientConfiguration()) {
    engine = CurlEngine(configuration: configuration)
  }

  deinit { engine.stop() }

  /// Sends a request; returns when the head of the response is there, whatever its status.
  /// - Throws: ``HTTPClientError``; `CancellationError`.
  public func execute(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
    try request.validate()
    try Task.checkCancellation()
    let transfer = Transfer(request: request, engine: engine)
    let head = try await transfer.head()
    return HTTPClientResponse(status: head.status, headers: head.headers, body: HTTPClientBody(transfer))
  }
}

extension HTTPClientRequest {
  /// Refuses what would be read as another request.
  fileprivate func validate() throws {
    guard Self.isToken(method), headers.allSatisfy({ Self.isToken($0.name) }) else {
      throw HTTPClientError(.invalidRequest, "a method or a header's name is no token")
    }
    guard headers.allSatisfy({ header in !header.value.utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 } }) else {
      throw HTTPClientError(.invalidRequest, "a header's value holds a line break")
    }
    guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw HTTPClientError(.invalidRequest, "a URL of \(authority) is not percent-encoded")
    }
  }

  /// Source: RFC 9110, 5.6.2.
  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !delimiters[Int($0)] }
  }

  private static let delimiters = {
    var table = [Bool](repeating: false, count: 128)
    for byte in "\"(),/:;<=>?@[\\]{}".utf8 { table[Int(byte)] = true }
    return table
  }()
}
