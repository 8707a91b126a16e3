import AWSSigning
import FoundationEssentials
import HTTPClient

/// Credentials by a login that the AWS CLI made (`aws sso login`). The CLI's cache is read and never written.
///
/// Source: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
struct PortalLogin: Sendable {
  let environment: AWSEnvironment
  let http: HTTPClient
  let now: @Sendable () -> Date

  private struct CachedToken: Decodable {
    var startUrl: String?
    var accessToken: String?
    var expiresAt: String?
  }

  private struct Answer: Decodable {
    struct Keys: Decodable {
      var accessKeyId: String
      var secretAccessKey: String
      var sessionToken: String
      /// Milliseconds since 1970.
      var expiration: Double
    }
    var roleCredentials: Keys
  }

  func credentials(_ profile: [String: String], link: String) async throws -> AWSCredentials {
    let session = profile["sso_session"].flatMap { environment.section("sso-session \($0)") } ?? [:]
    guard let start = session["sso_start_url"] ?? profile["sso_start_url"],
      let region = session["sso_region"] ?? profile["sso_region"], let account = profile["sso_account_id"],
      let role = profile["sso_role_name"]
    else {
      throw AWSError.credentials(
        link, "its login lacks sso_start_url, sso_region, sso_account_id or sso_role_name",
        remedy: "Run `aws configure sso`.")
    }
    let login = "Run `aws sso login --profile \(environment.profileName)`."
    guard let token = cachedToken(start: start) else {
      throw AWSError.credentials(link, "there is no login at \(start), or it has ended", remedy: login)
    }
    let portal = AWSEndpoints(environment: environment).url(of: .accessPortal, region: region)
    let url =
      "\(portal)/federation/credentials?role_name=\(URIEncoding.component(role))"
      + "&account_id=\(URIEncoding.component(account))"
    let response = try await http.execute(
      HTTPClientRequest(url: url, headers: [.init("x-amz-sso_bearer_token", token)], timeout: .seconds(10)))
    let body = try await response.body.collect(upTo: 64 << 10)
    guard response.status == 200, let keys = try? JSONDecoder().decode(Answer.self, from: Data(body)).roleCredentials
    else {
      throw AWSError.credentials(link, "the access portal answers with status \(response.status)", remedy: login)
    }
    return AWSCredentials(
      accessKeyID: keys.accessKeyId, secretAccessKey: keys.secretAccessKey, sessionToken: keys.sessionToken,
      expiration: Date(timeIntervalSince1970: keys.expiration / 1_000))
  }

  /// The files are named by a digest, but each says which portal it is for.
  private func cachedToken(start: String) -> String? {
    let folder = (environment.variables["HOME"] ?? "") + "/.aws/sso/cache"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names.sorted() where name.hasSuffix(".json") {
      guard let data = FileManager.default.contents(atPath: folder + "/" + name), data.count < 1 << 20,
        let token = try? JSONDecoder().decode(CachedToken.self, from: data), token.startUrl == start,
        let text = token.accessToken, let end = token.expiresAt.flatMap(ISO8601.parse), end > now()
      else { continue }
      return text
    }
    return nil
  }
}
