import Concurrency
public import Core
import Cryptography
import Foundation
import HTTPClient
import HTTPServer
import QuarryTesting
import Testing

@testable import AWS

/// Messages of a queue of moto's, held by a watch as a worker of its own holds them.
@Suite(
  .enabled(if: MotoServer.python != nil, "moto is not installed (make setup-test)"), .timeLimit(.minutes(5)))
struct ObjectEventWatchTests {
  private static let queue = "arn:aws:sqs:eu-central-1:123456789012:objects"
  private static let setUp = """
    s3, sqs = client("s3"), client("sqs")
    s3.create_bucket(Bucket="library", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    url = sqs.create_queue(QueueName="objects")["QueueUrl"]

    """
  private static let send = """
    sqs = client("sqs"); url = sqs.get_queue_url(QueueName="objects")["QueueUrl"]
    def send(body): print(sqs.send_message(QueueUrl=url, MessageBody=body if isinstance(body, str) else json.dumps(body))["MessageId"])
    def record(key, name="ObjectCreated:Put", bucket="library"):
        return {"Records": [{"eventName": name, "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]}

    """

  /// One worker: a source with its watch, and what it told.
  private final class Worker: Sendable {
    let source: S3Source
    let watch: any SourceWatch
    let notices = Locked<[ObjectEventNotice]>([])

    init(
      _ client: AWSClient, queue: String = ObjectEventWatchTests.queue, visibility: Duration = .seconds(30),
      takes: @escaping @Sendable (String) -> Bool = { _ in true }
    ) async throws {
      let scratch = try ScratchSpace(folder: NSTemporaryDirectory() + "s3-" + UUID().uuidString, limit: 1 << 20)
      let settings = ObjectEventSettings(
        visibility: visibility, pollTime: .seconds(1), pause: .milliseconds(200), firstRetry: .milliseconds(50))
      source = try S3Source(
        root: "s3://library/reports", collection: .default, client: client, scratch: scratch,
        events: .init(
          queue: MessageQueue(queue, client: client), settings: settings,
          observe: { [notices] notice in notices.withLock { $0.append(notice) } }), takes: takes)
      watch = try #require(await source.watch {})
    }

    /// The next changes.
    func next() async throws -> SourceChanges {
      while true {
        if let changes = await watch.take() { return changes }
        try await Task.sleep(for: .milliseconds(20))
      }
    }

    func until(_ condition: @Sendable ([ObjectEventNotice]) -> Bool) async throws {
      while !notices.withLock({ condition($0) }) { try await Task.sleep(for: .milliseconds(20)) }
    }

    func untilDeleted(_ count: Int) async throws { try await until { Self.sum($0).deleted >= count } }

    var sum: (deleted: Int, passedOver: Int, left: Int) { Self.sum(notices.withLock { $0 }) }

    static func sum(_ notices: [ObjectEventNotice]) -> (deleted: Int, passedOver: Int, left: Int) {
      notices.reduce(into: (0, 0, 0)) { sum, notice in
        switch notice {
        case .deleted(let count): sum.0 += count
        case .passedOver(let count): sum.1 += count
        case .left: sum.2 += 1
        default: break
        }
      }
    }
  }

  private func served(_ more: String = "") async throws -> MotoServer {
    let server = try await MotoServer()
    _ = try await server.boto(Self.setUp + more)
    return server
  }

  /// Messages that wait, and those that a worker holds.
  private func depth(_ server: MotoServer) async throws -> MessageQueue.State {
    try await MessageQueue(Self.queue, client: server.client()).state()
  }

  @Test func tellsWhatS3SaysItself_andForgetsItWhenThatIsRecorded() async throws {
    let server = try await served(
      """
      s3.put_bucket_notification_configuration(Bucket="library", NotificationConfiguration={"QueueConfigurations": [
          {"QueueArn": "\(Self.queue)", "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}]})
      s3.put_object(Bucket="library", Key="reports/ü + 1.pdf", Body=b"one")
      s3.put_object(Bucket="library", Key="reports/b.pdf", Body=b"two")
      s3.delete_object(Bucket="library", Key="reports/b.pdf")
      """)
    let worker = try await Worker(server.client())
    var present: Set<SourceObject> = []
    var gone: Set<SourceURI> = []
    while present.isEmpty || gone.isEmpty {
      let changes = try await worker.next()
      #expect(changes.rootStamp == "library")
      present.formUnion(changes.present)
      gone.formUnion(changes.gone)
      #expect(try await depth(server).inWork > 0)
      await worker.watch.settle(.recorded(inWork: []))
    }
    // The very object that a listing gives, so that neither takes the other's for a change.
    #expect(present == Set(try await worker.source.list().objects))
    #expect(present.first?.uri == "s3://library/reports/ü + 1.pdf" && gone == ["s3://library/reports/b.pdf"])
    try await worker.untilDeleted(3)
    let state = try await depth(server)
    #expect(state.waiting == 0 && state.inWork == 0)
    await worker.watch.stop()
  }

