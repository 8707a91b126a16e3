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

extension SourceURI: ExpressibleByStringLiteral {
  /// Takes the literal as it is.
  public init(stringLiteral value: String) { self.init(rawValue: value) }
}
