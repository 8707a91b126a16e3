import Core
import Foundation
import HTTPClient
import HTTPServer
import QuarryTesting
import Testing

@testable import AWS

@Suite struct ObjectEventTests {
  private static let created = ObjectEvents.Change.created(S3Location(bucket: "b", key: "a b/ü+1.pdf"))
  private static let s3 =
    #"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"a+b/%C3%BC%2B1.pdf"}}}]}"#
  private static let bridge =
    #"{"detail-type":"Object Created","source":"aws.s3","detail":{"bucket":{"name":"b"},"object":{"key":"a b/ü+1.pdf"}}}"#

  private static func wrapped(_ text: String) throws -> String {
    String(decoding: try JSONEncoder().encode(["Type": "Notification", "Message": text]), as: UTF8.self)
  }

  @Test func readsAllForms() throws {
    for message in [Self.s3, Self.bridge, try Self.wrapped(Self.s3), try Self.wrapped(Self.bridge)] {
      #expect(ObjectEvents(message)?.changes == [Self.created])
    }
    let deleted = Self.s3.replacing("ObjectCreated:Put", with: "s3:ObjectRemoved:DeleteMarkerCreated")
    #expect(ObjectEvents(deleted)?.changes == [.deleted(S3Location(bucket: "b", key: "a b/ü+1.pdf"))])
    #expect(
      ObjectEvents(Self.bridge.replacing("Object Created", with: "Object Deleted"))?.changes
        == [.deleted(S3Location(bucket: "b", key: "a b/ü+1.pdf"))])
  }

  @Test func takesTheTestEvent_asNoChange() throws {
    let test = #"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#
    #expect(ObjectEvents(test)?.changes == [])
    #expect(ObjectEvents(try Self.wrapped(test))?.changes == [])
    #expect(ObjectEvents(Self.bridge.replacing("Object Created", with: "Object Tags Added"))?.changes == [])
  }

  @Test(arguments: [
    "", "hello", "{}", "[]", #"{"Records":[]}"#, #"{"Records":[{"eventName":"x"}]}"#, #"{"Type":"Notification"}"#,
  ])
  func isNoEvent(message: String) { #expect(ObjectEvents(message) == nil) }
}

@Suite struct S3LocationTests {
  @Test(arguments: [
    ("s3://my-bucket/a/b.pdf", "my-bucket", "a/b.pdf"), ("s3://my.bucket", "my.bucket", ""),
    ("s3://bucket/", "bucket", ""), ("s3://bucket/ü a", "bucket", "ü a"),
  ])
  func readsURIs(text: String, bucket: String, key: String) {
    let location = S3Location(SourceURI(rawValue: text))
    #expect(location?.bucket == bucket)
    #expect(location?.key == key)
  }

  @Test(arguments: ["file:///a", "s3://", "s3://Ab/x", "s3://a/x", "s3://a..b/x", "s3://a_b/x", "s3:///key"])
  func refusesOthers(text: String) { #expect(S3Location(SourceURI(rawValue: text)) == nil) }
}

@Suite(.enabled(if: MotoServer.python != nil, "moto is not installed (make setup-test)"))
struct S3SourceTests {
  private func scratch(_ limit: Int = 64 << 20) throws -> ScratchSpace {
    try ScratchSpace(folder: NSTemporaryDirectory() + "s3-" + UUID().uuidString, limit: limit)
  }

  private func source(
    _ client: AWSClient, _ root: String = "s3://library/reports", scratch: ScratchSpace? = nil,
    takes: @escaping @Sendable (String) -> Bool = { _ in true }
  ) throws -> S3Source {
    try S3Source(
      root: SourceURI(rawValue: root), collection: .default, client: client, scratch: scratch ?? self.scratch(),
      takes: takes)
  }

  private static let upload = """
    c = client("s3")
    c.create_bucket(Bucket="library", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    def put(key, body): c.put_object(Bucket="library", Key=key, Body=body)

    """