  @Test func takesEveryForm_andPassesOverWhatIsNotOfTheSource() async throws {
    let server = try await served(
      "for n in ['a b', 'c', 'd', 'e']: s3.put_object(Bucket='library', Key=f'reports/{n}.pdf', Body=b'x')")
    let worker = try await Worker(server.client(), takes: { $0 != "skip.pdf" })
    _ = try await server.boto(
      Self.send + """
        def bridge(key, kind="Object Created"):
            return {"detail-type": kind, "source": "aws.s3", "detail": {"bucket": {"name": "library"}, "object": {"key": key}}}
        def sns(body): return {"Type": "Notification", "Message": json.dumps(body)}
        send(record("reports/a+b.pdf")); send(bridge("reports/c.pdf")); send(sns(record("reports/d.pdf")))
        send(sns(bridge("reports/e.pdf"))); send(bridge("reports/gone.pdf", "Object Deleted"))
        send({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "library"})
        send(record("other/x.pdf")); send(record("reports/skip.pdf")); send(record("reports/note.txt"))
        send(record("reports/a.pdf", bucket="another"))
        """)
    var present: Set<String> = []
    var gone: Set<String> = []
    while present.count < 4 || gone.isEmpty {
      let changes = try await worker.next()
      present.formUnion(changes.present.map(\.uri.rawValue))
      gone.formUnion(changes.gone.map(\.rawValue))
      await worker.watch.settle(.recorded(inWork: []))
    }
    #expect(present == Set(["a b", "c", "d", "e"].map { "s3://library/reports/\($0).pdf" }))
    #expect(gone == ["s3://library/reports/gone.pdf"])
    try await worker.until { Worker.sum($0) == (5, 5, 0) }
    let state = try await depth(server)
    #expect(state.waiting == 0 && state.inWork == 0)
    await worker.watch.stop()
  }

  @Test func asksTheObject_whateverOrderMessagesComeIn() async throws {
    let server = try await served("s3.put_object(Bucket='library', Key='reports/a.pdf', Body=b'x')")
    _ = try await server.boto(
      Self.send + """
        for i in range(3): send(record("reports/a.pdf")); send(record("reports/a.pdf", "ObjectRemoved:Delete"))
        send(record("reports/b.pdf")); send(record("reports/b.pdf"))
        """)
    let worker = try await Worker(server.client())
    while worker.sum.deleted < 8 {
      let changes = try await worker.next()
      #expect(Set(changes.present.map(\.uri)).isSubset(of: ["s3://library/reports/a.pdf"]))
      #expect(Set(changes.gone).isSubset(of: ["s3://library/reports/b.pdf"]))
      await worker.watch.settle(.recorded(inWork: []))
    }
    await worker.watch.stop()
  }

  @Test func takesADeleteMarkerForADeletion_andItsRemovalForTheObject() async throws {
    let server = try await served(
      """
      s3.put_bucket_versioning(Bucket="library", VersioningConfiguration={"Status": "Enabled"})
      s3.put_object(Bucket="library", Key="reports/a.pdf", Body=b"one")
      s3.put_object(Bucket="library", Key="reports/a.pdf", Body=b"second")
      """)
    let worker = try await Worker(server.client())
    let uri: SourceURI = "s3://library/reports/a.pdf"
    let current = try #require(try await worker.source.object(at: uri))
    #expect(current.byteCount == 6)
    // Another version than the one that was seen is never read in its place.
    let copy = try await worker.source.fetch(current)
    #expect(copy.byteCount == 6)
    await worker.source.discard(copy)
    _ = try await server.boto("client('s3').delete_object(Bucket='library', Key='reports/a.pdf')")
    #expect(try await worker.source.object(at: uri) == nil)
    #expect(try await worker.source.list().objects.isEmpty)
    let vanished = await #expect(throws: AWSError.self) { _ = try await worker.source.fetch(current) }
    #expect(vanished?.code == "source.vanished")
    _ = try await server.boto(
      """
      s3 = client("s3")
      marker = s3.list_object_versions(Bucket="library")["DeleteMarkers"][0]["VersionId"]
      s3.delete_object(Bucket="library", Key="reports/a.pdf", VersionId=marker)
      """)
    #expect(try await worker.source.object(at: uri) == current)
    await worker.watch.stop()
  }

