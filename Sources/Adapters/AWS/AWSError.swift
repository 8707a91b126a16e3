public import Core

/// An error of AWS or on the way to it, naming the action, the resource and the remedy; never a secret.
public struct AWSError: CategorizedError {
  /// A stable dotted code, such as `aws.access_denied`.
  public let code: String
  /// What happened.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The kind of failure.
  public let category: ErrorCategory
  /// The error beneath.
  public let underlying: (any Error)?
  /// The service's own name of the error, such as `ThrottlingException`; nil when it gave none.
  public let serviceCode: String?

  init(
    _ code: String, _ category: ErrorCategory, _ message: String, remedy: String? = nil, serviceCode: String? = nil,
    underlying: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.remedy = remedy
    self.category = category
    self.serviceCode = serviceCode
    self.underlying = underlying
  }

  static func credentials(_ link: String, _ problem: String, remedy: String, underlying: (any Error)? = nil) -> AWSError
  {
    AWSError(
      "aws.credentials_failed", .unauthenticated, "credentials from \(link) cannot be had: \(problem)", remedy: remedy,
      underlying: underlying)
  }

  static func credentialsMissing(_ links: [String]) -> AWSError {
    AWSError(
      "aws.credentials_missing", .unauthenticated,
      "there are no AWS credentials: looked at \(links.joined(separator: ", "))",
      remedy: "Set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give the machine a role.")
  }

  static func endedWithoutReason(_ call: AWSCall) -> AWSError {
    AWSError(
      "aws.stream_cut", .unavailable, "the answer of \(call.resource) ended without saying why", remedy: "Ask again.")
  }

  static func parameterUnsupported(_ key: String, by resource: String) -> AWSError {
    AWSError(
      "aws.parameter_unsupported", .invalidConfiguration, "\(resource) takes no \(key)",
      remedy: "Leave generation.\(key) out.")
  }
}
