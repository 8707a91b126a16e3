import AWSSigning

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
struct EnvironmentCredentials: CredentialProvider {
  let variables: [String: String]
  /// A profile that was named goes before these.
  let skipped: Bool
  let link = "environment variables"

  func credentials() async throws -> AWSCredentials? {
    guard !skipped, let id = variables["AWS_ACCESS_KEY_ID"] else { return nil }
    guard let secret = variables["AWS_SECRET_ACCESS_KEY"] else {
      throw AWSError.credentials(
        link, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not", remedy: "Set both, or none.")
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret,
      sessionToken: variables["AWS_SESSION_TOKEN"] ?? variables["AWS_SECURITY_TOKEN"])
  }
}
