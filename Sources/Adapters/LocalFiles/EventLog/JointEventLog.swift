import Concurrency
public import Core
public import FoundationEssentials

/// Events go to several places, and are read from the one that can be read.
public struct JointEventLog: EventLog {
  private let appends: [@Sendable ([Event]) async throws -> Void]
  private let reading: any EventReader

  /// Creates a log.
  /// - Parameters:
  ///   - directory: The log in a directory; nil when events do not go there.
  ///   - spools: On the way to archives.
  ///   - reading: Where events are read.
  public init(directory: DirectoryEventLog?, spools: [EventSpool], reading: any EventReader) {
    appends =
      (directory.map { log in [{ @Sendable in try await log.append($0) }] } ?? [])
      + spools.map { spool in { @Sendable in try await spool.append($0) } }
    self.reading = reading
  }

  /// Appends events to every place, whatever becomes of the others.
  /// - Throws: The first failure: there at least, the events are missing.
  public func append(_ events: [Event]) async throws {
    var failure: (any Error)?
    for append in appends {
      do { try await append(events) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  /// Events of a half-open span of time, oldest first.
  public func events(
    from start: Date, to end: Date, kind: EventKind?, unreadable: @escaping @Sendable (String) -> Void
  ) -> AsyncThrowingStream<Event, any Error> {
    reading.events(from: start, to: end, kind: kind, unreadable: unreadable)
  }
}
