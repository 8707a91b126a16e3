/// What kind of failure an error is, for everyone who must react without knowing the module that failed:
/// HTTPAPI maps it to a status and problem type, Commands to an exit code, retries to yes or no.
public enum ErrorCategory: String, Sendable, Codable, CaseIterable {
  /// The request or document is malformed or breaks a rule; the same input fails again.
  case invalidInput = "invalid_input"
  /// The configuration or command line is wrong.
  case invalidConfiguration = "invalid_configuration"
  /// No credential, or a wrong one.
  case unauthenticated
  /// The credential does not allow this.
  case forbidden
  /// What was named does not exist.
  case notFound = "not_found"
  /// It existed, and cannot be had any more.
  case gone
  /// The state does not allow it now, for instance another embedding identity.
  case conflict
  /// The input exceeds a limit.
  case tooLarge = "too_large"
  /// A limit on rate or concurrency was hit; try again later.
  case rateLimited = "rate_limited"
  /// A dependency is down or overloaded; try again later.
  case unavailable
  /// A deadline passed.
  case timedOut = "timed_out"
  /// The disk is full or a quota is used up.
  case storageFull = "storage_full"
  /// Stored data is damaged or foreign.
  case corrupt
  /// The caller went away or asked to stop.
  case cancelled
  /// A defect in Quarry.
  case `internal`

  /// Whether the service, its state or something it depends on is at fault, rather than the caller: what an operator
  /// should look at, and so an error in the log.
  public var isServiceFault: Bool {
    switch self {
    case .invalidInput, .unauthenticated, .forbidden, .notFound, .gone, .tooLarge, .rateLimited, .cancelled: false
    case .invalidConfiguration, .conflict, .unavailable, .timedOut, .storageFull, .corrupt, .internal: true
    }
  }
}

/// An error that can be reported well: every module's public error struct conforms.
public protocol CategorizedError: Error, Sendable, CustomStringConvertible {
  /// A stable dotted code, such as `pdf.encrypted`; also the bounded label for metrics.
  var code: String { get }
  /// What happened, naming the thing; one sentence without secrets.
  var message: String { get }
  /// What the reader can do about it; nil when there is nothing to do.
  var remedy: String? { get }
  /// The kind of failure.
  var category: ErrorCategory { get }
  /// The error beneath, for logs.
  var underlying: (any Error)? { get }
}

extension CategorizedError {
  /// Message, code and remedy on one line.
  public var description: String {
    remedy.map { "\(message) (\(code)). \($0)" } ?? "\(message) (\(code))"
  }
}

/// An error raised by Core's own types and by use cases' shared rules.
public struct CoreError: CategorizedError {
  /// A stable dotted code.
  public let code: String
  /// What happened.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The kind of failure.
  public let category: ErrorCategory
  /// The error beneath.
  public let underlying: (any Error)?

  /// Creates an error; see ``CategorizedError`` for the meaning of each part.
  public init(
    code: String, category: ErrorCategory, message: String, remedy: String? = nil, underlying: (any Error)? = nil
  ) {
    self.code = code
    self.category = category
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }
}
