import CLinux
import Glibc

/// One notice of the kernel. Source: inotify(7).
package struct InotifyEvent: Sendable, Hashable {
  /// What happened.
  package struct Kind: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    private init(_ bits: clinux_inotify_bits) { self.init(rawValue: UInt32(bits.rawValue)) }

    /// A file that was open for writing was closed.
    package static let closedAfterWriting = Kind(CLINUX_IN_CLOSE_WRITE)
    package static let movedFrom = Kind(CLINUX_IN_MOVED_FROM)
    package static let movedTo = Kind(CLINUX_IN_MOVED_TO)
    package static let created = Kind(CLINUX_IN_CREATE)
    package static let deleted = Kind(CLINUX_IN_DELETE)
    /// The watched folder itself is gone, went elsewhere, or its file system was unmounted.
    package static let selfDeleted = Kind(CLINUX_IN_DELETE_SELF)
    package static let selfMoved = Kind(CLINUX_IN_MOVE_SELF)
    package static let unmounted = Kind(CLINUX_IN_UNMOUNT)
    /// Events were lost.
    package static let overflow = Kind(CLINUX_IN_Q_OVERFLOW)
    /// The watch is over.
    package static let ignored = Kind(CLINUX_IN_IGNORED)
    package static let isFolder = Kind(CLINUX_IN_ISDIR)

    static let subscribed: Kind = [
      .closedAfterWriting, .movedFrom, .movedTo, .created, .deleted, .selfDeleted, .selfMoved,
      Kind(CLINUX_IN_ONLYDIR), Kind(CLINUX_IN_EXCL_UNLINK),
    ]
  }

  /// The watch that it belongs to; -1 for an overflow.
  package var watch: Int32
  package var kind: Kind
  /// Connects the two halves of a rename; 0 for other events.
  package var cookie: UInt32
  /// The name in the watched folder; empty when the event is about the folder itself.
  package var name: [UInt8]

  package init(watch: Int32, kind: Kind, cookie: UInt32 = 0, name: [UInt8] = []) {
    self.watch = watch
    self.kind = kind
    self.cookie = cookie
    self.name = name
  }
}

/// An instance of inotify(7); closed with the object.
final class Inotify: Sendable {
  let descriptor: Int32
  /// Watches that may be added in all; for tests, which cannot lower the system's limit.
  private let limit: Int

  /// Nil, with `errno` set, when the system has no more instances.
  init?(limit: Int = .max) {
    self.limit = limit
    descriptor = clinux_inotify_open()
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  /// Watches a folder, links followed. One folder has one watch, whatever its names.
  /// - Returns: The watch, or the error's number; `ENOSPC` when the user has no more watches.
  func add(_ folder: String, count: Int) -> Result<Int32, InotifyFailure> {
    guard count < limit else { return .failure(InotifyFailure(number: ENOSPC)) }
    let watch = inotify_add_watch(descriptor, folder, InotifyEvent.Kind.subscribed.rawValue)
    return watch < 0 ? .failure(InotifyFailure(number: errno)) : .success(watch)
  }

  func remove(_ watch: Int32) { _ = inotify_rm_watch(descriptor, watch) }

  /// The events that wait, at most a buffer full; empty when there are none.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> [InotifyEvent] {
    var count = -1
    repeat { count = Glibc.read(descriptor, buffer.baseAddress, buffer.count) } while count < 0 && errno == EINTR
    guard count > 0 else { return [] }
    return Self.parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }

  /// `struct inotify_event`: wd, mask, cookie, len, then len bytes of name padded with zeros.
  private static func parse(_ bytes: UnsafeRawBufferPointer) -> [InotifyEvent] {
    var events: [InotifyEvent] = []
    var offset = 0
    while offset + 16 <= bytes.count {
      func word(_ index: Int) -> UInt32 { bytes.loadUnaligned(fromByteOffset: offset + 4 * index, as: UInt32.self) }
      let length = Int(word(3))
      guard offset + 16 + length <= bytes.count else { break }
      events.append(
        InotifyEvent(
          watch: Int32(bitPattern: word(0)), kind: .init(rawValue: word(1)), cookie: word(2),
          name: Array(bytes[(offset + 16)..<(offset + 16 + length)].prefix { $0 != 0 })))
      offset += 16 + length
    }
    return events
  }
}

/// A failed call of inotify.
struct InotifyFailure: Error {
  let number: Int32
}
