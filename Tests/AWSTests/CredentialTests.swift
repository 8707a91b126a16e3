import AWSSigning
import Concurrency
import Core
import Foundation
import HTTPClient
import HTTPServer
import Testing

@testable import AWS

@Suite struct CredentialTests {
  private let http = HTTPClient()

  private func chain(_ variables: [String: String], profile: String? = nil) -> CredentialChain {
    CredentialChain(
      environment: AWSEnvironment(
        variables: ["AWS_EC2_METADATA_DISABLED": "true"].merging(variables) { $1 }, profile: profile),
      region: "eu-central-1", http: http)
  }

  private func found(_ variables: [String: String]) async throws -> FoundCredentials {
    try await chain(variables).credentials()
  }

  private func failure(_ variables: [String: String]) async -> AWSError? {
    await #expect(throws: AWSError.self) { _ = try await found(variables) }
  }

  private static let keys =
    #"{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":"s","Token":"t","Expiration":"2999-01-01T00:00:00Z"}"#

  // MARK: - Environment and files

  @Test func takesTheEnvironmentFirst() async throws {
    let files = try SharedFiles(credentials: "[default]\naws_access_key_id = FILE\naws_secret_access_key = x\n")
    let found = try await found([
      "HOME": files.home, "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
    ])
    #expect(found.credentials == AWSCredentials(accessKeyID: "ENV", secretAccessKey: "s", sessionToken: "t"))
    #expect(found.link == "environment variables")
  }

  @Test func takesANamedProfile_beforeTheEnvironment() async throws {
    let files = try SharedFiles(
      config: "[profile dev]\nregion = eu-west-3\n",
      credentials: "[dev]\naws_access_key_id = DEV # a comment\naws_secret_access_key = a#b\n")
    let variables = [
      "HOME": files.home, "AWS_PROFILE": "dev", "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s",
    ]
    let found = try await found(variables)
    #expect(found.credentials.accessKeyID == "DEV")
    #expect(found.credentials.secretAccessKey == "a#b")
    #expect(found.link == "profile 'dev'")
    #expect(AWSEnvironment(variables: variables).region == "eu-west-3")
  }

  @Test func namesEveryLink_whenThereAreNone() async throws {
    let files = try SharedFiles()
    let error = await failure(["HOME": files.home])
    #expect(error?.code == "aws.credentials_missing")
    for link in ["environment variables", "profile 'default'", "container", "instance"] {
      #expect(error?.message.contains(link) == true)
    }
  }

  @Test(arguments: [
    (
      "[profile a]\nsource_profile = b\nrole_arn = r\n[profile b]\nsource_profile = a\nrole_arn = r\n", "back to itself"
    ),
    ("[profile a]\nrole_arn = r\nsource_profile = gone\n", "'gone' does not exist"),
    ("[profile a]\nrole_arn = r\n", "nobody takes the role"),
    ("[profile a]\nrole_arn = r\nsource_profile = b\nmfa_serial = m\n", "MFA"),
    ("[profile a]\nrole_arn = r\ncredential_source = Moon\n", "'Moon' is unknown"),
    ("[profile a]\naws_access_key_id = A\n", "no secret"), ("[profile a]\nregion = x\n", "names no credentials"),
    ("[profile a]\ncredential_process = /nowhere/at-all\n", "not there"),
    ("[profile a]\ncredential_process = /bin/false\n", "ended with"),
    ("[profile a]\ncredential_process = /bin/echo nonsense\n", "not JSON"),
    ("[profile a]\nsso_start_url = https://p\nsso_region = r\nsso_account_id = 1\nsso_role_name = n\n", "no login"),
    ("", "no such profile"),
  ])
  func saysWhatIsWrongWithAProfile(config: String, words: String) async throws {
    let files = try SharedFiles(config: config)
    let error = await failure(["HOME": files.home, "AWS_PROFILE": "a"])
    #expect(error?.code == "aws.credentials_failed")
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    #expect(error?.remedy?.isEmpty == false)
  }

  @Test func runsACredentialProcess_withoutAShell() async throws {
    let files = try SharedFiles(
      config: #"[profile a]"# + "\n"
        + #"credential_process = /usr/bin/printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"$HOME"}' "P 'q' 1""#
    )
    let found = try await found(["HOME": files.home, "AWS_PROFILE": "a"])
    #expect(found.credentials.accessKeyID == "P 'q' 1")
    #expect(found.credentials.secretAccessKey == "$HOME")
  }

  // MARK: - Roles

  private func securityTokens(_ check: @escaping @Sendable ([String: String], HTTPRequest) -> Bool) throws
    -> StrictEndpoint
  {
    try StrictEndpoint { request in
      let form = Dictionary(
        uniqueKeysWithValues: String(decoding: request.body, as: UTF8.self).split(separator: "&").map { pair in
          let parts = pair.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
          return (parts[0], parts.count > 1 ? parts[1] : "")
        })
      guard check(form, request) else {
        return HTTPResponse(
          status: 403,
          text: "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>")
      }
      let key = (form["RoleArn"] ?? "").split(separator: "/").last ?? ""
      return HTTPResponse(
        status: 200,
        text: """
          <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
          <AccessKeyId>\(key)</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
          <Expiration>2999-01-01T00:00:00.000Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>
          """)
    }
  }

