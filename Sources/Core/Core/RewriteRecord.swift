/// How a question was made to stand alone, for events.
public struct RewriteRecord: Sendable, Hashable, Codable {
  /// The template's name.
  public var template: String
  /// The template's version.
  public var version: String
  /// SHA-256 of the template's file.
  public var hash: String
  /// The model asked.
  public var model: String
  /// Tokens, as its provider counts them; nil when it did not say.
  public var usage: TokenUsage?
  /// The code of what went wrong, when the question was taken as it stood; nil when it was rewritten.
  public var failure: String?

  /// Creates a record.
  public init(
    template: String, version: String, hash: String, model: String, usage: TokenUsage? = nil, failure: String? = nil
  ) {
    self.template = template
    self.version = version
    self.hash = hash
    self.model = model
    self.usage = usage
    self.failure = failure
  }
}
