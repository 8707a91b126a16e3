public import Core
public import Telemetry

/// Tells the log what a watcher does: a line a document, and one a listing.
public struct WatchLog: Sendable {
  private let log: StructuredLog
  private let context: RequestContext

  /// Creates a teller.
  public init(_ log: StructuredLog, context: RequestContext) {
    self.log = log
    self.context = context
  }

  /// Writes what there is to say of an event.
  public func record(_ event: WatchEvent) {
    switch event {
    case .progress(let source, let progress): record(progress, of: source)
    case .finished(let source, let cause, let summary, let next):
      // Changes have a line for each document.
      log.log(
        cause == .listing ? .info : .debug, "source is up to date", context: context,
        fields(source) + counts(summary) + [
          ("cause", .string(cause.rawValue)), ("seconds", .double(summary.stageSeconds["total"] ?? 0)),
          ("next_listing_seconds", .double(next.seconds)),
        ])
    case .failed(let source, let error, let count, let delay):
      // The first failure, then ever more rarely: an outage of days is no log full of it.
      let level: LogLevel = count & (count - 1) == 0 ? .warning : .debug
      log.log(
        level, "source cannot be kept up to date; trying again", context: context,
        fields(source) + [
          ("error_code", .string(error.code)), ("error", .string(error.message)),
          ("remedy", .string(error.remedy ?? "")), ("failures", .int(count)), ("retry_seconds", .double(delay.seconds)),
        ])
    case .recovered(let source, let count):
      log.log(.info, "source works again", context: context, fields(source) + [("failures", .int(count))])
    case .noticesFallShort(let source, let shortfall):
      log.log(
        .warning, "not all changes of the source are noticed; it is listed more often", context: context,
        fields(source) + [
          ("error_code", .string(shortfall.code)), ("error", .string(shortfall.message)),
          ("remedy", .string(shortfall.remedy)),
        ])
    }
  }

  private func record(_ progress: IngestionProgress, of source: WatchedSource) {
    func line(_ level: LogLevel, _ message: StaticString, _ more: @autoclosure () -> [(String, LogValue)]) {
      log.log(level, message, context: context, more() + [("collection", .string(source.collection.rawValue))])
    }
    switch progress {
    case .committed(let document):
      line(
        .info, document.isNew ? "document ingested" : "document updated",
        [
          ("uri", .string(document.uri.rawValue)), ("document", .string(document.id.rawValue)),
          ("pages", .int(document.pages)), ("chunks", .int(document.chunks)),
          ("state", .string(document.state.rawValue)),
        ] + (document.reason.map { [("reason", .string($0))] } ?? []))
    case .moved(let from, let to):
      line(.info, "document moved", [("from", .string(from.rawValue)), ("uri", .string(to.rawValue))])
    case .deleted(let uri): line(.info, "document deleted: its file is gone", [("uri", .string(uri.rawValue))])
    case .deletionRefused(let root, let count, let reason):
      line(
        .warning, "deletions held back",
        [("root", .string(root.rawValue)), ("documents", .int(count)), ("reason", .string(reason))])
    case .failed(let failed):
      line(
        .warning, failed.willRetry ? "document failed; trying again later" : "document failed",
        [
          ("uri", .string(failed.name)), ("error_code", .string(failed.code)), ("error", .string(failed.message)),
          ("remedy", .string(failed.remedy ?? "")),
        ])
    case .skipped(let skipped):
      line(
        .debug, "passed over",
        [("name", .string(skipped.name)), ("code", .string(skipped.code)), ("reason", .string(skipped.reason))])
    case .found, .started, .extracted, .recognized, .planned, .embedded, .unchanged: break
    }
  }

  private func fields(_ source: WatchedSource) -> [(String, LogValue)] {
    [("root", .string(source.root.rawValue)), ("collection", .string(source.collection.rawValue))]
  }

  private func counts(_ summary: IngestionSummary) -> [(String, LogValue)] {
    [
      ("new", .int(summary.new)), ("updated", .int(summary.updated)), ("unchanged", .int(summary.unchanged)),
      ("moved", .int(summary.moved)), ("deleted", .int(summary.deleted)), ("failed", .int(summary.failed.count)),
      ("skipped", .int(summary.skipped.count)),
      ("held_back", .int(summary.refusedDeletions.reduce(0) { $0 + $1.count })),
    ]
  }
}
