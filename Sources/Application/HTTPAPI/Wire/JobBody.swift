public import Core
public import FoundationEssentials

/// The work on a document that is not done: `job` of `GET /v1/documents/{id}`.
public struct JobBody: Codable, Sendable, Hashable {
  /// `queued`, `running`, `retrying`, or `failed` when it was given up.
  public var state: String
  /// SHA-256 of the bytes that the work is about; absent when they are not an upload's.
  public var version: String?
  /// Tries so far.
  public var attempts: Int
  /// The code of the last error; absent without one.
  public var errorCode: String?
  /// The last error in words; absent without one.
  public var error: String?
  /// When it is tried again; absent unless it is.
  public var nextTry: Date?
  /// When this changed last.
  public var updated: Date

  enum CodingKeys: String, CodingKey {
    case state, version, attempts, error, updated
    case errorCode = "error_code"
    case nextTry = "next_try"
  }

  /// Creates the body of a job.
  public init(_ job: IngestionJob) {
    state = Self.word(for: job.state)
    version = job.uri.isUpload ? job.stamp : nil
    attempts = job.attempts
    errorCode = job.lastErrorCode
    error = job.lastError
    nextTry = job.nextTry
    updated = job.updated
  }

  /// How a job's state is called where documents are listed: what was given up has failed.
  static func word(for state: JobState) -> String { state == .parked ? DocumentState.failed.rawValue : state.rawValue }
}

/// The states of jobs by the words that listings know: those of ``JobBody``, and `parked` for `failed`.
public enum ListedJobState {
  /// The words, in the order in which they are told.
  public static let words = ["failed", "queued", "running", "retrying", "parked"]

  /// The jobs that a word means; nil for other words.
  public static func states(for word: String) -> Set<JobState>? {
    switch word {
    case "failed", "parked": [.parked]
    case "queued": [.queued]
    case "running": [.running]
    case "retrying": [.retrying]
    default: nil
    }
  }
}