  @Test func assumesRolesInAChain() async throws {
    let sts = try securityTokens { form, request in
      let authorization = request.head.headers["Authorization"] ?? ""
      let expected = form["RoleArn"] == "arn:aws:iam::1:role/first" ? "Credential=BASE/" : "Credential=first/"
      return form["Action"] == "AssumeRole" && authorization.contains(expected)
        && (form["RoleArn"] != "arn:aws:iam::1:role/second"
          || form["ExternalId"] == "x y" && form["DurationSeconds"] == "900" && form["RoleSessionName"] == "me")
    }
    let files = try SharedFiles(
      config: """
        [profile second]
        role_arn = arn:aws:iam::1:role/second
        source_profile = first
        external_id = x y
        duration_seconds = 900
        role_session_name = me
        [profile first]
        role_arn = arn:aws:iam::1:role/first
        source_profile = base
        """, credentials: "[base]\naws_access_key_id = BASE\naws_secret_access_key = b\n")
    let found = try await found([
      "HOME": files.home, "AWS_PROFILE": "second", "AWS_ENDPOINT_URL_STS": sts.url,
    ])
    #expect(found.credentials.accessKeyID == "second")
    #expect(found.credentials.expiration != nil)
    #expect(sts.requests.count == 2)
    await sts.stop()
  }

  @Test func saysThatARoleIsRefused() async throws {
    let sts = try securityTokens { _, _ in false }
    let files = try SharedFiles(
      config: "[profile a]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = a\n",
      credentials: "[a]\naws_access_key_id = BASE\naws_secret_access_key = hidden\n")
    let error = await failure(["HOME": files.home, "AWS_PROFILE": "a", "AWS_ENDPOINT_URL_STS": sts.url])
    #expect(error?.message.contains("arn:aws:iam::1:role/r: AccessDenied") == true)
    #expect(error?.description.contains("hidden") == false)
    await sts.stop()
  }

  @Test func takesAWebIdentity_unsigned() async throws {
    let sts = try securityTokens { form, request in
      form["Action"] == "AssumeRoleWithWebIdentity" && form["WebIdentityToken"] == "tok.en"
        && request.head.headers["Authorization"] == nil
    }
    let files = try SharedFiles(files: ["/token": "tok.en\n"])
    let found = try await found([
      "HOME": files.home, "AWS_WEB_IDENTITY_TOKEN_FILE": files.home + "/token",
      "AWS_ROLE_ARN": "arn:aws:iam::1:role/pod", "AWS_ENDPOINT_URL_STS": sts.url,
    ])
    #expect(found.credentials.accessKeyID == "pod")
    #expect(found.link == "the web identity token")
    await sts.stop()
  }

  @Test func takesALoginOfThePortal() async throws {
    let portal = try StrictEndpoint { request in
      guard request.head.headers["x-amz-sso_bearer_token"] == "live",
        request.head.target == "/federation/credentials?role_name=Read%20Only&account_id=12"
      else { return HTTPResponse(status: 401) }
      return HTTPResponse(
        status: 200,
        text:
          #"{"roleCredentials":{"accessKeyId":"SSO","secretAccessKey":"s","sessionToken":"t","expiration":32472144000000}}"#
      )
    }
    let files = try SharedFiles(
      config: """
        [profile a]
        sso_session = corp
        sso_account_id = 12
        sso_role_name = Read Only
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = eu-west-1
        """,
      files: [
        "/.aws/sso/cache/a.json":
          #"{"startUrl":"https://corp.awsapps.com/start","accessToken":"old","expiresAt":"2020-01-01T00:00:00UTC"}"#,
        "/.aws/sso/cache/b.json":
          #"{"startUrl":"https://corp.awsapps.com/start","accessToken":"live","expiresAt":"2999-01-01T00:00:00Z"}"#,
      ])
    let found = try await found(["HOME": files.home, "AWS_PROFILE": "a", "AWS_ENDPOINT_URL_SSO": portal.url])
    #expect(found.credentials.accessKeyID == "SSO")
    await portal.stop()
  }

  // MARK: - Containers and instances

  @Test func asksTheContainersAgent_withItsToken() async throws {
    let agent = try StrictEndpoint { request in
      request.head.headers["Authorization"] == "Bearer x" && request.head.target == "/v1/credentials"
        ? HTTPResponse(status: 200, text: Self.keys) : HTTPResponse(status: 403)
    }
    let files = try SharedFiles(files: ["/token": "Bearer x\n"])
    let found = try await found([
      "HOME": files.home, "AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.url + "/v1/credentials",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": files.home + "/token",
    ])
    #expect(found.credentials.accessKeyID == "ASIA")
    #expect(found.credentials.sessionToken == "t")
    #expect(found.link == "the container's role")
    await agent.stop()
  }

