import AWSSigning
import Concurrency
import Core
import Foundation
import HTTPClient
import HTTPServer
import Testing

@testable import AWS

@Suite struct ClientTests {
  private static let keys = [
    "AWS_ACCESS_KEY_ID": "AKIDHERE", "AWS_SECRET_ACCESS_KEY": "hidden-secret", "HOME": "/nowhere",
  ]

  private func client(
    _ url: String, now: @escaping @Sendable () -> Date = { Date() },
    setbacks: Locked<[AWSClient.Setback.Kind]> = Locked([])
  )
    throws -> AWSClient
  {
    try AWSClient(
      environment: AWSEnvironment(variables: Self.keys.merging(["AWS_ENDPOINT_URL": url]) { $1 }),
      region: "eu-central-1",
      http: HTTPClient(), policy: RetryPolicy(maximumAttempts: 4, baseDelay: .milliseconds(1)), now: now,
      onSetback: { setback in setbacks.withLock { $0.append(setback.kind) } })
  }

  private static let call = AWSCall.json(
    .firehose, "PutRecordBatch", on: "stream events", target: "Firehose_20150804", body: Array("{}".utf8))

  /// The error after `status` and `body` for every try.
  private func error(_ status: Int, _ body: String, headers: [(String, String)] = []) async throws -> AWSError? {
    let server = try StrictEndpoint { _ in
      HTTPResponse(
        status: status, headers: HTTPHeaders(headers.map { .init(name: $0.0, value: $0.1) }),
        body: .bytes(Array(body.utf8)))
    }
    let client = try client(server.url)
    let error = await #expect(throws: AWSError.self) { _ = try await client.bytes(Self.call) }
    await server.stop()
    #expect(error?.description.contains("hidden-secret") == false)
    return error
  }

  @Test func sendsASignedCall_andReturnsItsAnswer() async throws {
    let server = try StrictEndpoint { request in
      let authorization = request.head.headers["Authorization"] ?? ""
      let isRight =
        authorization.contains("Credential=AKIDHERE/") && authorization.contains("/eu-central-1/firehose/aws4_request")
        && authorization.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-target")
        && request.head.headers["X-Amz-Target"] == "Firehose_20150804.PutRecordBatch"
      return HTTPResponse(status: isRight ? 200 : 400, text: "answer")
    }
    let answer = try await client(server.url).bytes(Self.call)
    #expect(String(decoding: answer, as: UTF8.self) == "answer")
    await server.stop()
  }

