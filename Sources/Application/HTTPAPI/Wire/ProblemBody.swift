/// An error as RFC 9457 describes problems: body of every answer of status 400 and up, and of the event `error`.
public struct ProblemBody: Codable, Sendable, Hashable {
  /// Names the kind of problem: `urn:quarry:problem:` and the code.
  public var type: String
  /// The kind of problem in words; the same for all of one category.
  public var title: String
  /// The HTTP status.
  public var status: Int
  /// What happened this time.
  public var detail: String
  /// Names this occurrence: `urn:quarry:trace:` and the trace id.
  public var instance: String
  /// A stable dotted code.
  public var code: String
  /// The trace's id, for the log.
  public var traceID: String
  /// What can be done about it; absent when nothing can.
  public var remedy: String?
  /// The field or parameter at fault; absent when it is none.
  public var field: String?
  /// Where a malformed body goes wrong; absent otherwise.
  public var position: HTTPAPIError.TextPosition?
  /// Why the service is not ready; only in the answer of `/health/ready`.
  public var reasons: [ReasonBody]?

  enum CodingKeys: String, CodingKey {
    case type, title, status, detail, instance, code, remedy, field, position, reasons
    case traceID = "trace_id"
  }

  /// Creates a problem without what only some have.
  package init(
    type: String, title: String, status: Int, detail: String, instance: String, code: String, traceID: String,
    remedy: String? = nil
  ) {
    self.type = type
    self.title = title
    self.status = status
    self.detail = detail
    self.instance = instance
    self.code = code
    self.traceID = traceID
    self.remedy = remedy
  }
}

/// One reason why the service is not ready.
public struct ReasonBody: Codable, Sendable, Hashable {
  /// A stable dotted code.
  public var code: String
  /// One sentence.
  public var message: String
  /// What can be done about it; absent when nothing can.
  public var remedy: String?

  /// Creates a reason.
  public init(code: String, message: String, remedy: String? = nil) {
    self.code = code
    self.message = message
    self.remedy = remedy
  }
}

/// The service's state: body of `/health/live`, and of `/health/ready` when it is ready.
public struct HealthBody: Codable, Sendable, Hashable {
  /// `live` or `ready`.
  public var status: String
  /// The version of Quarry.
  public var version: String

  package init(status: String, version: String) {
    self.status = status
    self.version = version
  }
}
