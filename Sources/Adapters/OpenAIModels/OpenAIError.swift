public import Core

/// An error of an OpenAI-compatible server or on the way to it.
public struct OpenAIError: CategorizedError {
  /// A stable dotted code, such as `openai.unauthenticated`.
  public let code: String
  /// What happened, naming the server; never the key.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The kind of failure.
  public let category: ErrorCategory
  /// The error beneath.
  public let underlying: (any Error)?

  init(
    _ code: String, _ category: ErrorCategory, _ message: String, remedy: String? = nil, underlying: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.remedy = remedy
    self.category = category
    self.underlying = underlying
  }
}