  @Test(arguments: [
    (403, #"{"__type":"AccessDeniedException","Message":"User is not authorized"}"#, "aws.access_denied"),
    (403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>", "aws.access_denied"),
    (404, #"{"__type":"com.amazonaws.firehose.v1#ResourceNotFoundException","message":"gone"}"#, "aws.not_found"),
    (400, #"{"__type":"ValidationException","message":"bad"}"#, "aws.refused"),
    (400, #"{"__type":"ExpiredTokenException","message":"old"}"#, "aws.credentials_expired"),
    (400, #"{"__type":"UnrecognizedClientException","message":"who"}"#, "aws.credentials_unknown"),
    (403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", "aws.signature_refused"),
    (400, #"{"__type":"ThrottlingException","message":"slow"}"#, "aws.throttled"), (503, "<html>", "aws.unavailable"),
    (413, "", "aws.too_large"), (301, "<Error><Region>us-west-2</Region></Error>", "aws.wrong_region"),
  ])
  func saysWhichActionOnWhichResource(status: Int, body: String, code: String) async throws {
    let error = try await error(status, body)
    #expect(error?.code == code)
    #expect(error?.remedy?.isEmpty == false)
    if code == "aws.access_denied" {
      #expect(error?.message.contains("firehose:PutRecordBatch on stream events in eu-central-1") == true)
      #expect(error?.message.contains("environment variables") == true)
    }
    if code == "aws.wrong_region" { #expect(error?.message.contains("us-west-2") == true) }
  }

  @Test(arguments: [(429, true), (500, false), (503, false), (424, false), (408, false)])
  func sendsAgain_whatMaySucceed(status: Int, isThrottling: Bool) async throws {
    let tries = Locked(0)
    let setbacks = Locked<[AWSClient.Setback.Kind]>([])
    let server = try StrictEndpoint { _ in
      let number = tries.withLock { tries in
        tries += 1
        return tries
      }
      return number < 3 ? HTTPResponse(status: status) : HTTPResponse(status: 200, text: "done")
    }
    let client = try client(server.url, setbacks: setbacks)
    #expect(String(decoding: try await client.bytes(Self.call), as: UTF8.self) == "done")
    let once: [AWSClient.Setback.Kind] = isThrottling ? [.throttled, .retried] : [.retried]
    #expect(setbacks.withLock { $0 } == once + once)
    #expect(client.retryBudget(of: .firehose) < 500)
    await server.stop()
  }

  @Test func sendsNothingAgain_thatIsFinal() async throws {
    let server = try StrictEndpoint { _ in HTTPResponse(status: 400) }
    let client = try client(server.url)
    await #expect(throws: AWSError.self) { _ = try await client.bytes(Self.call) }
    #expect(server.requests.count == 1)
    await server.stop()
  }

  @Test func correctsItsClock_byTheServicesAnswer() async throws {
    // The server's answers carry the true time by themselves.
    let today = Date().ISO8601Format().prefix(10).replacing("-", with: "")
    let tomorrow = Date(timeIntervalSinceNow: 3_600).ISO8601Format().prefix(10).replacing("-", with: "")
    let server = try StrictEndpoint { request in
      let time = request.head.headers["X-Amz-Date"] ?? ""
      guard time.hasPrefix(today) || time.hasPrefix(tomorrow) else {
        return HTTPResponse(status: 403, text: "<Error><Code>RequestTimeTooSkewed</Code></Error>")
      }
      return HTTPResponse(status: 200, text: "in time")
    }
    let client = try client(server.url, now: { Date(timeIntervalSince1970: 900_000_000) })
    #expect(String(decoding: try await client.bytes(Self.call), as: UTF8.self) == "in time")
    _ = try await client.bytes(Self.call)
    #expect(server.requests.count == 3)
    await server.stop()
  }

  @Test func namesTheHost_whenNobodyAnswers() async throws {
    let client = try client("http://127.0.0.1:1")
    let error = await #expect(throws: AWSError.self) { _ = try await client.bytes(Self.call) }
    #expect(error?.code == "aws.unreachable")
    #expect(error?.category == .unavailable)
    #expect(error?.message.contains("127.0.0.1:1") == true)
  }

  @Test func wantsARegion() throws {
    let error = #expect(throws: AWSError.self) {
      _ = try AWSClient(environment: AWSEnvironment(variables: ["HOME": "/nowhere"]), http: HTTPClient())
    }
    #expect(error?.code == "aws.region_missing")
  }

  @Test(
    arguments: [
      ([:], AWSService.s3, "eu-central-1", "https://s3.eu-central-1.amazonaws.com"),
      ([:], .bedrock, "us-east-1", "https://bedrock-runtime.us-east-1.amazonaws.com"),
      ([:], .sqs, "cn-north-1", "https://sqs.cn-north-1.amazonaws.com.cn"),
      (["AWS_USE_FIPS_ENDPOINT": "true"], .sts, "us-gov-west-1", "https://sts-fips.us-gov-west-1.amazonaws.com"),
      (["AWS_USE_DUALSTACK_ENDPOINT": "true"], .sqs, "eu-west-1", "https://sqs.eu-west-1.api.aws"),
      (["AWS_USE_DUALSTACK_ENDPOINT": "true"], .s3, "eu-west-1", "https://s3.dualstack.eu-west-1.amazonaws.com"),
      (["AWS_ENDPOINT_URL": "http://h:1/"], .sqs, "r", "http://h:1"),
      (
        ["AWS_ENDPOINT_URL": "http://h:1", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://b:2"], .bedrock, "r",
        "http://b:2"
      ),
      (
        ["AWS_ENDPOINT_URL": "http://h:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"], .sqs, "r",
        "https://sqs.r.amazonaws.com"
      ),
    ] as [([String: String], AWSService, String, String)])
  func knowsWhereServicesAre(variables: [String: String], service: AWSService, region: String, url: String) {
    let environment = AWSEnvironment(variables: variables.merging(["HOME": "/nowhere"]) { $1 })
    #expect(AWSEndpoints(environment: environment).url(of: service, region: region) == url)
  }

  @Test func readsEndpointsOfTheSharedFile() throws {
    let files = try SharedFiles(
      config: "[default]\nservices = local\n[services local]\ns3 =\n  endpoint_url = http://s3:9\n")
    let endpoints = AWSEndpoints(environment: AWSEnvironment(variables: ["HOME": files.home]))
    #expect(endpoints.url(of: .s3, region: "r") == "http://s3:9")
    #expect(!endpoints.isCustom(.sqs))
  }
}