  @Test(arguments: [
    ("http://127.0.0.1:80/x", true), ("http://127.9.9.9/x", true), ("http://localhost/x", true),
    ("http://[::1]/x", true),
    ("http://169.254.170.2/x", true), ("http://[fd00:ec2::23]/v1", true), ("https://example.org/", true),
    ("http://example.org/", false), ("http://10.0.0.1/", false), ("http://127.0.0.1.example.org/", false),
    ("http://127.0.0.1@example.org/", false), ("ftp://127.0.0.1/", false), ("http://127.0.0/x", false),
  ])
  func sendsTheContainersTokenNowhereElse(url: String, isAllowed: Bool) {
    #expect(ContainerCredentials.isAllowed(url) == isAllowed)
  }

  private func instance(_ role: String = "web") throws -> StrictEndpoint {
    try StrictEndpoint { request in
      let token = request.head.headers["X-aws-ec2-metadata-token"]
      switch (request.head.method, request.head.target) {
      case ("PUT", "/latest/api/token"):
        guard request.head.headers["X-aws-ec2-metadata-token-ttl-seconds"] == "21600" else {
          return HTTPResponse(status: 400)
        }
        return HTTPResponse(status: 200, text: "tok")
      case ("GET", _) where token != "tok": return HTTPResponse(status: 401)
      case ("GET", "/latest/meta-data/iam/security-credentials/"): return HTTPResponse(status: 200, text: role)
      case ("GET", "/latest/meta-data/iam/security-credentials/web"): return HTTPResponse(status: 200, text: Self.keys)
      default: return HTTPResponse(status: 404)
      }
    }
  }

  @Test func asksTheInstance_byVersionTwoOnly() async throws {
    let metadata = try instance()
    let files = try SharedFiles()
    let found = try await found([
      "HOME": files.home, "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url + "/",
    ])
    #expect(found.credentials.accessKeyID == "ASIA")
    #expect(found.link == "the instance's role")
    #expect(metadata.requests.first == "PUT /latest/api/token")
    await metadata.stop()
  }

  @Test func saysThatNoRoleIsAttached() async throws {
    let metadata = try instance("")
    let files = try SharedFiles()
    let error = await failure([
      "HOME": files.home, "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url,
    ])
    #expect(error?.message.contains("no role is attached") == true)
    await metadata.stop()
  }

  // MARK: - Renewal

  private struct Counting: CredentialProvider {
    let calls: Locked<Int>
    let lifetime: Double
    let now: @Sendable () -> Date
    let fails: @Sendable (Int) -> Bool
    let link = "test"

    func credentials() async throws -> AWSCredentials? {
      let call = calls.withLock { calls in
        calls += 1
        return calls
      }
      try await Task.sleep(for: .milliseconds(20))
      if fails(call) { throw AWSError.credentials(link, "down", remedy: "wait") }
      return AWSCredentials(
        accessKeyID: "\(call)", secretAccessKey: "s", expiration: now().addingTimeInterval(lifetime))
    }
  }

  @Test func asksOnce_whenManyNeedCredentials() async throws {
    let calls = Locked(0)
    let chain = CredentialChain(providers: [
      Counting(calls: calls, lifetime: 3_600, now: { Date() }, fails: { _ in false })
    ])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          let found = try await chain.credentials()
          #expect(found.credentials.accessKeyID == "1")
        }
      }
      try await group.waitForAll()
    }
    #expect(calls.withLock { $0 } == 1)
  }

  @Test func renewsBeforeTheEnd_andKeepsWhatStillWorks() async throws {
    let calls = Locked(0)
    let time = Locked(Date(timeIntervalSince1970: 1_000_000))
    let now: @Sendable () -> Date = { time.withLock { $0 } }
    let chain = CredentialChain(
      providers: [Counting(calls: calls, lifetime: 1_000, now: now, fails: { $0 == 2 || $0 == 4 })], now: now)
    func advance(_ seconds: Double) { time.withLock { $0.addTimeInterval(seconds) } }
    #expect(try await chain.credentials().credentials.accessKeyID == "1")
    advance(600)
    #expect(try await chain.credentials().credentials.accessKeyID == "1")
    advance(200)  // 200 s left: renewed, which fails, and the old ones still work.
    #expect(try await chain.credentials().credentials.accessKeyID == "1")
    #expect(try await chain.credentials().credentials.accessKeyID == "3")
    advance(2_000)
    await #expect(throws: AWSError.self) { _ = try await chain.credentials() }
    #expect(try await chain.credentials().credentials.accessKeyID == "5")
  }

  @Test func asksAgain_whenAServiceRefusedThem() async throws {
    let calls = Locked(0)
    let chain = CredentialChain(providers: [
      Counting(calls: calls, lifetime: 3_600, now: { Date() }, fails: { _ in false })
    ])
    let first = try await chain.credentials().credentials
    await chain.forget(AWSCredentials(accessKeyID: "other", secretAccessKey: "s"))
    #expect(try await chain.credentials().credentials == first)
    await chain.forget(first)
    #expect(try await chain.credentials().credentials.accessKeyID == "2")
  }
}
