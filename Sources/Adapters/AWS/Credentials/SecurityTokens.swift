import AWSSigning
import FoundationEssentials
import HTTPClient

/// The two calls of STS that give temporary credentials.
///
/// Source: https://docs.aws.amazon.com/STS/latest/APIReference/
struct SecurityTokens: Sendable {
  let endpoints: AWSEndpoints
  let region: String
  let http: HTTPClient
  let now: @Sendable () -> Date

  /// `AssumeRole`, signed with the credentials of the identity that takes the role.
  func assumeRole(
    _ role: String, session: String, externalID: String?, seconds: Int?, with source: AWSCredentials, link: String
  ) async throws -> AWSCredentials {
    var form = [
      ("Action", "AssumeRole"), ("RoleArn", role), ("RoleSessionName", session), ("Version", "2011-06-15"),
    ]
    if let externalID { form.append(("ExternalId", externalID)) }
    if let seconds { form.append(("DurationSeconds", String(seconds))) }
    return try await call(form, signedWith: source, role: role, link: link)
  }

  /// `AssumeRoleWithWebIdentity`: the token is the proof, and nothing is signed.
  func assumeRole(_ role: String, session: String, webIdentityToken: String, link: String) async throws
    -> AWSCredentials
  {
    try await call(
      [
        ("Action", "AssumeRoleWithWebIdentity"), ("RoleArn", role), ("RoleSessionName", session),
        ("Version", "2011-06-15"), ("WebIdentityToken", webIdentityToken),
      ], signedWith: nil, role: role, link: link)
  }

  private func call(
    _ form: [(String, String)], signedWith source: AWSCredentials?, role: String, link: String
  ) async throws -> AWSCredentials {
    let url = endpoints.url(of: .sts, region: region)
    let body = Array(
      form.map { "\(URIEncoding.component($0.0))=\(URIEncoding.component($0.1))" }.joined(separator: "&").utf8)
    let type = SignableRequest.Field("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
    var headers = [type]
    if let source {
      let host = String(url.drop { $0 != "/" }.dropFirst(2))
      headers =
        SignatureV4(service: "sts", region: region).sign(
          SignableRequest(method: "POST", host: host, path: "/", headers: [type], payload: .bytes(body)),
          credentials: source, date: now()
        ).headers
    }
    let request = HTTPClientRequest(
      method: "POST", url: url + "/", headers: headers.map { .init($0.name, $0.value) }, body: body,
      timeout: .seconds(10), isIdempotent: true)
    let (status, answer) = try await RetryPolicy().run(
      budget: RetryBudget(),
      judge: { error in
        switch error {
        case let error as HTTPClientError: .init(isTransient: error.isTransient)
        case is Overloaded: .init(isTransient: true)
        default: nil
        }
      },
      attempt: { number in
        let response = try await http.execute(request)
        let answer = try await response.body.collect(upTo: 256 << 10)
        if response.status >= 500 || response.status == 429, number < 3 { throw Overloaded() }
        return (response.status, answer)
      })
    let document = XMLElement.parse(answer)
    guard status == 200, let keys = document?.first("Credentials"), let id = keys["AccessKeyId"]?.text,
      let secret = keys["SecretAccessKey"]?.text, let token = keys["SessionToken"]?.text
    else {
      let code = document?.first("Code")?.text ?? "status \(status)"
      throw AWSError.credentials(
        link, "STS refuses the role \(role): \(code)",
        remedy: "Check that the role trusts this identity and that it may call sts:\(form[0].1).")
    }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: token,
      expiration: (keys["Expiration"]?.text).flatMap(ISO8601.parse))
  }

  private struct Overloaded: Error {}
}
