/// A request without its body: what is known before the body is read.
public struct HTTPRequestHead: Sendable {
  /// The method as sent, such as `GET`.
  public let method: String
  /// The request target exactly as sent, such as `/v1/documents/a%2Fb?limit=10`.
  public let target: String
  /// The target's path still percent-encoded, without its query; `/` when the target has none.
  public let path: String
  /// The path's segments, percent-decoded one by one after splitting at `/`, so that `%2F` and `%00` stay inside
  /// their segment. `/` has none, and a slash at the end gives an empty last one.
  public let segments: [String]
  /// The query's items in order, decoded as forms are (`+` is a space).
  public let queryItems: [HTTPQueryItem]
  /// The header fields.
  public let headers: HTTPHeaders
  /// The client's numeric IP address.
  public let remoteAddress: String
  /// Whether the connection is encrypted.
  public let isTLS: Bool
  /// The body's declared length in bytes: 0 without a body, nil when it is sent in chunks.
  public let contentLength: Int?

  /// Creates a head from a raw target. Throws `HTTPTargetError` when the target's escapes or text are malformed.
  public init(
    method: String, target: String, headers: HTTPHeaders = [:], remoteAddress: String = "127.0.0.1",
    isTLS: Bool = false, contentLength: Int? = 0
  ) throws(HTTPTargetError) {
    let parsed = try HTTPTarget(target)
    self.method = method
    self.target = target
    self.path = parsed.path
    self.segments = parsed.segments
    self.queryItems = parsed.queryItems
    self.headers = headers
    self.remoteAddress = remoteAddress
    self.isTLS = isTLS
    self.contentLength = contentLength
  }

  /// The first value of the query item `name`, or nil.
  public func query(_ name: String) -> String? {
    queryItems.first { $0.name == name }?.value
  }
}

/// One `name=value` of a query; the value is empty when there is no `=`.
public struct HTTPQueryItem: Sendable, Equatable {
  /// The decoded name.
  public let name: String
  /// The decoded value.
  public let value: String

  /// Creates an item.
  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// A request.
public struct HTTPRequest: Sendable {
  /// Everything but the body.
  public let head: HTTPRequestHead
  /// The body, never longer than the configuration's `maxBodyBytes`; empty when it is streamed.
  public let body: [UInt8]
  /// The body piece by piece, streamed or not.
  public let pieces: HTTPBodyReader

  /// Creates a request.
  public init(head: HTTPRequestHead, body: [UInt8] = []) {
    self.head = head
    self.body = body
    pieces = HTTPBodyReader(source: .bytes(.init(body)))
  }

  /// A request whose body is still to come.
  init(head: HTTPRequestHead, exchange: Exchange) {
    self.head = head
    body = []
    pieces = HTTPBodyReader(source: .exchange(exchange))
  }

  /// The method as sent.
  public var method: String { head.method }
  /// The decoded path segments.
  public var segments: [String] { head.segments }
  /// The header fields.
  public var headers: HTTPHeaders { head.headers }
}
