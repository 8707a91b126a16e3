import Glibc

/// A response to send.
///
/// The engine writes `Date`, `Server`, `Content-Length`, `Transfer-Encoding` and `Connection` itself; fields of
/// those names are dropped, but for `Connection: close`. A `HEAD` request gets the head that `GET` would get.
public struct HTTPResponse: Sendable {
  /// What follows the head.
  public enum Body: Sendable {
    /// Bytes in memory.
    case bytes([UInt8])
    /// Part of an open file, read as the client takes it.
    case file(HTTPFile)
    /// Written piece by piece while the client reads, in the handler's task, which is cancelled when the client
    /// leaves. The response ends when the closure returns; when it throws, the connection is cut so that the
    /// client can tell. `length` in bytes when it is known; otherwise the body is sent in chunks.
    case stream(length: Int? = nil, @Sendable (HTTPBodyWriter) async throws -> Void)
  }

  /// The status code, 200 to 599.
  public var status: Int
  /// The header fields.
  public var headers: HTTPHeaders
  /// The body; not sent to `HEAD`, nor with 204 and 304.
  public var body: Body

  /// Creates a response.
  public init(status: Int, headers: HTTPHeaders = [:], body: Body = .bytes([])) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// Creates a response with `text` as UTF-8 body.
  public init(status: Int, contentType: String = "text/plain; charset=utf-8", text: String) {
    self.init(status: status, headers: ["Content-Type": contentType], body: .bytes(Array(text.utf8)))
  }
}

/// A part of an open file to be sent as a body; closed when the response has been sent or dropped.
public final class HTTPFile: Sendable {
  let descriptor: Int32
  /// Where the part starts, in bytes.
  public let offset: Int
  /// The part's length in bytes.
  public let length: Int

  /// Opens the file at `path`, from `offset` for `length` bytes (to its end when nil). Throws `http.file_unreadable`
  /// when it is not a readable regular file or the part lies outside of it.
  public init(path: String, offset: Int = 0, length: Int? = nil) throws(HTTPServerError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let reason = descriptor < 0 ? String(cString: strerror(errno)) : "it is not a regular file"
      if descriptor >= 0 { close(descriptor) }
      throw .fileUnreadable(path: path, reason: reason)
    }
    let size = Int(status.st_size)
    let length = length ?? max(0, size - offset)
    guard offset >= 0, length >= 0, offset <= size, length <= size - offset else {
      close(descriptor)
      throw .fileUnreadable(path: path, reason: "the part asked for lies outside of it")
    }
    self.descriptor = descriptor
    self.offset = offset
    self.length = length
  }

  deinit { close(descriptor) }
}
