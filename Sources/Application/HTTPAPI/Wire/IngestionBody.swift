import Core
public import FoundationEssentials
public import Ingestion

/// How ingestion stands: body of `GET /v1/ingestion`.
public struct IngestionBody: Codable, Sendable, Hashable {
  /// What waits and what failed, in all.
  public var queue: IngestionQueueBody
  /// Each source.
  public var sources: [IngestionSourceBody]
  /// Documents in work in this service, the one that takes longest first.
  public var inWork: [IngestionWorkBody]
  /// Documents that this service was done with in a minute, of late.
  public var documentsPerMinute: Double
  /// Pages that it read in a second, of late.
  public var pagesPerSecond: Double
  /// Chunks that it embedded in a second, of late.
  public var chunksPerSecond: Double

  enum CodingKeys: String, CodingKey {
    case queue, sources
    case inWork = "in_work"
    case documentsPerMinute = "documents_per_minute"
    case pagesPerSecond = "pages_per_second"
    case chunksPerSecond = "chunks_per_second"
  }

  /// Creates the body of a report.
  public init(_ report: IngestionStatus.Report) {
    queue = IngestionQueueBody(report.jobs, at: report.time)
    sources = report.places.map { IngestionSourceBody($0.place, $0.jobs, at: report.time) }
    inWork = report.activity.inWork.map(IngestionWorkBody.init)
    documentsPerMinute = report.activity.documentsPerMinute
    pagesPerSecond = report.activity.pagesPerSecond
    chunksPerSecond = report.activity.chunksPerSecond
  }
}

/// Jobs by state.
public struct IngestionQueueBody: Codable, Sendable, Hashable {
  /// Documents that wait.
  public var queued: Int
  /// Documents in work.
  public var running: Int
  /// Documents that failed for a passing reason and are tried again.
  public var retrying: Int
  /// Documents that were given up.
  public var failed: Int
  /// For how many seconds the oldest one has waited; absent when none waits.
  public var oldestSeconds: Double?

  enum CodingKeys: String, CodingKey {
    case queued, running, retrying, failed
    case oldestSeconds = "oldest_seconds"
  }

  init(_ jobs: JobSummary, at time: Date) {
    queued = jobs.counts[.queued] ?? 0
    running = jobs.counts[.running] ?? 0
    retrying = jobs.counts[.retrying] ?? 0
    failed = jobs.counts[.parked] ?? 0
    oldestSeconds = jobs.oldestWaiting.map { max(0, time.timeIntervalSince($0)) }
  }
}

/// How a source stands.
public struct IngestionSourceBody: Codable, Sendable, Hashable {
  /// Its root; `upload://` for uploads.
  public var uri: String
  /// Its collection; absent for uploads, which may be in any.
  public var collection: String?
  /// What waits and what failed there.
  public var queue: IngestionQueueBody
  /// When a document of it was finished last; absent when none was.
  public var lastSuccess: Date?
  /// Its latest failure that was not followed by success; absent without one.
  public var lastError: IngestionFailureBody?

  enum CodingKeys: String, CodingKey {
    case uri, collection, queue
    case lastSuccess = "last_success"
    case lastError = "last_error"
  }

  init(_ place: IngestionStatus.Place, _ jobs: JobSummary, at time: Date) {
    uri = place.root.rawValue
    collection = place.collection?.rawValue
    queue = IngestionQueueBody(jobs, at: time)
    lastSuccess = jobs.lastDone
    lastError = jobs.lastFailure.map(IngestionFailureBody.init)
  }
}

/// A document that could not be ingested.
public struct IngestionFailureBody: Codable, Sendable, Hashable {
  /// Its URI.
  public var uri: String
  /// A stable dotted code.
  public var code: String
  /// What happened.
  public var message: String
  /// When.
  public var time: Date

  init(_ job: IngestionJob) {
    uri = job.uri.rawValue
    code = job.lastErrorCode ?? "internal"
    message = job.lastError ?? ""
    time = job.updated
  }
}

/// A document in work.
public struct IngestionWorkBody: Codable, Sendable, Hashable {
  /// Its URI.
  public var uri: String
  /// `opening`, `reading` or `embedding`.
  public var stage: String
  /// Pages read, or chunks embedded.
  public var done: Int
  /// Of how many; absent when that is not known.
  public var total: Int?
  /// For how many seconds it has been in work.
  public var seconds: Double

  init(_ work: IngestionActivity.Work) {
    uri = work.uri.rawValue
    stage = work.stage.rawValue
    done = work.done
    total = work.total > 0 ? work.total : nil
    seconds = Double(work.elapsed.components.seconds) + Double(work.elapsed.components.attoseconds) / 1e18
  }
}
