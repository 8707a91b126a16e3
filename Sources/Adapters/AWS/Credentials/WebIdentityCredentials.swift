import AWSSigning
import FoundationEssentials

/// The role of a Kubernetes service account: `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`.
struct WebIdentityCredentials: CredentialProvider {
  let variables: [String: String]
  let sts: SecurityTokens
  let link = "the web identity token"

  func credentials() async throws -> AWSCredentials? {
    guard let path = variables["AWS_WEB_IDENTITY_TOKEN_FILE"], let role = variables["AWS_ROLE_ARN"] else { return nil }
    return try await Self.assume(
      role, session: variables["AWS_ROLE_SESSION_NAME"], tokenFile: path, sts: sts, link: link)
  }

  static func assume(
    _ role: String, session: String?, tokenFile path: String, sts: SecurityTokens, link: String
  ) async throws -> AWSCredentials {
    guard let data = FileManager.default.contents(atPath: path), (1..<64 << 10).contains(data.count) else {
      throw AWSError.credentials(
        link, "the token file '\(path)' cannot be read", remedy: "Check AWS_WEB_IDENTITY_TOKEN_FILE.")
    }
    let token = String(decoding: data, as: UTF8.self).filter { !$0.isWhitespace }
    return try await sts.assumeRole(role, session: session ?? "quarry", webIdentityToken: token, link: link)
  }
}
