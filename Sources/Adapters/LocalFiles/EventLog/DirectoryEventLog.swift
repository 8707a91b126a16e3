import Compression
import Concurrency
public import Core
public import FoundationEssentials
import Glibc
import Telemetry

/// An event log in a directory: `<directory>/events/v1/YYYY/MM/DD/HH/<writer>.jsonl.gz`, hours in UTC, the schema
/// as in `docs/events.md`.
///
/// Each writer has files of its own, so any number of processes may write at once. Each append adds one complete
/// gzip member to a file (members may follow each other: RFC 1952, section 2.2) and is durable when it returns. A
/// writer that is killed leaves at most one torn member at the end of its file.
public final class DirectoryEventLog: EventLog {
  private let directory: String
  private let layout: EventLogLayout
  private let vectors: ArchiveLines.Vectors?
  private let maximumBytes: Int
  private let now: @Sendable () -> Date
  private let write: EventFile.WriteCall
  private let queue = BlockingQueue(label: "quarry.event-log")
  /// This writer's file name: another after a failure that left a file in doubt.
  private let name = Locked(DirectoryEventLog.makeName())

  /// Names a log; nothing is touched until the first event.
  /// - Parameters:
  ///   - directory: Made when the first event is written, for its owner only.
  ///   - maximumBytes: The bound on all files together; 0 for none. When a file is started, the oldest hours' files
  ///     are deleted until the rest fits, but never those of the current hour.
  ///   - vectorsOf: The application whose vectors are written by themselves too, one JSON array a line, to
  ///     `promptarchive/<app>` and `embeddingarchive/<app>`; nil for none.
  ///   - now: The clock that tells the current hour.
  public convenience init(
    directory: String, maximumBytes: Int = 0, vectorsOf app: String? = nil,
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.init(directory: directory, maximumBytes: maximumBytes, vectorsOf: app, now: now) {
      Glibc.write($0, $1.baseAddress, $1.count)
    }
  }

  /// A log whose `write(2)` tests can let fail.
  package init(
    directory: String, maximumBytes: Int = 0, vectorsOf app: String? = nil,
    now: @escaping @Sendable () -> Date = { Date() },
    write: @escaping @Sendable (Int32, UnsafeRawBufferPointer) -> Int
  ) {
    self.directory = directory
    vectors = app.map(ArchiveLines.Vectors.init)
    layout = EventLogLayout(directory: directory)
    self.maximumBytes = maximumBytes
    self.now = now
    self.write = write
  }

  /// Appends events: all of them or, when it throws, none.
  /// - Throws: `disk.full` and other errors of the file system; `event.time` for a year outside 1 to 9999.
  public func append(_ events: [Event]) async throws {
    guard !events.isEmpty else { return }
    let parts = try ArchiveLines.make(of: events, vectors: vectors)
    try await queue.run { [self] () throws(LocalFilesError) in
      try appendLines(parts.map { (directory + "/" + $0.folder, compress($0.bytes)) })
    }
  }

  private func appendLines(_ parts: [(folder: String, member: [UInt8])]) throws(LocalFilesError) {
    let writer = EventFileWriter(write: write)
    let started: Set<String>
    do {
      started = try writer.append(parts, name: name.withLock { $0 })
    } catch {
      if !error.isUndone { name.withLock { $0 = Self.makeName() } }
      throw error.error
    }
    guard maximumBytes > 0, !started.isEmpty, let current = EventHour(of: now()) else { return }
    var streams = [layout]
    if let vectors {
      streams += [vectors.prompts, vectors.embeddings].map { EventLogLayout(directory: directory, stream: $0) }
    }
    // The events are safe; what cannot be deleted now is tried again with the next file.
    try? EventLogLayout.trim(streams, to: maximumBytes, current: current, keeping: started)
  }

  /// Events of a half-open span of time, oldest first. Files are read as they are when their hour is reached; a
  /// slow consumer holds no thread.
  /// - Parameter unreadable: Called on the reading thread, with the file and what is wrong with it.
  public func events(
    from start: Date, to end: Date, kind: EventKind?, unreadable: @escaping @Sendable (String) -> Void
  ) -> AsyncThrowingStream<Event, any Error> {
    let reader = BlockingQueue(label: "quarry.event-log.reader")
    let cursor = Locked(EventCursor(layout: layout, from: start, to: end, kind: kind, unreadable: unreadable))
    // One hop for many events: see `BlockingQueue`.
    let buffer = Locked<ArraySlice<Event>>([])
    return AsyncThrowingStream {
      if let event = buffer.withLock({ $0.popFirst() }) { return event }
      try Task.checkCancellation()
      let events = try await reader.run { () throws(LocalFilesError) in
        try cursor.withLock { cursor throws(LocalFilesError) in try cursor.next(64) }
      }
      return buffer.withLock { buffer in
        buffer = events[...]
        return buffer.popFirst()
      }
    }
  }

  private static func makeName() -> String { TimeOrderedID.make(now: Date()) }
}
