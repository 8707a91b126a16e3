import Concurrency
public import Core
public import Ingestion
import Telemetry

extension Library {
  /// What is watched, and how.
  public struct WatchRequest: Sendable {
    /// Directories and files; empty for the configured sources.
    public var paths: [String]
    /// The collection of `paths`.
    public var collection: CollectionName?
    /// Whether the first listing of each source overrules the guard against mass deletion.
    public var allowsMassDelete: Bool

    /// Creates a request.
    public init(paths: [String] = [], collection: CollectionName? = nil, allowsMassDelete: Bool = false) {
      self.paths = paths
      self.collection = collection
      self.allowsMassDelete = allowsMassDelete
    }
  }

  /// What keeps the index equal to sources.
  /// - Parameter observe: Told what happens, besides the log.
  /// - Throws: `source.missing` for a path that leads nowhere, `source.none` when there is nothing to watch,
  ///   `model.missing` and the like.
  public func watcher(
    _ request: WatchRequest, observe: @escaping WatchEventHandler = { _ in }
  ) async throws -> Watcher {
    let sources = try sources(paths: request.paths, collection: request.collection, settles: true)
    guard !sources.isEmpty else {
      throw CoreError(
        code: "source.none", category: .invalidConfiguration, message: "there is nothing to watch",
        remedy: "Name directories after `quarry watch`, or configure `sources`.")
    }
    let context = requestContext()
    let watchLog = WatchLog(log, context: context)
    let activity = activity
    return Watcher(
      sources, ingester: try await ingester(retriesParked: false),
      settings: WatchSettings(
        interval: settings.watch.interval, settleTime: settings.watch.settleTime,
        allowsMassDelete: request.allowsMassDelete), context: context
    ) { event in
      watchLog.record(event)
      if case .progress(_, let progress) = event { activity.record(progress) }
      await observe(event)
    }
  }

  /// Watches until the process is told to stop.
  public func watch(_ watcher: Watcher) async throws {
    let log = log
    log.log(.info, "watching", [("sources", .int(watcher.sourceCount)), ("version", .string(QuarryVersion.current))])
    let group = ServiceGroup(Self.services(watcher), gracePeriod: .seconds(30)) { event in
      if case .stopping = event { log.log(.info, "the watcher stops; the document in work is released") }
    }
    try await group.run()
  }

  /// A watcher, and SIGHUP, which has everything listed now.
  static func services(_ watcher: Watcher) -> [GroupedService] {
    // Made here, so that a signal that comes early does not end the process.
    let hangups = Signals.stream(of: [.hangup])
    return [
      GroupedService(name: "sync on SIGHUP", earlyEnd: .isIgnored) {
        for await _ in hangups { watcher.syncNow() }
      },
      GroupedService(name: "watch") { await watcher.run() },
    ]
  }
}
