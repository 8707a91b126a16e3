public import Core

/// An error of measuring: question files that cannot be read, sets that cannot be judged, models that cannot be
/// fitted.
public struct InsightError: CategorizedError {
  /// A stable dotted code, such as `questions.malformed`.
  public let code: String
  /// What happened.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The kind of failure.
  public let category: ErrorCategory
  /// The error beneath.
  public let underlying: (any Error)?

  /// Creates an error; see ``CategorizedError`` for the meaning of each part.
  public init(
    code: String, category: ErrorCategory, message: String, remedy: String? = nil, underlying: (any Error)? = nil
  ) {
    self.code = code
    self.category = category
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }
}
