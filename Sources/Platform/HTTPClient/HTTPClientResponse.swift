/// The head of a response, with its body still to be read.
public struct HTTPClientResponse: Sendable {
  /// The status, 200…599.
  public let status: Int
  /// The headers in the order received.
  public let headers: [HTTPClientRequest.Header]
  /// The body. Dropping it unread ends the transfer.
  public let body: HTTPClientBody

  /// The first value of a header, whatever the case of its name; nil when there is none.
  public subscript(name: String) -> String? {
    headers.first { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name.lowercased() }?.value
  }
}

/// The bytes of a response's body as they come. Single consumer.
///
/// At most 256 KiB, and what the library has read, wait to be taken: then the server has to wait.
public struct HTTPClientBody: AsyncSequence, Sendable {
  /// Some bytes, at least one.
  public typealias Element = [UInt8]

  private let storage: Storage

  init(_ transfer: Transfer) { storage = Storage(transfer: transfer) }

  /// Ends the transfer when the last holder of the body is gone.
  fileprivate final class Storage: Sendable {
    let transfer: Transfer
    init(transfer: Transfer) { self.transfer = transfer }
    deinit { transfer.abandon() }
  }

  /// Takes the chunks.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let storage: Storage

    /// The next bytes; nil at the end.
    /// - Throws: ``HTTPClientError`` when the body was cut; `CancellationError`.
    public mutating func next() async throws -> [UInt8]? { try await storage.transfer.nextChunk() }
  }

  /// All iterators share the one body.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(storage: storage) }

  /// The whole body.
  /// - Throws: `http.body_too_large` beyond `limit` bytes; else as the iterator.
  public func collect(upTo limit: Int) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await chunk in self {
      guard bytes.count + chunk.count <= limit else {
        throw HTTPClientError(
          .bodyTooLarge, "the answer of \(storage.transfer.request.authority) is longer than \(limit) bytes")
      }
      bytes += chunk
    }
    return bytes
  }
}
