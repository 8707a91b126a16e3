import Core
import FoundationEssentials

/// A queue of Amazon SQS.
///
/// Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/ (JSON 1.0, target `AmazonSQS`)
public struct MessageQueue: Sendable {
  /// A message that was received and not deleted yet.
  struct Message: Sendable, Hashable {
    var id: String
    /// Names this receipt of it; another receipt has another.
    var receipt: String
    var body: String
    /// How often it was received, this time included.
    var receiveCount: Int
  }

  /// How a queue stands; the numbers are approximate.
  public struct State: Sendable, Hashable {
    /// Messages that wait.
    public var waiting: Int
    /// Messages that a worker has.
    public var inWork: Int
    /// Whether messages that are received again and again go to a dead-letter queue.
    public var hasDeadLetterQueue: Bool
  }

  /// The largest number of messages of one call.
  static let batch = 10

  /// The queue's name, for messages.
  public let name: String
  private let url: String
  private let region: String?
  private let client: AWSClient

  /// Names a queue by its URL or its ARN, which also say its region.
  /// - Throws: `source.queue` for anything else.
  public init(_ address: String, client: AWSClient) throws {
    let problem = AWSError(
      "source.queue", .invalidConfiguration, "'\(address)' is no queue's URL or ARN",
      remedy: "Write https://sqs.REGION.amazonaws.com/ACCOUNT/NAME or arn:aws:sqs:REGION:ACCOUNT:NAME.")
    self.client = client
    if address.hasPrefix("arn:") {
      let parts = address.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 6, parts[2] == "sqs", parts[3...].allSatisfy({ !$0.isEmpty }) else { throw problem }
      region = parts[3]
      name = parts[5]
      url = "\(client.endpoints.url(of: .sqs, region: parts[3]))/\(parts[4])/\(parts[5])"
    } else {
      let parts = address.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      guard ["https:", "http:"].contains(parts[0]), parts.count >= 5, parts[1].isEmpty, !parts[2].isEmpty,
        let last = parts.last, !last.isEmpty
      else { throw problem }
      url = address
      name = last
      // `sqs.REGION.…`, `sqs-fips.REGION.…`, `….sqs.REGION.vpce.…`, or, of old, `REGION.queue.…`.
      let labels = parts[2].split(separator: ".").map(String.init)
      if let place = labels.firstIndex(where: { $0 == "sqs" || $0 == "sqs-fips" }), labels.count > place + 2 {
        region = labels[place + 1]
      } else {
        region = labels.count > 2 && labels[1] == "queue" ? labels[0] : nil
      }
    }
  }

  /// Receives up to ten messages; nobody else gets them for `visibility` seconds.
  /// - Parameter wait: How long to wait for a first one, seconds: 0 to 20.
  func receive(wait: Int, visibility: Int) async throws -> [Message] {
    let request = Receive(
      QueueUrl: url, MaxNumberOfMessages: Self.batch, WaitTimeSeconds: wait, VisibilityTimeout: visibility,
      MessageSystemAttributeNames: ["ApproximateReceiveCount"])
    let answer: Received = try await call("ReceiveMessage", request, timeout: .seconds(wait + 15))
    return (answer.Messages ?? []).map { message in
      Message(
        id: message.MessageId, receipt: message.ReceiptHandle, body: message.Body ?? "",
        receiveCount: message.Attributes?["ApproximateReceiveCount"].flatMap { Int($0) } ?? 1)
    }
  }

  /// Deletes messages for good. Returns the ids of those that could not be: they come again.
  func delete(_ messages: [Message]) async throws -> Set<String> {
    try await inBatches(messages) { batch in
      let entries = batch.enumerated().map { DeleteEntry(Id: "\($0.offset)", ReceiptHandle: $0.element.receipt) }
      return try await call("DeleteMessageBatch", Batch(QueueUrl: url, Entries: entries), allowed: "DeleteMessage")
    }
  }

  /// Keeps messages from other workers for so many seconds from now; 0 gives them back at once. Returns the ids of
  /// those that this worker holds no more.
  func setVisibility(_ seconds: Int, of messages: [Message]) async throws -> Set<String> {
    try await inBatches(messages) { batch in
      let entries = batch.enumerated().map {
        VisibilityEntry(Id: "\($0.offset)", ReceiptHandle: $0.element.receipt, VisibilityTimeout: seconds)
      }
      return try await call(
        "ChangeMessageVisibilityBatch", Batch(QueueUrl: url, Entries: entries), allowed: "ChangeMessageVisibility")
    }
  }

  /// How the queue stands now.
  public func state() async throws -> State {
    let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "RedrivePolicy"]
    let answer: Attributes = try await call("GetQueueAttributes", AttributeQuery(QueueUrl: url, AttributeNames: names))
    let values = answer.Attributes ?? [:]
    return State(
      waiting: values[names[0]].flatMap { Int($0) } ?? 0, inWork: values[names[1]].flatMap { Int($0) } ?? 0,
      hasDeadLetterQueue: values[names[2]].map { !$0.isEmpty } ?? false)
  }

  // MARK: - Calls

  private func inBatches(
    _ messages: [Message], _ send: ([Message]) async throws -> BatchAnswer
  ) async throws -> Set<String> {
    var failed: Set<String> = []
    for start in stride(from: 0, to: messages.count, by: Self.batch) {
      let batch = Array(messages[start..<min(messages.count, start + Self.batch)])
      for failure in try await send(batch).Failed ?? [] {
        if let index = Int(failure.Id), batch.indices.contains(index) { failed.insert(batch[index].id) }
      }
    }
    return failed
  }

  /// - Parameter allowed: The action that IAM knows, where a batch has none of its own.
  private func call<Answer: Decodable>(
    _ action: String, _ request: some Encodable, allowed: String? = nil, timeout: Duration = .seconds(20)
  ) async throws -> Answer {
    var call = AWSCall.json(
      .sqs, action, on: "queue \(name)", target: "AmazonSQS", version: "1.0",
      body: Array(try JSONEncoder().encode(request)), timeout: timeout)
    call.action = allowed ?? action
    call.region = region
    let body = try await client.bytes(call)
    do {
      // An empty answer is one without members.
      return try JSONDecoder().decode(Answer.self, from: Data(body.isEmpty ? Array("{}".utf8) : body))
    } catch {
      throw AWSError(
        "aws.answer_malformed", .unavailable, "queue \(name) answers \(action) with something else than SQS does",
        remedy: "Check that the endpoint is SQS's.", underlying: error)
    }
  }

  private struct Receive: Encodable {
    var QueueUrl: String
    var MaxNumberOfMessages: Int
    var WaitTimeSeconds: Int
    var VisibilityTimeout: Int
    var MessageSystemAttributeNames: [String]
  }
  private struct Received: Decodable {
    struct Message: Decodable {
      var MessageId: String
      var ReceiptHandle: String
      var Body: String?
      var Attributes: [String: String]?
    }
    var Messages: [Message]?
  }
  private struct DeleteEntry: Encodable {
    var Id: String
    var ReceiptHandle: String
  }
  private struct VisibilityEntry: Encodable {
    var Id: String
    var ReceiptHandle: String
    var VisibilityTimeout: Int
  }
  private struct Batch<Entry: Encodable>: Encodable {
    var QueueUrl: String
    var Entries: [Entry]
  }
  private struct BatchAnswer: Decodable {
    struct Failure: Decodable { var Id: String }
    var Failed: [Failure]?
  }
  private struct AttributeQuery: Encodable {
    var QueueUrl: String
    var AttributeNames: [String]
  }
  private struct Attributes: Decodable { var Attributes: [String: String]? }
}
