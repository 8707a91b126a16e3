import Concurrency
import Core
import Cryptography
import Foundation
import HTTPClient
import HTTPServer
import QuarryTesting
import Testing

@testable import AWS

/// Single calls, as S3 and SQS answer them when something is wrong.
@Suite struct ObjectAccessTests {
  private func client(_ url: String) throws -> AWSClient {
    try AWSClient(
      environment: AWSEnvironment(variables: [
        "HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_ENDPOINT_URL": url,
      ]), region: "eu-central-1", http: HTTPClient(),
      policy: RetryPolicy(maximumAttempts: 2, baseDelay: .milliseconds(1)))
  }

  private func source(_ url: String, pays: Bool = false) throws -> S3Source {
    try S3Source(
      root: "s3://library/reports", collection: .default, client: client(url), paysRequests: pays,
      scratch: ScratchSpace(folder: NSTemporaryDirectory() + "s3-" + UUID().uuidString, limit: 1 << 20))
  }

  @Test(arguments: [301, 400]) func followsAnObjectToItsRegion_onceAndForGood(status: Int) async throws {
    let server = try StrictEndpoint { request in
      guard request.head.headers["Authorization"]?.contains("/us-west-2/s3/") == true else {
        return HTTPResponse(status: status, headers: ["x-amz-bucket-region": "us-west-2"], body: .bytes([]))
      }
      return HTTPResponse(status: 404)
    }
    let source = try source(server.url)
    #expect(try await source.object(at: "s3://library/reports/a.pdf") == nil)
    #expect(try await source.object(at: "s3://library/reports/b.pdf") == nil)
    #expect(server.requests.count == 3)
    await server.stop()
  }

