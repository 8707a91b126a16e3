import Concurrency
public import Core
public import FoundationEssentials
import Glibc

/// Reads events from an archive of files, and those that still wait in the spool on their way to it.
public struct ArchivedEventLog: EventReader {
  /// Files fetched at one time.
  private static let width = 8

  private let archive: any ReadableEventArchive
  private let folder: SpoolFolder

  /// Creates a reader; copies of files are made beside the spool, an hour's at a time.
  public init(_ archive: any ReadableEventArchive, spool: EventSpool) {
    self.archive = archive
    folder = spool.folder
  }

  /// Events of a half-open span of time, oldest first.
  public func events(
    from start: Date, to end: Date, kind: EventKind?, unreadable: @escaping @Sendable (String) -> Void
  ) -> AsyncThrowingStream<Event, any Error> {
    let reading = Reading(archive, folder, range: start..<max(start, end), kind: kind, unreadable: unreadable)
    return AsyncThrowingStream { try await reading.next() }
  }

  /// One reading: hour by hour, each hour's files copied, merged and removed.
  private actor Reading {
    private let archive: any ReadableEventArchive
    private let spool: SpoolFolder
    private let range: Range<Date>
    private let kind: EventKind?
    private let unreadable: @Sendable (String) -> Void
    private let queue = BlockingQueue(label: "quarry.archive.reader")
    private let copies: String
    private var hours: [(hour: EventHour, waiting: [String], keys: [String])]?
    /// The folder of the copies being read.
    private var last: String?
    private let merge = Locked<EventMerge?>(nil)
    private var buffer: ArraySlice<Event> = []

    init(
      _ archive: any ReadableEventArchive, _ spool: SpoolFolder, range: Range<Date>, kind: EventKind?,
      unreadable: @escaping @Sendable (String) -> Void
    ) {
      self.archive = archive
      self.spool = spool
      self.range = range
      self.kind = kind
      self.unreadable = unreadable
      copies = "\(spool.directory)/.reading-\(UUID().uuidString)"
    }

    deinit { try? FileManager.default.removeItem(atPath: copies) }

    func next() async throws -> Event? {
      while buffer.isEmpty {
        try Task.checkCancellation()
        let merge = merge
        let events = await queue.run {
          merge.withLock { merge in
            var events: [Event] = []
            while events.count < 64, let event = merge?.next() { events.append(event) }
            return events
          }
        }
        if events.isEmpty {
          guard try await openNextHour() else {
            try? FileManager.default.removeItem(atPath: copies)
            return nil
          }
        }
        buffer = events[...]
      }
      return buffer.popFirst()
    }

    private func openNextHour() async throws -> Bool {
      var hours = try await listed()
      guard !hours.isEmpty else { return false }
      let hour = hours.removeFirst()
      self.hours = hours
      let folder = "\(copies)/\(hour.hour.path.replacing("/", with: "-"))"
      if let last { try? FileManager.default.removeItem(atPath: last) }
      last = folder
      let paths = try await fetch(hour.keys, into: folder)
      let (range, kind, unreadable, merge) = (range, kind, unreadable, merge)
      await queue.run {
        merge.withLock {
          $0 = EventMerge(
            paths: hour.waiting + paths, unfinished: Set(hour.waiting), range: range, kind: kind,
            unreadable: unreadable)
        }
      }
      return true
    }

    private func fetch(_ keys: [String], into folder: String) async throws -> [String] {
      try await queue.run { () throws(LocalFilesError) in try Folder.make(folder) }
      let archive = archive
      return try await withThrowingTaskGroup(of: String.self) { group in
        var paths: [String] = []
        for (number, key) in keys.enumerated() {
          if number >= ArchivedEventLog.width, let path = try await group.next() { paths.append(path) }
          let name = key.split(separator: "/").last.map(String.init) ?? key
          group.addTask {
            try await archive.fetch(key, to: "\(folder)/\(name)")
            return "\(folder)/\(name)"
          }
        }
        for try await path in group { paths.append(path) }
        return paths.sorted()
      }
    }

    /// The hours with files. The spool is looked at first: a file that is sent meanwhile is in both places, and read
    /// from one.
    private func listed() async throws -> [(hour: EventHour, waiting: [String], keys: [String])] {
      if let hours { return hours }
      guard range.lowerBound < range.upperBound else { return [] }
      let first = EventHour(of: range.lowerBound)
      let last = EventHour(of: range.upperBound)
      let isInside: @Sendable (EventHour) -> Bool = { hour in
        (first.map { hour >= $0 } ?? true) && (last.map { hour <= $0 } ?? true)
      }
      let (spool, copies) = (spool, copies)
      let waiting = try await queue.run { () throws(LocalFilesError) -> [(EventHour, key: String, copy: String)] in
        Self.removeLeftovers(in: spool.directory)
        var linked: [(EventHour, key: String, copy: String)] = []
        for entry in try spool.entries() where entry.key.hasPrefix(ArchiveLines.events + "/") {
          guard let hour = Self.hour(of: entry.key), isInside(hour) else { continue }
          try Folder.make(copies)
          let copy = "\(copies)/\(linked.count).waiting"
          // Gone: it is in the archive by now.
          if link(entry.path, copy) == 0 { linked.append((hour, entry.key, copy)) }
        }
        return linked
      }
      let keys = try await archive.keys(
        prefix: ArchiveLines.events + "/", after: first.map { "\(ArchiveLines.events)/\($0.path)" } ?? ""
      ) { key in Self.hour(of: key).map { hour in last.map { hour <= $0 } ?? true } ?? true }
      var found: [EventHour: (waiting: [String], keys: [String])] = [:]
      for (hour, _, copy) in waiting { found[hour, default: ([], [])].waiting.append(copy) }
      let known = Set(waiting.map(\.key))
      for key in keys where key.hasSuffix(EventLogLayout.suffix) && !known.contains(key) {
        guard let hour = Self.hour(of: key), isInside(hour) else { continue }
        found[hour, default: ([], [])].keys.append(key)
      }
      let hours = found.sorted { $0.key < $1.key }.map {
        (hour: $0.key, waiting: $0.value.waiting, keys: $0.value.keys)
      }
      self.hours = hours
      return hours
    }

    /// Removes copies that a killed process left more than a day ago.
    private static func removeLeftovers(in directory: String) {
      for name in (try? EventLogLayout.names(in: directory)) ?? [] where name.hasPrefix(".reading-") {
        let path = "\(directory)/\(name)"
        var status = stat()
        if stat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > 86_400 {
          try? FileManager.default.removeItem(atPath: path)
        }
      }
    }

    /// The hour that a key is filed under; nil when it is filed otherwise.
    private static func hour(of key: String) -> EventHour? {
      let parts = key.split(separator: "/")
      guard parts.count == 7 else { return nil }
      return EventHour(path: parts[2...5].joined(separator: "/"))
    }
  }
}
