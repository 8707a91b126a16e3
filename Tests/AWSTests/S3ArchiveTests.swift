import AWSSigning
import Core
import Foundation
import HTTPClient
import HTTPServer
import LocalFiles
import QuarryTesting
import Testing

@testable import AWS

@Suite(.enabled(if: MotoServer.python != nil, "moto is not installed (make setup-test)"), .serialized)
struct S3ArchiveTests {
  private static let bucket = """
    c = client("s3")
    c.create_bucket(Bucket="library", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    """
  private static let key = "events/v1/2026/01/02/03/0199-a.jsonl.gz"

  private func archive(_ client: AWSClient, _ uri: String = "s3://library/rag logs/ü/") throws -> S3Archive {
    S3Archive(try #require(S3Location(SourceURI(rawValue: uri))), client: client, partBytes: 5 << 20)
  }

  @Test func putsAFileBelowThePrefix_andAgainUnderTheSameKey() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(Self.bucket)
    let archive = try archive(server.client())
    let folder = try ArchiveFolder()
    // What is torn behind the whole members stays here.
    var file = try folder.file(lines: ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"], key: Self.key)
    let handle = try #require(FileHandle(forWritingAtPath: file.path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data([0x1F, 0x8B, 8, 0]))
    for _ in 0..<2 { _ = try await archive.send(file, progress: .init()) { _ in } }
    let read = try await server.boto(
      """
      import gzip
      c = client("s3")
      for o in c.list_objects_v2(Bucket="library")["Contents"]:
          r = c.get_object(Bucket="library", Key=o["Key"])
          print(o["Key"], r["ContentType"], r.get("ContentEncoding"), gzip.decompress(r["Body"].read()).decode().split())
      """)
    #expect(
      read == "rag logs/ü/\(Self.key) application/gzip None ['{\"a\":1}', '{\"b\":2}', '{\"c\":3}']\n")
    file.key = "events/v1/2026/01/02/04/b.jsonl.gz"
    _ = try await archive.send(file, progress: .init()) { _ in }
    #expect(try await archive.keys(prefix: "events/v1/", after: "") { _ in true } == [Self.key, file.key])
    #expect(try await archive.keys(prefix: "events/v1/", after: Self.key) { _ in true } == [file.key])
    #expect(try await archive.keys(prefix: "events/v1/", after: "") { $0 <= Self.key } == [Self.key])
    let copy = folder.path + "/copy"
    try await archive.fetch(Self.key, to: copy)
    #expect(try Data(contentsOf: URL(fileURLWithPath: copy)).count == file.byteCount)
  }

  @Test func putsLargeFilesInParts_andLeavesNoneBehind() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(Self.bucket)
    let archive = try archive(server.client())
    let folder = try ArchiveFolder()
    let bytes = (0..<(12 << 20) + 7).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 11)) }
    let file = try folder.file(bytes, key: Self.key)
    _ = try await archive.send(file, progress: .init()) { _ in }
    let copy = folder.path + "/copy"
    try await archive.fetch(Self.key, to: copy)
    #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == Data(bytes))
    let tag = try await server.boto(
      "c = client('s3'); print(c.head_object(Bucket='library', Key='rag logs/ü/\(Self.key)')['ETag'], "
        + "len(c.list_multipart_uploads(Bucket='library').get('Uploads', [])))")
    #expect(tag.contains("-3\"") && tag.hasSuffix(" 0\n"), "\(tag)")
  }

  @Test func abortsAnUploadThatFails_alsoWhenTheFailureComesWith200() async throws {
    for breaks in ["part", "complete"] {
      let server = try StrictEndpoint { request in
        let target = request.head.target
        switch request.head.method {
        case "POST" where target.hasSuffix("uploads="):
          return HTTPResponse(
            status: 200,
            text: "<InitiateMultipartUploadResult><UploadId>u&amp;1</UploadId></InitiateMultipartUploadResult>")
        case "PUT" where breaks == "part" && target.contains("partNumber=2"):
          return HTTPResponse(status: 403, text: "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
        case "PUT": return HTTPResponse(status: 200, headers: ["ETag": "\"e\""], body: .bytes([]))
        case "POST":
          return HTTPResponse(
            status: 200, text: "<Error><Code>InternalError</Code><Message>We encountered</Message></Error>")
        default: return HTTPResponse(status: 204)
        }
      }
      let client = try AWSClient(
        environment: AWSEnvironment(variables: [
          "HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_ENDPOINT_URL": server.url,
        ]), region: "eu-central-1", http: HTTPClient())
      let folder = try ArchiveFolder()
      let file = try folder.file([UInt8](repeating: 7, count: 6 << 20), key: Self.key)
      await #expect(throws: AWSError.self) {
        _ = try await archive(client, "s3://library").send(file, progress: .init()) { _ in }
      }
      #expect(
        server.requests.last?.hasPrefix("DELETE /library/\(Self.key)?uploadId=u%261") == true, "\(server.requests)")
      await server.stop()
    }
  }

  @Test func withASpoolBeforeIt_holdsAnOutageOut_andIsReadBackAsALog() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(Self.bucket)
    let folder = try ArchiveFolder()
    let spool = EventSpool(directory: folder.path + "/spool")
    let s3 = try archive(server.client())
    let log = JointEventLog(directory: nil, spools: [spool], reading: ArchivedEventLog(s3, spool: spool))
    let events = Sample.eventsOfEveryKind + [Sample.event(time: Sample.date + 7200, id: "later")]
    try await log.append(Array(events[..<3]))
    await spool.close()
    // Nobody listens there.
    let dead = try AWSClient(
      environment: AWSEnvironment(variables: [
        "HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
      ]), region: "eu-central-1", http: HTTPClient(), policy: RetryPolicy(maximumAttempts: 1))
    let error = await #expect(throws: AWSError.self) { try await EventShipper(spool, to: archive(dead)).ship() }
    #expect(error?.code == "aws.unreachable")
    #expect(try await spool.status().files == 1)
    try await EventShipper(spool, to: s3).ship()
    try await log.append(Array(events[3...]))
    var read: [Event] = []
    for try await event in log.events(
      from: .distantPast, to: .distantFuture, kind: nil, unreadable: { Issue.record("\($0)") })
    { read.append(event) }
    #expect(read == events)
  }

  /// All but one: every append is a file of its own here, and events of one time in several files have no order.
  private static let claims = EventLogContract.claims.filter { $0.name != "keepsOrderOfAppending_whenTimesAreEqual" }

  @Test(arguments: S3ArchiveTests.claims)
  func behindASpool_holds(_ claim: ContractClaim<any EventLog>) async throws {
    let server = try await MotoServer()
    _ = try await server.boto(Self.bucket)
    let folder = try ArchiveFolder()
    let s3 = try archive(server.client())
    // Every file is closed at once and sent at once.
    let spool = EventSpool(directory: folder.path, limits: .init(fileBytes: 1))
    let shipping = Task { await EventShipper(spool, to: s3, interval: .milliseconds(5)).run() }
    try await claim.check(JointEventLog(directory: nil, spools: [spool], reading: ArchivedEventLog(s3, spool: spool)))
    shipping.cancel()
    await shipping.value
  }
}
