public import AWSSigning

/// A link of the chain of places where credentials may be.
protocol CredentialProvider: Sendable {
  /// The link, for messages: `environment variables`, `profile 'dev' (assumed role)`.
  var link: String { get }
  /// Credentials from here; nil when this link is not configured at all.
  /// - Throws: ``AWSError`` when it is configured and fails: a later link would be another identity than was meant.
  func credentials() async throws -> AWSCredentials?
}

/// Credentials with the link they came from.
public struct FoundCredentials: Sendable, Hashable {
  /// The credentials.
  public var credentials: AWSCredentials
  /// Where they came from.
  public var link: String
}