  @Test func neverFollowsTwice() async throws {
    let server = try StrictEndpoint { request in
      let isWest = request.head.headers["Authorization"]?.contains("/us-west-2/s3/") == true
      return HTTPResponse(
        status: 301, headers: ["x-amz-bucket-region": isWest ? "eu-north-1" : "us-west-2"], body: .bytes([]))
    }
    let error = await #expect(throws: AWSError.self) {
      _ = try await source(server.url).object(at: "s3://library/reports/a.pdf")
    }
    #expect(error?.code == "aws.wrong_region" && error?.message.contains("bucket library") == true)
    #expect(server.requests.count == 2)
    await server.stop()
  }

  @Test func saysThatItPays_inEveryCall_whenItShould() async throws {
    let signatures = Locked<[String]>([])
    let server = try StrictEndpoint { request in
      signatures.withLock { $0.append(request.head.headers["Authorization"] ?? "") }
      guard request.head.headers["x-amz-request-payer"] == "requester" else { return HTTPResponse(status: 403) }
      if request.head.method == "HEAD" { return HTTPResponse(status: 404) }
      return request.head.target.hasSuffix(".pdf")
        ? HTTPResponse(status: 200, text: "one")
        : HTTPResponse(status: 200, text: "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    }
    let paying = try source(server.url, pays: true)
    _ = try await paying.list()
    #expect(try await paying.object(at: "s3://library/reports/a.pdf") == nil)
    let copy = try await paying.fetch(
      SourceObject(
        uri: "s3://library/reports/a.pdf", collection: .default, byteCount: 3, modified: Date(), stamp: "\"e\"-3-1"))
    await paying.discard(copy)
    let signed = signatures.withLock { $0 }
    #expect(signed.count == 3 && signed.allSatisfy { $0.contains("x-amz-request-payer") })
    let refused = await #expect(throws: AWSError.self) { _ = try await source(server.url).list() }
    #expect(
      refused?.code == "aws.access_denied" && refused?.message.contains("s3:ListBucket on bucket library") == true)
    await server.stop()
  }

  @Test func readsWhatWasUploadedInParts() async throws {
    // The ETag of such an object has a dash.
    let server = try StrictEndpoint { request in
      guard request.head.headers["If-Match"] == "\"0123-38\"" else { return HTTPResponse(status: 412) }
      return HTTPResponse(status: 200, text: "one")
    }
    let source = try source(server.url)
    let copy = try await source.fetch(
      SourceObject(
        uri: "s3://library/reports/a.pdf", collection: .default, byteCount: 3, modified: Date(),
        stamp: "\"0123-38\"-3-784111777"))
    #expect(copy.byteCount == 3)
    await source.discard(copy)
    await server.stop()
  }

  @Test func namesTheKey_thatTheCallerMayNotUse() async throws {
    let server = try StrictEndpoint { _ in
      HTTPResponse(
        status: 403,
        text: """
          <Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt \
          on resource: arn:aws:kms:eu-central-1:1:key/2</Message></Error>
          """)
    }
    let error = await #expect(throws: AWSError.self) {
      _ = try await source(server.url).fetch(
        SourceObject(
          uri: "s3://library/reports/a.pdf", collection: .default, byteCount: 3, modified: Date(), stamp: "\"e\"-3-1"))
    }
    #expect(error?.code == "aws.access_denied" && error?.category == .forbidden)
    #expect(error?.message.contains("s3:GetObject on s3://library/reports/a.pdf") == true)
    #expect(error?.message.contains("key/2") == true && error?.remedy?.contains("kms:Decrypt") == true)
    await server.stop()
  }

  @Test(.enabled(if: MotoServer.python != nil, "moto is not installed (make setup-test)"))
  func givesTheIndexedVersion_asLongAsTheObjectHasIt() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(
      """
      s3 = client("s3")
      s3.create_bucket(Bucket="library", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
      for key in ["reports/a.pdf", "reports/b.pdf", "reports/root"]: s3.put_object(Bucket="library", Key=key, Body=key.encode())
      """)
    func version(_ key: String) -> ContentVersion {
      ContentVersion(rawValue: SHA256.hash(key).hexadecimal)
    }
    let folder = NSTemporaryDirectory() + "s3-" + UUID().uuidString
    // Room for one of them at a time.
    let originals = S3Originals(
      client: try server.client(), paysRequests: false, scratch: try ScratchSpace(folder: folder, limit: 20), limit: 20)
    for key in ["reports/a.pdf", "reports/b.pdf", "reports/root", "reports/a.pdf"] {
      async let first = originals.file(for: version(key), uri: SourceURI(rawValue: "s3://library/\(key)"))
      async let second = originals.file(for: version(key), uri: SourceURI(rawValue: "s3://library/\(key)"))
      let paths = try await (first, second)
      #expect(paths.0 == paths.1)
      #expect(try String(contentsOfFile: paths.0, encoding: .utf8) == key)
    }
    _ = try await server.boto(
      "client('s3').put_object(Bucket='library', Key='reports/b.pdf', Body=b'other'); "
        + "client('s3').delete_object(Bucket='library', Key='reports/root')")
    for key in ["reports/b.pdf", "reports/b.pdf", "reports/root"] {
      let error = await #expect(throws: AWSError.self) {
        _ = try await originals.file(for: version(key), uri: SourceURI(rawValue: "s3://library/\(key)"))
      }
      #expect(error?.code == "document.bytes_gone" && error?.category == .gone)
      #expect(error?.message.contains("s3://library/\(key)") == true)
    }
  }

  @Test func leavesTheDownloadsOfOtherProcesses_andRemovesThoseOfDeadOnes() async throws {
    let folder = NSTemporaryDirectory() + "s3-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder + "/dead", withIntermediateDirectories: true)
    _ = FileManager.default.createFile(atPath: folder + "/dead.lock", contents: nil)
    _ = FileManager.default.createFile(atPath: folder + "/dead/a.pdf", contents: Data("x".utf8))
    let first = try ScratchSpace(folder: folder, limit: 100)
    let path = try await first.reserve(10, for: "a")
    _ = FileManager.default.createFile(atPath: path, contents: Data("x".utf8))
    _ = try ScratchSpace(folder: folder, limit: 100)
    #expect(FileManager.default.fileExists(atPath: path))
    #expect(!FileManager.default.fileExists(atPath: folder + "/dead"))
    await first.release(path, bytes: 10)
  }
}
