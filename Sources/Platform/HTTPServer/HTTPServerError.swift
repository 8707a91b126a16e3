/// Why the server could not start, or a body could not be sent.
public struct HTTPServerError: Error, Sendable, CustomStringConvertible {
  /// A stable dotted code such as `http.port_in_use`.
  public let code: String
  /// What happened, in a sentence.
  public let message: String
  /// What to do about it; empty when there is nothing to do.
  public let remedy: String
  /// The cause reported below, if any.
  public let underlying: String?

  /// Creates an error.
  public init(code: String, message: String, remedy: String = "", underlying: String? = nil) {
    self.code = code
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }

  /// The message followed by the remedy.
  public var description: String { remedy.isEmpty ? message : "\(message) \(remedy)" }

  /// The client has left, so there is nobody to write to.
  public static let clientLeft = HTTPServerError(
    code: "http.client_left", message: "The client left before the response was complete.")

  /// The request's body is longer than its limit.
  public static let bodyTooLarge = HTTPServerError(
    code: "http.body_too_large", message: "The request body is longer than its limit.")

  static let stopped = HTTPServerError(
    code: "http.already_started", message: "The server was started before.", remedy: "Create a new server.")

  static func fileUnreadable(path: String, reason: String) -> HTTPServerError {
    HTTPServerError(code: "http.file_unreadable", message: "Cannot send \(path): \(reason).")
  }
}
