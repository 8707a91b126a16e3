import Concurrency
public import Core
public import FoundationEssentials

/// Ingests uploads from the job table, until it is cancelled. Several processes may do so at once.
public final class UploadQueue: Sendable {
  private let jobs: any JobStore
  private let store: any UploadStore
  private let ingester: @Sendable () async throws -> Ingester
  private let context: @Sendable () -> RequestContext
  private let progress: IngestionProgressHandler
  private let failed: @Sendable (any Error) -> Void
  private let interval: Duration
  private let now: @Sendable () -> Date
  /// A permit for every wake that was not yet heeded.
  private let wakes = AsyncSemaphore(width: 1)

  /// Jobs taken together.
  private static let batch = 16

  /// Creates a queue.
  /// - Parameters:
  ///   - ingester: Makes the pipeline when there is something to do; tried again later when it throws.
  ///   - interval: How often the table is looked at for what other processes queued and for what is to be tried again.
  ///   - failed: Told what stops the work as a whole, such as a full disk; it is tried again.
  public init(
    jobs: any JobStore, store: any UploadStore, ingester: @escaping @Sendable () async throws -> Ingester,
    context: @escaping @Sendable () -> RequestContext, interval: Duration = .seconds(5),
    progress: @escaping IngestionProgressHandler = { _ in }, failed: @escaping @Sendable (any Error) -> Void = { _ in },
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.jobs = jobs
    self.store = store
    self.ingester = ingester
    self.context = context
    self.interval = interval
    self.progress = progress
    self.failed = failed
    self.now = now
  }

  /// Has the table looked at soon.
  public func wake() { wakes.release() }

  /// Works until the task is cancelled: a document in work is then queued again, and goes on where it was.
  public func run() async {
    do { try await store.removeUnfinished() } catch { failed(error) }
    var made: Ingester?
    var failures = 0
    while !Task.isCancelled {
      var didWork = false
      do {
        let due = try await due()
        if !due.isEmpty {
          let ingester = if let made { made } else { try await self.ingester() }
          made = ingester
          try await work(due, ingester)
          // Jobs that are as they were (another process has them, say) are no reason to go on without a pause.
          didWork = try await self.due().map(Trace.init) != due.map(Trace.init)
        }
        failures = 0
      } catch {
        if Task.isCancelled { return }
        failed(error)
        failures += 1
      }
      // What stops everything (a full disk, another model) is told ever more rarely.
      if !didWork { await pause(interval * (1 << min(failures, 5))) }
    }
  }

  /// What tells whether anything happened to a job.
  private struct Trace: Equatable {
    var uri: SourceURI
    var collection: CollectionName
    var stamp: String
    var attempts: Int
    var state: JobState

    init(_ job: IngestionJob) {
      uri = job.uri
      collection = job.collection
      stamp = job.stamp
      attempts = job.attempts
      state = job.state
    }
  }

  private func due() async throws -> [IngestionJob] {
    let now = now()
    return try await jobs.waiting(under: .uploads, limit: Self.batch * 4).filter { job in
      switch job.state {
      case .queued: true
      case .retrying: job.nextTry ?? now <= now
      case .running: job.leaseUntil ?? now <= now || job.leaseOwner.map(jobs.isGone(owner:)) ?? true
      case .done, .parked: false
      }
    }.prefix(Self.batch).map { $0 }
  }

  private func work(_ due: [IngestionJob], _ ingester: Ingester) async throws {
    for (collection, jobs) in Dictionary(grouping: due, by: \.collection).sorted(by: { $0.key < $1.key }) {
      let source = UploadSource(store, collection: collection)
      _ = try await ingester.ingest(
        jobs.map(UploadSource.object), from: source, context: context(), progress: progress)
      for job in jobs { try await dropIfDeleted(job, ingester) }
    }
  }

  /// Takes out what was deleted while it was in work: its commit may have come after.
  private func dropIfDeleted(_ job: IngestionJob, _ ingester: Ingester) async throws {
    guard try await jobs.job(for: job.uri, collection: job.collection) == nil else { return }
    try await ingester.objectVanished(job.uri, collection: job.collection, context: context())
  }

  /// Waits for a wake, or so long.
  private func pause(_ interval: Duration) async {
    var wasWoken = false
    while wakes.tryAcquire() { wasWoken = true }
    if wasWoken { return }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [wakes] in try? await wakes.acquire() }
      group.addTask { try? await Task.sleep(for: interval) }
      await group.next()
      group.cancelAll()
    }
  }
}
