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
    let isToken = { (text: String) in
      !text.isEmpty
        && text.utf8.allSatisfy {
          $0 > 0x20 && $0 < 0x7F && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0)
        }
    }
    guard isToken(method), headers.allSatisfy({ isToken($0.name) }) else {
      throw HTTPClientError(.invalidRequest, "a method or a header's name is no token")
    }
    guard headers.allSatisfy({ header in !header.value.utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 } }) else {
      throw HTTPClientError(.invalidRequest, "a header's value holds a line break")
    }
    guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw HTTPClientError(.invalidRequest, "a URL of \(authority) is not percent-encoded")
    }
  }
}
