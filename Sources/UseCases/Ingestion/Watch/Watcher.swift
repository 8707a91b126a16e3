import Concurrency
public import Core

/// Keeps the index equal to its sources, unattended: everything is listed at the start and now and then, changes that
/// sources notice are taken at once, what failed is tried again when its time comes.
///
/// Each source has a task of its own, so that one that hangs or fails stops no other. Whatever fails is tried again,
/// later each time; nothing but cancellation ends a watcher.
public final class Watcher: Sendable {
  let ingester: Ingester
  let settings: WatchSettings
  let context: RequestContext
  let observe: WatchEventHandler
  private let sources: [any DocumentSource]
  private let controls: [SourceControl]

  /// Creates a watcher.
  /// - Parameters:
  ///   - sources: What to watch.
  ///   - ingester: Its settings should not try again by themselves what was given up: a watcher would read a hopeless
  ///     file for ever.
  ///   - observe: Told what happens.
  public init(
    _ sources: [any DocumentSource], ingester: Ingester, settings: WatchSettings = .init(), context: RequestContext,
    observe: @escaping WatchEventHandler = { _ in }
  ) {
    self.sources = sources
    self.ingester = ingester
    self.settings = settings
    self.context = context
    self.observe = observe
    controls = sources.map { _ in SourceControl() }
  }

  /// How many sources are watched.
  public var sourceCount: Int { sources.count }

  /// Watches until the task is cancelled. The document in work is then released: its next run goes on where it was.
  public func run<C: Clock>(clock: C = ContinuousClock()) async where C.Duration == Duration {
    await withTaskGroup(of: Void.self) { group in
      for (source, control) in zip(sources, controls) {
        group.addTask {
          var loop = SourceLoop(source: source, control: control, watcher: self, clock: clock)
          await loop.run()
        }
      }
    }
  }

  /// Has the sources of some collections listed now, whatever the time of the next listing. Returns how many.
  @discardableResult
  public func syncNow(where isMeant: (CollectionName) -> Bool = { _ in true }) -> Int {
    var count = 0
    for (source, control) in zip(sources, controls) where isMeant(source.collection) {
      control.requestListing()
      count += 1
    }
    return count
  }

  /// Lists every source once and brings the index up to date. Files that may still be in writing are waited for, but
  /// not for ever.
  /// - Throws: Failures of the store, a full disk, cancellation; those of a source are in the summary.
  public func once<C: Clock>(clock: C = ContinuousClock()) async throws -> IngestionSummary
  where C.Duration == Duration {
    var total = IngestionSummary()
    for source in sources {
      let name = WatchedSource(root: source.root, collection: source.collection)
      do {
        let summary = try await settled(source, clock: clock)
        await observe(.finished(name, .listing, summary, next: .zero))
        total.add(summary)
      } catch let error as any CategorizedError where Ingester.isOfSource(error) {
        let failure = FailedObject(
          name: source.root.rawValue, code: error.code, message: error.message, remedy: error.remedy, willRetry: false)
        await observe(.progress(name, .failed(failure)))
        total.add(failure)
      }
    }
    return total
  }

  private func settled<C: Clock>(_ source: any DocumentSource, clock: C) async throws -> IngestionSummary
  where C.Duration == Duration {
    var summary = try await reconcile(source, allowsMassDelete: settings.allowsMassDelete)
    // A file that is written to for longer is for the next run.
    for _ in 0..<10 where summary.skipped.contains(where: { $0.code == SkippedObject.unsettledCode }) {
      try await clock.sleep(for: settings.settleTime + .milliseconds(50))
      summary.follow(with: try await reconcile(source, allowsMassDelete: settings.allowsMassDelete))
    }
    return summary
  }

  func reconcile(_ source: any DocumentSource, allowsMassDelete: Bool) async throws -> IngestionSummary {
    try await ingester.reconcile(
      source, request: IngestionRequest(deletesMissing: true, allowsMassDelete: allowsMassDelete), context: context,
      progress: progress(of: source))
  }

  func progress(of source: any DocumentSource) -> IngestionProgressHandler {
    let name = WatchedSource(root: source.root, collection: source.collection)
    return { [observe] progress in await observe(.progress(name, progress)) }
  }
}

/// What others ask of the loop of one source.
final class SourceControl: Sendable {
  let bell = Doorbell()
  private let wantsListing = Locked(false)

  func requestListing() {
    wantsListing.withLock { $0 = true }
    bell.ring()
  }

  /// Whether a listing was asked for since the last call.
  func takeRequest() -> Bool {
    wantsListing.withLock { wants in
      defer { wants = false }
      return wants
    }
  }
}
