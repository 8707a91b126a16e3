import Concurrency
import Core

/// The work on one source for as long as it is watched.
struct SourceLoop<C: Clock> where C.Duration == Duration {
  private let source: any DocumentSource
  private let control: SourceControl
  private let watcher: Watcher
  private let clock: C
  private let name: WatchedSource
  private var nextListing: C.Instant
  private var nextRetry: C.Instant?
  /// Listings, changes or retries that failed in a row.
  private var failures = 0
  private var isListed = false
  private var noticesAll = false
  private var deletions: RecentDeletions<C.Instant>

  init(source: any DocumentSource, control: SourceControl, watcher: Watcher, clock: C) {
    self.source = source
    self.control = control
    self.watcher = watcher
    self.clock = clock
    name = WatchedSource(root: source.root, collection: source.collection)
    nextListing = clock.now
    deletions = RecentDeletions(span: watcher.settings.burstTime)
  }

  /// Works until the task is cancelled.
  mutating func run() async {
    // Before the first listing, so that nothing happens unseen between the two.
    let watch = await source.watch { [control] in control.bell.ring() }
    noticesAll = watch != nil
    while !Task.isCancelled {
      let now = clock.now
      if control.takeRequest() || now >= nextListing {
        await attempt(.listing) { loop in
          try await loop.watcher.reconcile(
            loop.source, allowsMassDelete: loop.watcher.settings.allowsMassDelete && !loop.isListed)
        }
      } else if failures == 0, let changes = await watch?.take() {
        let end = await take(changes)
        await watch?.settle(end)
      } else if failures == 0, let retry = nextRetry, now >= retry {
        await attempt(.retries) { loop in
          try await loop.watcher.ingester.retryDue(
            of: loop.source, context: loop.watcher.context, progress: loop.watcher.progress(of: loop.source))
        }
      } else {
        // After a failure only a listing is of use.
        let due = failures == 0 ? min(nextListing, nextRetry ?? nextListing) : nextListing
        await control.bell.wait(until: due, clock: clock)
      }
    }
    await watch?.stop()
  }

  private mutating func take(_ changes: SourceChanges) async -> ChangesEnd {
    var end = ChangesEnd.failed
    if let shortfall = changes.shortfall {
      noticesAll = false
      nextListing = min(nextListing, clock.now.advanced(by: interval))
      await watcher.observe(.noticesFallShort(name, shortfall))
    }
    if changes.needsListing {
      // The listing finds the rest too.
      nextListing = clock.now
    } else if !changes.present.isEmpty || !changes.gone.isEmpty {
      await attempt(.changes) { loop in
        let summary = try await loop.watcher.ingester.apply(
          changes, from: loop.source, recentlyDeleted: loop.deletions.count(at: loop.clock.now),
          context: loop.watcher.context, progress: loop.watcher.progress(of: loop.source))
        loop.deletions.add(summary.deleted, at: loop.clock.now)
        let inWork = summary.skipped.filter { $0.code == SkippedObject.inWorkCode }
        end = .recorded(inWork: Set(inWork.map { SourceURI(rawValue: $0.name) }))
        return summary
      }
    }
    return end
  }

  /// Does one piece of work. When it fails, everything is listed again after a wait.
  private mutating func attempt(
    _ cause: WatchEvent.Cause, _ work: (inout SourceLoop) async throws -> IngestionSummary
  ) async {
    do {
      let summary = try await work(&self)
      if cause == .listing {
        isListed = true
        nextListing = clock.now.advanced(by: interval)
      }
      if failures > 0 { await watcher.observe(.recovered(name, count: failures)) }
      failures = 0
      if cause != .changes || !summary.failed.isEmpty { try await planRetry() }
      await watcher.observe(.finished(name, cause, summary, next: clock.now.duration(to: nextListing)))
    } catch {
      let known = Ingester.categorized(error, name: source.root.name)
      if known.category == .cancelled || Task.isCancelled { return }
      failures += 1
      let settings = watcher.settings
      let delay = min(settings.shortInterval, settings.firstRetry * (1 << min(failures - 1, 16)))
      nextListing = clock.now.advanced(by: delay)
      await watcher.observe(.failed(name, known, count: failures, delay: delay))
    }
  }

  private mutating func planRetry() async throws {
    nextRetry = try await watcher.ingester.secondsToNextRetry(of: source).map {
      // Clocks that were set meanwhile must not make this loop spin.
      clock.now.advanced(by: .seconds(max(1, min($0, 86_400))))
    }
  }

  private var interval: Duration { noticesAll ? watcher.settings.interval : watcher.settings.shortInterval }
}

/// Counts the deletions of a span of time.
struct RecentDeletions<Instant: InstantProtocol> where Instant.Duration == Duration {
  private let span: Duration
  private var entries: [(time: Instant, count: Int)] = []

  init(span: Duration) { self.span = span }

  mutating func add(_ count: Int, at time: Instant) {
    if count > 0 { entries.append((time, count)) }
  }

  /// How many there were in the span before `time`.
  mutating func count(at time: Instant) -> Int {
    let span = span
    entries.removeAll { $0.time.duration(to: time) > span }
    return entries.reduce(0) { $0 + $1.count }
  }
}
