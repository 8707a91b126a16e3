package import Core
package import FoundationEssentials
import Telemetry

/// Reads the log hour by hour, merging the files of each hour by time.
struct EventCursor {
  private let layout: EventLogLayout
  private let start: Date
  private let end: Date
  private let kind: EventKind?
  private let unreadable: @Sendable (String) -> Void
  private var hours: [EventHour]?
  private var nextHour = 0
  private var merge: EventMerge?

  init(
    layout: EventLogLayout, from start: Date, to end: Date, kind: EventKind?,
    unreadable: @escaping @Sendable (String) -> Void
  ) {
    self.layout = layout
    self.start = start
    self.end = end
    self.kind = kind
    self.unreadable = unreadable
  }

  /// Up to `count` events; none at the end.
  mutating func next(_ count: Int) throws(LocalFilesError) -> [Event] {
    let hours = try startedHours()
    var events: [Event] = []
    while events.count < count {
      if let event = merge?.next() {
        events.append(event)
        continue
      }
      guard nextHour < hours.count else { break }
      merge = EventMerge(
        paths: try layout.files(of: hours[nextHour]), range: start..<end, kind: kind, unreadable: unreadable)
      nextHour += 1
    }
    return events
  }

  private mutating func startedHours() throws(LocalFilesError) -> [EventHour] {
    if let hours { return hours }
    let found = start < end ? try layout.hours(from: EventHour(of: start), to: EventHour(of: end)) : []
    hours = found
    return found
  }
}

/// The events of several files in order of time.
///
/// A writer's lines are nearly in order: threads overtake each other by a batch at most. So each file is read a
/// window ahead. An hour of few bytes is read whole, which sorts it whatever its order.
package struct EventMerge {
  /// Compressed bytes of an hour that is read whole.
  package static let smallHour = 8 << 20
  /// Events held for all files of a larger hour, about 4 KB each with their vectors.
  package static let heldEvents = 8192

  private let range: Range<Date>
  private let kind: EventKind?
  private let unreadable: @Sendable (String) -> Void
  private var files: [EventFileLines] = []
  private var heap = EventHeap()

  package init(
    paths: [String], unfinished: Set<String> = [], range: Range<Date>, kind: EventKind?,
    unreadable: @escaping @Sendable (String) -> Void,
    smallHour: Int = EventMerge.smallHour, heldEvents: Int = EventMerge.heldEvents
  ) {
    self.range = range
    self.kind = kind
    self.unreadable = unreadable
    for path in paths {
      do {
        files.append(try EventFileLines(path: path, isUnfinished: unfinished.contains(path)))
      } catch {
        // Deleted by retention since the folder was listed: not there is not unreadable.
        if error.code != "file.missing" { unreadable("\(LocalFilesError.quoted(path)): \(error.message)") }
      }
    }
    let isSmall = files.reduce(0) { $0 + $1.length } <= smallHour
    let window = isSmall ? Int.max : max(16, heldEvents / max(1, files.count))
    for file in files.indices {
      var held = 0
      while held < window, readOne(of: file) { held += 1 }
    }
  }

  package mutating func next() -> Event? {
    guard let (event, file) = heap.removeFirst() else { return nil }
    _ = readOne(of: file)
    return event
  }

  /// Adds the next wanted event of a file to the heap; false at its end.
  private mutating func readOne(of file: Int) -> Bool {
    while let item = files[file].next() {
      switch item {
      case .unreadable(let report): unreadable(report)
      case .line(let line, let number):
        if let kind, EventLine.isOther(line, than: kind) { continue }
        do {
          let event = try EventCoding.decode(line)
          guard range.contains(event.time), kind == nil || event.payload.kind == kind else { continue }
          heap.insert(event, file: file)
          return true
        } catch {
          unreadable(
            "\(LocalFilesError.quoted(files[file].path)): line \(number) is not an event: \(EventLine.reason(error))")
        }
      }
    }
    return false
  }
}

/// What can be said of a line.
enum EventLine {
  /// Whether the line surely is of another kind. Saves reading vectors when answers are sought; a quote inside a
  /// JSON text is escaped, so that the pattern cannot be part of one.
  static func isOther(_ line: [UInt8], than kind: EventKind) -> Bool {
    let key = Array("\"type\":\"".utf8)
    var place = 0
    while place + key.count < line.count {
      if line[place] == key[0], line[place...].starts(with: key) {
        return !line[(place + key.count)...].starts(with: Array((kind.rawValue + "\"").utf8))
      }
      place += 1
    }
    return false
  }

  /// Why a line could not be decoded, without its content.
  static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    switch error {
    case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      let place = context.codingPath.map(\.stringValue).joined(separator: ".")
      return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
    @unknown default: return "it cannot be decoded"
    }
  }
}

/// A binary heap of events: the oldest first; those of one time in the order of files and lines.
struct EventHeap {
  private struct Entry {
    let event: Event
    let file: Int
    let sequence: Int

    func precedes(_ other: Entry) -> Bool {
      (event.time, file, sequence) < (other.event.time, other.file, other.sequence)
    }
  }

  private var entries: [Entry] = []
  private var sequence = 0

  mutating func insert(_ event: Event, file: Int) {
    entries.append(Entry(event: event, file: file, sequence: sequence))
    sequence += 1
    var child = entries.count - 1
    while child > 0, entries[child].precedes(entries[(child - 1) / 2]) {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func removeFirst() -> (event: Event, file: Int)? {
    guard let first = entries.first else { return nil }
    let last = entries.removeLast()
    if !entries.isEmpty {
      entries[0] = last
      var parent = 0
      while true {
        var least = parent
        for child in [2 * parent + 1, 2 * parent + 2]
        where child < entries.count && entries[child].precedes(entries[least]) { least = child }
        if least == parent { break }
        entries.swapAt(parent, least)
        parent = least
      }
    }
    return (first.event, first.file)
  }
}
