import Core
import FoundationEssentials

/// This process's hold on the job table: leases the jobs of its own objects, and those only.
struct JobQueue: Sendable {
  /// What identifies a job.
  struct Key: Hashable, Sendable {
    var uri: SourceURI
    var collection: CollectionName

    init(_ object: SourceObject) {
      uri = object.uri
      collection = object.collection
    }

    init(_ job: IngestionJob) {
      uri = job.uri
      collection = job.collection
    }
  }

  let jobs: any JobStore
  let settings: IngestionSettings
  let now: @Sendable () -> Date
  private let owner: String

  init(jobs: any JobStore, settings: IngestionSettings, now: @escaping @Sendable () -> Date) {
    self.jobs = jobs
    self.settings = settings
    self.now = now
    owner = jobs.makeOwner()
  }

  private var leaseEnd: Date { now().addingTimeInterval(settings.leaseSeconds) }

  /// Takes the job of one object; nil while another run holds it.
  func take(_ key: Key) async throws -> IngestionJob? {
    try await jobs.lease(key.uri, collection: key.collection, owner: owner, now: now(), leaseUntil: leaseEnd)
  }

  /// Holds jobs until it is cancelled: leases are short, so that the work of a run that was killed is soon free,
  /// and a run that lives renews its own.
  func keepHolding(_ held: HeldJobs) async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(settings.leaseSeconds / 4))
      for key in await held.keys {
        _ = try? await jobs.extendLease(of: key.uri, collection: key.collection, owner: owner, until: leaseEnd)
      }
    }
  }

  /// Holds a job longer; throws when another worker has taken it over.
  func extend(_ job: IngestionJob) async throws {
    guard try await jobs.extendLease(of: job.uri, collection: job.collection, owner: owner, until: leaseEnd) else {
      throw IngestionError(
        code: "ingest.lease_lost", category: .conflict, message: "another process took over \(job.uri.name)",
        remedy: "Nothing to do: that process finishes it")
    }
  }

  func complete(_ job: IngestionJob, seconds: [String: Double]) async throws {
    try await jobs.complete(job.uri, collection: job.collection, owner: owner, stageSeconds: seconds, now: now())
  }

  /// Records a failure: passing ones are tried again, later each time; hopeless ones are parked with the reason.
  /// Returns whether it will be tried again.
  func fail(_ job: IngestionJob, error: any CategorizedError) async throws -> Bool {
    let isPassing =
      switch error.category {
      case .unavailable, .rateLimited, .timedOut, .storageFull, .conflict, .cancelled: true
      default: false
      }
    let willRetry = isPassing && (job.attempts < settings.maximumAttempts || error.category == .cancelled)
    // 30 s, 1 min, 2 min … at most an hour; an interrupted job is due at once.
    let delay = error.category == .cancelled ? 0 : min(3_600, 30 * Double(1 << min(10, max(0, job.attempts - 1))))
    try await jobs.fail(
      job.uri, collection: job.collection, owner: owner, code: error.code, message: error.message,
      nextTry: willRetry ? now().addingTimeInterval(delay) : nil, now: now())
    return willRetry
  }
}

/// The jobs that a run holds now.
actor HeldJobs {
  private(set) var keys: Set<JobQueue.Key> = []

  func add(_ key: JobQueue.Key) { keys.insert(key) }

  func remove(_ key: JobQueue.Key) { keys.remove(key) }
}
