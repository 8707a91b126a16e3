/// The parts of a request that a signature covers.
public struct SignableRequest: Sendable, Hashable {
  /// A name and a value, neither encoded.
  public struct Field: Sendable, Hashable {
    /// The name; of headers, in any case.
    public var name: String
    /// The value.
    public var value: String

    /// Creates a field.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The method in capitals.
  public var method: String
  /// The authority as it is sent in `Host`: a port only when it is not the scheme's own.
  public var host: String
  /// The path as it is sent, percent-encoded once; see ``URIEncoding/path(segments:)``.
  public var path: String
  /// The query, not encoded; a parameter without a value has an empty one.
  public var query: [Field]
  /// Headers to be signed and sent. `Host` is added from `host` when it is not among them.
  public var headers: [Field]
  /// The body's part in the signature.
  public var payload: SignedPayload

  /// Creates a request to be signed.
  public init(
    method: String, host: String, path: String, query: [Field] = [], headers: [Field] = [],
    payload: SignedPayload = .bytes([])
  ) {
    self.method = method
    self.host = host
    self.path = path.isEmpty ? "/" : path
    self.query = query
    self.headers = headers
    self.payload = payload
  }
}

/// How a request's body takes part in its signature.
public enum SignedPayload: Sendable, Hashable {
  /// The body itself, hashed.
  case bytes([UInt8])
  /// The lower-case hexadecimal SHA-256 of a body that is sent from elsewhere.
  case digest(String)
  /// The body is not covered: for streams over TLS, where the service allows it (S3).
  case unsigned
}
