import AWSSigning
import HTTPClient

/// The role of the EC2 instance, by version 2 of its metadata service only.
///
/// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
struct InstanceCredentials: CredentialProvider {
  let environment: AWSEnvironment
  let http: HTTPClient
  let link = "the instance's role"

  func credentials() async throws -> AWSCredentials? {
    guard environment.variables["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else { return nil }
    let isIPv6 = environment.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.lowercased() == "ipv6"
    let endpoint =
      environment.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
      ?? (isIPv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254")
    let base = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
    let ask = MetadataRequest(http: http, link: link)
    // One short try: on machines elsewhere nobody answers.
    let ttl = HTTPClientRequest.Header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
    guard let token = try await ask.body("PUT", base + "/latest/api/token", headers: [ttl], attempts: 1) else {
      return nil
    }
    let headers = [HTTPClientRequest.Header("X-aws-ec2-metadata-token", String(decoding: token, as: UTF8.self))]
    let path = base + "/latest/meta-data/iam/security-credentials/"
    guard let list = try await ask.body("GET", path, headers: headers) else { return nil }
    let role = String(decoding: list, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    guard !role.isEmpty, let body = try await ask.body("GET", path + URIEncoding.component(role), headers: headers)
    else {
      throw AWSError.credentials(link, "no role is attached", remedy: "Attach an instance profile.")
    }
    return try CredentialDocument.credentials(in: body, link: link)
  }
}
