import FoundationEssentials

/// What a queue's message says of objects in S3, in any of the forms in which such messages come.
///
/// EventBridge's `Object Created` and `Object Deleted` (keys as they are), S3's own notifications (keys form-encoded) and
/// their test event; either may be wrapped in a notification of SNS. Source:
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html, notification-content-structure.html,
/// https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
struct ObjectEvents: Sendable, Hashable {
  /// What happened to one object.
  enum Change: Sendable, Hashable {
    case created(S3Location)
    case deleted(S3Location)
  }

  /// Empty for a test event, which is no error.
  var changes: [Change]

  /// Nil when the message is no object event at all.
  init?(_ message: String) {
    guard let changes = Self.changes(in: Data(message.utf8), depth: 0) else { return nil }
    self.changes = changes
  }

  private static func changes(in data: Data, depth: Int) -> [Change]? {
    guard depth < 3, let envelope = try? JSONDecoder().decode(Envelope.self, from: data) else { return nil }
    if envelope.type == "Notification", let inner = envelope.message {
      return changes(in: Data(inner.utf8), depth: depth + 1)
    }
    if envelope.event == "s3:TestEvent" { return [] }
    if let detail = envelope.detail, let kind = envelope.detailType {
      let location = S3Location(bucket: detail.bucket.name, key: detail.object.key)
      switch kind {
      case "Object Created": return [.created(location)]
      case "Object Deleted": return [.deleted(location)]
      default: return []
      }
    }
    guard let records = envelope.records, !records.isEmpty, records.allSatisfy({ $0.s3 != nil }) else { return nil }
    return records.compactMap { record in
      guard let s3 = record.s3, let name = record.eventName else { return nil }
      let location = S3Location(bucket: s3.bucket.name, key: S3Bucket.decoded(s3.object.key))
      let event = name.hasPrefix("s3:") ? String(name.dropFirst(3)) : name
      if event.hasPrefix("ObjectCreated:") || event.hasPrefix("ObjectRestore:Completed") { return .created(location) }
      return event.hasPrefix("ObjectRemoved:") || event.hasPrefix("LifecycleExpiration:") ? .deleted(location) : nil
    }
  }

  private struct Envelope: Decodable {
    var type: String?
    var message: String?
    var event: String?
    var detailType: String?
    var detail: Detail?
    var records: [Record]?
    enum CodingKeys: String, CodingKey {
      case type = "Type"
      case message = "Message"
      case event = "Event"
      case detailType = "detail-type"
      case detail
      case records = "Records"
    }
  }
  private struct Detail: Decodable {
    var bucket: Named
    var object: Keyed
  }
  private struct Record: Decodable {
    struct S3: Decodable {
      var bucket: Named
      var object: Keyed
    }
    var eventName: String?
    var s3: S3?
  }
  private struct Named: Decodable { var name: String }
  private struct Keyed: Decodable { var key: String }
}