  @Test func listsTheDocumentsBelowThePrefix() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(
      Self.upload + """
        for key in ["reports/a.pdf", "reports/ü + & (1).PDF", "reports/deep/er/b.pdf", "reports/note.txt", "reports/.hidden.pdf",
                    "reports/c.pdf.part", "reports/folder.pdf/", "other/d.pdf", "reports/skip/e.pdf"]:
            put(key, b"x")
        """)
    let listing = try await source(server.client(), takes: { !$0.hasPrefix("skip/") }).list()
    #expect(
      Set(listing.objects.map(\.uri.rawValue)) == [
        "s3://library/reports/a.pdf", "s3://library/reports/ü + & (1).PDF", "s3://library/reports/deep/er/b.pdf",
      ])
    #expect(listing.skipped.map(\.code) == ["source.unfinished"])
    #expect(listing.isComplete)
  }

  @Test func listsEveryPage() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(Self.upload + "for i in range(2345): put(f'reports/{i:05}.pdf', b'')")
    #expect(try await source(server.client()).list().objects.count == 2_345)
  }

  @Test func aPrefixOfNames_isNotBelowTheRoot() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(Self.upload + "put('reports/a.pdf', b''); put('reports-old/b.pdf', b'')")
    let source = try source(server.client())
    #expect(try await source.list().objects.map(\.uri.rawValue) == ["s3://library/reports/a.pdf"])
    #expect(try await source.object(at: SourceURI(rawValue: "s3://library/reports-old/b.pdf")) == nil)
    #expect(try await self.source(server.client(), "s3://library").list().objects.count == 2)
    #expect(try await self.source(server.client(), "s3://library/reports-old/").list().objects.count == 1)
  }

  @Test func changesTheStamp_whenTheBytesChange() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(Self.upload + "put('reports/a.pdf', b'one'); put('reports/b.pdf', b'same')")
    let source = try source(server.client())
    let before = try await source.list().objects
    #expect(try await source.list().objects == before)
    _ = try await server.boto("client('s3').put_object(Bucket='library', Key='reports/a.pdf', Body=b'two')")
    let after = try await source.list().objects
    #expect(after[0].stamp != before[0].stamp)
    #expect(after[1].stamp == before[1].stamp)
  }

  @Test func downloadsAndHashes_andLeavesNothingBehind() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(Self.upload + "put('reports/a b.pdf', b'%PDF-' + b'0123456789' * 300000)")
    let folder = NSTemporaryDirectory() + "s3-" + UUID().uuidString
    let source = try source(server.client(), scratch: ScratchSpace(folder: folder, limit: 8 << 20))
    let object = try #require(try await source.list().objects.first)
    let copy = try await source.fetch(object)
    let data = try Data(contentsOf: URL(fileURLWithPath: copy.path))
    #expect(data.count == 3_000_005)
    #expect(copy.isTemporary)
    let digest = try await server.boto(
      "import hashlib; print(hashlib.sha256(b'%PDF-' + b'0123456789' * 300000).hexdigest(), end='')")
    #expect(copy.version.rawValue == digest)
    await source.discard(copy)
    let left = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".pdf") }
    #expect(left.isEmpty)
  }

  @Test func saysThatAnObjectVanishedOrChanged() async throws {
    let server = try await MotoServer()
    _ = try await server.boto(Self.upload + "put('reports/a.pdf', b'one'); put('reports/b.pdf', b'two')")
    let source = try source(server.client())
    let objects = try await source.list().objects
    _ = try await server.boto(
      "c = client('s3'); c.delete_object(Bucket='library', Key='reports/a.pdf'); "
        + "c.put_object(Bucket='library', Key='reports/b.pdf', Body=b'other')")
    let vanished = await #expect(throws: AWSError.self) { _ = try await source.fetch(objects[0]) }
    #expect(vanished?.code == "source.vanished")
    let changed = await #expect(throws: AWSError.self) { _ = try await source.fetch(objects[1]) }
    #expect(changed?.code == "source.changed")
  }

  @Test func namesTheBucketThatIsNotThere() async throws {
    let server = try await MotoServer()
    let error = await #expect(throws: AWSError.self) { _ = try await source(server.client()).list() }
    #expect(error?.code == "aws.not_found")
    #expect(error?.message.contains("bucket library") == true)
  }

  @Test func waitsForRoom_andRefusesWhatNeverFits() async throws {
    let scratch = try scratch(100)
    let first = try await scratch.reserve(60, for: "a")
    async let second = scratch.reserve(60, for: "b")
    try await Task.sleep(for: .milliseconds(50))
    await scratch.release(first, bytes: 60)
    #expect(try await second.hasSuffix(".pdf"))
    let error = await #expect(throws: AWSError.self) { _ = try await scratch.reserve(101, for: "s3://b/c.pdf") }
    #expect(error?.code == "aws.object_too_large")
    let waiting = Task { try await scratch.reserve(60, for: "d") }
    try await Task.sleep(for: .milliseconds(20))
    waiting.cancel()
    await #expect(throws: CancellationError.self) { _ = try await waiting.value }
  }

  // MARK: - What moto does not do

  private func client(_ url: String) throws -> AWSClient {
    try AWSClient(
      environment: AWSEnvironment(variables: [
        "HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S", "AWS_ENDPOINT_URL": url,
      ]), region: "eu-central-1", http: HTTPClient(),
      policy: RetryPolicy(maximumAttempts: 2, baseDelay: .milliseconds(1)))
  }

  @Test func goesOnWhereADownloadBrokeOff() async throws {
    let server = try StrictEndpoint { request in
      let start = (request.head.headers["Range"] ?? "bytes=0-").dropFirst(6).dropLast()
      guard request.head.headers["If-Match"] == "\"e\"", let from = Int(start) else { return HTTPResponse(status: 400) }
      // A third of what is left, then the connection is gone: the length promises more.
      let left = 900 - from
      let part = max(100, left / 3)
      return HTTPResponse(
        status: from == 0 ? 200 : 206,
        body: .stream { writer in
          try await writer.write([UInt8](repeating: 7, count: min(part, left)))
          // What was written has to arrive first.
          if part < left {
            try await Task.sleep(for: .milliseconds(200))
            throw CancellationError()
          }
        })
    }
    let source = try source(client(server.url))
    let object = SourceObject(
      uri: SourceURI(rawValue: "s3://library/reports/a.pdf"), collection: .default, byteCount: 900, modified: Date(),
      stamp: "\"e\"-900-1")
    let copy = try await source.fetch(object)
    #expect(try Data(contentsOf: URL(fileURLWithPath: copy.path)) == Data(repeating: 7, count: 900))
    #expect(server.requests.count > 3)
    await source.discard(copy)
    await server.stop()
  }

  @Test func followsTheBucketToItsRegion_once() async throws {
    let server = try StrictEndpoint { request in
      let isThere = request.head.headers["Authorization"]?.contains("/us-west-2/s3/") == true
      guard isThere else {
        return HTTPResponse(status: 301, headers: ["x-amz-bucket-region": "us-west-2"], body: .bytes([]))
      }
      return HTTPResponse(
        status: 200, text: "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    }
    let source = try source(client(server.url))
    _ = try await source.list()
    _ = try await source.list()
    #expect(server.requests.count == 3)
    await server.stop()
  }

  @Test(arguments: [
    "<html>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
    "<ListBucketResult><Contents><Key>a.pdf</Key></Contents></ListBucketResult>", "<ListBucketResult><Contents>",
  ])
  func neverTakesABrokenListing_forAShortOne(body: String) async throws {
    let server = try StrictEndpoint { _ in HTTPResponse(status: 200, text: body) }
    let source = try source(client(server.url))
    let error = await #expect(throws: AWSError.self) { _ = try await source.list() }
    #expect(error?.code == "aws.answer_malformed")
    await server.stop()
  }
}
