import AWSSigning
import FoundationEssentials
import HTTPClient

/// The credentials of an ECS task or an EKS pod.
///
/// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
struct ContainerCredentials: CredentialProvider {
  let variables: [String: String]
  let http: HTTPClient
  let link = "the container's role"

  func credentials() async throws -> AWSCredentials? {
    let url: String
    if let path = variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
      url = "http://169.254.170.2" + path
    } else if let full = variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
      guard Self.isAllowed(full) else {
        throw AWSError.credentials(
          link, "AWS_CONTAINER_CREDENTIALS_FULL_URI leads out of this machine without TLS", remedy: "Use https.")
      }
      url = full
    } else {
      return nil
    }
    var headers: [HTTPClientRequest.Header] = []
    if let token = try token() { headers.append(.init("Authorization", token)) }
    guard let body = try await MetadataRequest(http: http, link: link).body("GET", url, headers: headers) else {
      throw AWSError.credentials(link, "nobody answers at its endpoint", remedy: "Check the task's or pod's agent.")
    }
    return try CredentialDocument.credentials(in: body, link: link)
  }

  /// Read each time: the file is renewed.
  private func token() throws -> String? {
    guard let path = variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] else {
      return variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    }
    guard let data = FileManager.default.contents(atPath: path), data.count < 64 << 10 else {
      throw AWSError.credentials(
        link, "the token file '\(path)' cannot be read", remedy: "Check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE.")
    }
    return String(decoding: data, as: UTF8.self).filter { !$0.isNewline }
  }

  /// Without TLS only this machine and the two agents may see the token.
  static func isAllowed(_ url: String) -> Bool {
    if url.hasPrefix("https://") { return true }
    guard url.hasPrefix("http://") else { return false }
    let authority = url.dropFirst("http://".count).prefix { $0 != "/" && $0 != "?" }
    guard !authority.contains("@") else { return false }
    let host =
      authority.first == "["
      ? String(authority.dropFirst().prefix { $0 != "]" }) : String(authority.prefix { $0 != ":" })
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    let isLoopback = parts.count == 4 && parts.allSatisfy { $0 != nil } && parts[0] == 127
    return isLoopback || ["localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"].contains(host)
  }
}