  @Test func holdsMessages_whileTheirDocumentsAreInWork() async throws {
    let server = try await served("s3.put_object(Bucket='library', Key='reports/a.pdf', Body=b'x')")
    _ = try await server.boto(Self.send + "send(record('reports/a.pdf'))")
    let first = try await Worker(server.client(), visibility: .seconds(3))
    _ = try await first.next()
    let second = try await Worker(server.client(), visibility: .seconds(3))
    // More than two times the time after which a message comes again that nobody extends.
    try await Task.sleep(for: .seconds(7))
    #expect(await second.watch.take() == nil)
    #expect(second.notices.withLock { $0.isEmpty })
    // Another process has the document in work: held on, looked at again, and deleted only then.
    await first.watch.settle(.recorded(inWork: ["s3://library/reports/a.pdf"]))
    #expect(first.sum.deleted == 0)
    _ = try await first.next()
    // The store failed: the same again.
    await first.watch.settle(.failed)
    #expect(try await first.next().present.map(\.uri) == ["s3://library/reports/a.pdf"])
    await first.watch.settle(.recorded(inWork: []))
    #expect(first.sum.deleted == 1)
    #expect(second.notices.withLock { $0.isEmpty })
    await first.watch.stop()
    await second.watch.stop()
  }

  @Test func givesBackWhatIsNotDone_whenItStops() async throws {
    let server = try await served("s3.put_object(Bucket='library', Key='reports/a.pdf', Body=b'x')")
    _ = try await server.boto(Self.send + "send(record('reports/a.pdf'))")
    let first = try await Worker(server.client(), visibility: .seconds(600))
    _ = try await first.next()
    #expect(try await depth(server).inWork == 1)
    // As the watcher does it: its task is cancelled by then.
    let stopping = Task {
      while !Task.isCancelled { await Task.yield() }
      await first.watch.stop()
    }
    stopping.cancel()
    await stopping.value
    let second = try await Worker(server.client())
    #expect(try await second.next().present.map(\.uri) == ["s3://library/reports/a.pdf"])
    await second.watch.stop()
  }

  @Test func leavesWhatIsNoObjectEvent_toTheDeadLetterQueue() async throws {
    let server = try await served(
      """
      dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
      sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps({"maxReceiveCount": 2,
          "deadLetterTargetArn": "arn:aws:sqs:eu-central-1:123456789012:dead"})})
      """)
    #expect(try await depth(server).hasDeadLetterQueue)
    let id = try await server.boto(Self.send + "send('hello')").trimmingCharacters(in: .whitespacesAndNewlines)
    let worker = try await Worker(server.client(), visibility: .seconds(1))
    let dead = try MessageQueue("arn:aws:sqs:eu-central-1:123456789012:dead", client: server.client())
    while try await dead.state().waiting == 0 { try await Task.sleep(for: .milliseconds(100)) }
    let left = worker.notices.withLock { notices in
      notices.compactMap { notice -> Int? in
        if case .left(id, "it is no object event of S3", let count) = notice { count } else { nil }
      }
    }
    #expect(left == [1, 2])
    #expect(worker.sum.deleted == 0 && worker.sum.passedOver == 0)
    await worker.watch.stop()
  }

  @Test func tellsOnce_thatTheQueueCannotBeUsed_andGoesOnTrying() async throws {
    let server = try await MotoServer()
    let worker = try await Worker(server.client())
    let changes = try await worker.next()
    #expect(changes.shortfall?.code == "aws.not_found")
    #expect(changes.shortfall?.message.contains("queue objects in eu-central-1") == true)
    #expect(changes.shortfall?.remedy.isEmpty == false && changes.present.isEmpty && !changes.needsListing)
    try await worker.until { $0.count >= 3 }
    #expect(await worker.watch.take() == nil)
    _ = try await server.boto(Self.setUp)
    try await worker.until { $0.contains { if case .recovered = $0 { true } else { false } } }
    await worker.watch.stop()
  }

  @Test(arguments: [
    "objects", "https://sqs.eu-central-1.amazonaws.com/", "arn:aws:sns:eu-central-1:123456789012:objects",
    "arn:aws:sqs::123456789012:objects", "ftp://sqs.eu-central-1.amazonaws.com/1/q",
  ])
  func refusesWhatIsNoQueue(address: String) throws {
    let client = try AWSClient(
      environment: AWSEnvironment(variables: ["HOME": "/nowhere"]), region: "eu-central-1", http: HTTPClient())
    let error = #expect(throws: AWSError.self) { _ = try MessageQueue(address, client: client) }
    #expect(error?.code == "source.queue" && error?.message.contains(address) == true)
  }
}

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

extension SourceURI: ExpressibleByStringLiteral {
  /// Takes the literal as it is.
  public init(stringLiteral value: String) { self.init(rawValue: value) }
}
