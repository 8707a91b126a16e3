import CLinux
import Concurrency
package import Core
import FoundationEssentials
import Glibc

/// Notices what happens below a directory, on a thread of its own.
///
/// Each folder has a watch of inotify(7), added before the folder is listed, so that nothing happens unseen. What is
/// noticed waits in ``PendingChanges`` and is looked at again when it is ready: changes say what is there then, not
/// what the events said.
package final class DirectoryWatch: SourceWatch {
  private struct State {
    /// Folders by watch, and back.
    var folders: [Int32: String] = [:]
    var watches: [SourceURI: Int32] = [:]
    var pending: PendingChanges
    /// Folders that appeared and are to be looked into; `isMoved` when they were complete before.
    var appeared: [(path: String, isMoved: Bool)] = []
    var ready = ReadyChanges()
    var isStopped = false
    var isLimitTold = false
  }

  private let place: DirectoryPlace
  private let times: PendingChanges.Times
  private let notify: @Sendable () -> Void
  private let inotify: Inotify?
  private let wakeRead: Int32
  private let wakeWrite: Int32
  private let queue = BlockingQueue(label: "quarry.directory-watch")
  private let state: Locked<State>

  /// Nil when the process has no descriptors left.
  /// - Parameter limit: Folders that may be watched; for tests.
  init?(
    _ place: DirectoryPlace, times: PendingChanges.Times, limit: Int = .max, notify: @escaping @Sendable () -> Void
  ) {
    var ends: (Int32, Int32) = (-1, -1)
    guard clinux_pipe(&ends.0, &ends.1) == 0 else { return nil }
    _ = clinux_set_nonblocking(ends.0)
    _ = clinux_set_nonblocking(ends.1)
    (wakeRead, wakeWrite) = ends
    self.place = place
    self.times = times
    self.notify = notify
    inotify = Inotify(limit: limit)
    state = Locked(State(pending: PendingChanges(times: times)))
    if inotify == nil {
      tell(.instances)
    } else if let name = FileSystem(of: place.root).remoteName {
      tell(.remote(root: place.root, fileSystem: name))
    }
  }

  deinit {
    close(wakeRead)
    close(wakeWrite)
  }

  // MARK: For the source and its user

  func start() {
    Task.detached { [self] in await queue.run { [self] in loop() } }
    wake()
  }

  var isStopped: Bool { state.withLock { $0.isStopped } }

  /// Watches a folder; again is no harm.
  func add(_ folder: String) {
    guard let inotify else { return }
    state.withLock { state in
      let uri = SourceURI(filePath: folder)
      switch inotify.add(folder, count: state.watches[uri] == nil ? state.watches.count : 0) {
      case .success(let watch):
        if let former = state.folders[watch], former != folder { state.watches[SourceURI(filePath: former)] = nil }
        state.folders[watch] = folder
        state.watches[uri] = watch
      case .failure(let failure) where failure.number == ENOSPC || failure.number == ENOMEM:
        if !state.isLimitTold { state.ready.shortfall = .limit(watched: state.watches.count) }
        state.isLimitTold = true
      case .failure:
        // Gone again, or unreadable: the listing says so.
        break
      }
    }
  }

  /// Watches what is beside a root that is a file.
  func addFolderOfRoot() {
    let folder = place.root.lastIndex(of: "/").map { String(place.root[..<$0]) } ?? ""
    add(folder.isEmpty ? "/" : folder)
  }

  /// Those of `objects` that may still be in writing; they are told when they are not any more.
  func unsettled(_ objects: [SourceObject]) -> Set<SourceURI> {
    let (now, wallTime) = (ContinuousClock.now, Date())
    var unsettled: Set<SourceURI> = []
    state.withLock { state in
      for object in objects {
        let isRecent = FirstSights.isRecent(object, settle: times.settle, wallTime: wallTime)
        if state.pending.seen(object.uri, stamp: object.stamp, isRecent: isRecent, at: now) {
          unsettled.insert(object.uri)
        }
      }
    }
    wake()
    return unsettled
  }

  package func take() async -> SourceChanges? { state.withLock { $0.ready.take() } }

  package func stop() async {
    state.withLock { $0.isStopped = true }
    wake()
    await queue.run {}
  }

  // MARK: The thread

  private func wake() {
    var byte: UInt8 = 1
    // A full pipe wakes as well.
    _ = write(wakeWrite, &byte, 1)
  }

  private func loop() {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
    defer { buffer.deallocate() }
    let tick = Int32(max(10, min(1000, times.debounce / .milliseconds(2))))
    while true {
      let (isStopped, isIdle) = state.withLock { ($0.isStopped, $0.pending.isEmpty && $0.ready.shortfall == nil) }
      if isStopped { return }
      var descriptors = [
        pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0),
        // A negative descriptor is passed over.
        pollfd(fd: inotify?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&descriptors, 2, isIdle ? -1 : tick)
      while read(wakeRead, buffer.baseAddress, buffer.count) > 0 {}
      // A bounded round, so that a storm of events does not keep what is ready back.
      for _ in 0..<64 {
        guard let events = inotify?.read(into: buffer), !events.isEmpty else { break }
        process(events)
      }
      collect()
    }
  }

  /// Takes notice of events as if the kernel had told them, for tests.
  package func receive(_ events: [InotifyEvent]) {
    process(events)
    wake()
  }

  private func process(_ events: [InotifyEvent]) {
    let appeared = state.withLock { state in
      for event in events { handle(event, &state, at: .now) }
      defer { state.appeared = [] }
      return state.appeared
    }
    for folder in appeared { look(into: folder.path, isMoved: folder.isMoved) }
  }

  private func handle(_ event: InotifyEvent, _ state: inout State, at now: ContinuousClock.Instant) {
    if event.kind.contains(.overflow) { return state.pending.overflowed(at: now) }
    guard let folder = state.folders[event.watch] else { return }
    if event.kind.contains(.ignored) {
      state.folders[event.watch] = nil
      state.watches[SourceURI(filePath: folder)] = nil
      return
    }
    if !event.kind.isDisjoint(with: [.selfDeleted, .selfMoved, .unmounted]) {
      if folder == place.root { state.pending.overflowed(at: now) }
      return
    }
    guard let name = String(validating: event.name, as: UTF8.self), !name.isEmpty, !name.hasPrefix(".") else { return }
    let path = folder == "/" ? "/" + name : folder + "/" + name
    let uri = SourceURI(filePath: path)
    let isGone = !event.kind.isDisjoint(with: [.deleted, .movedFrom])
    if event.kind.contains(.isFolder) || (isGone && state.watches[uri] != nil) {
      guard place.relative(path) != nil else { return }
      if isGone {
        forget(uri, &state)
        state.pending.vanished(uri, isFolder: true, at: now)
      } else {
        state.appeared.append((path, event.kind.contains(.movedTo)))
      }
      return
    }
    if isGone {
      if place.takes(path) { state.pending.vanished(uri, isFolder: false, at: now) }
    } else {
      arrived(path, uri, event.kind, &state, at: now)
    }
  }

  private func arrived(
    _ path: String, _ uri: SourceURI, _ kind: InotifyEvent.Kind, _ state: inout State,
    at now: ContinuousClock.Instant
  ) {
    var status = stat()
    if kind.contains(.closedAfterWriting) {
      if place.takes(path) { state.pending.completed(uri, at: now) }
    } else if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK {
      // Whether a link is taken depends on what else leads to its target.
      if place.relative(path) != nil { state.pending.overflowed(at: now) }
    } else if !place.takes(path) {
      return
    } else if kind.contains(.movedTo) || status.st_nlink > 1 {
      // A second name of a file that was there: nobody will close it.
      state.pending.completed(uri, at: now)
    } else {
      state.pending.created(uri, at: now)
    }
  }

  /// Ends the watches of a folder and of those below: it went elsewhere, and what happens there is no business of
  /// this source.
  private func forget(_ folder: SourceURI, _ state: inout State) {
    let below = folder.rawValue + "/"
    for (uri, watch) in state.watches where uri == folder || uri.rawValue.utf8.starts(with: below.utf8) {
      inotify?.remove(watch)
      state.watches[uri] = nil
      state.folders[watch] = nil
    }
  }

  /// Looks into a folder that appeared: what was put there before it had a watch made no event.
  private func look(into folder: String, isMoved: Bool) {
    var walk = DirectoryWalk(place) { [self] in add($0) }
    let (objects, needsListing) = walk.run(below: folder)
    let (now, wallTime) = (ContinuousClock.now, Date())
    state.withLock { state in
      if needsListing { state.pending.overflowed(at: now) }
      for object in objects {
        // A folder that was moved here was complete elsewhere.
        let isRecent = !isMoved && FirstSights.isRecent(object, settle: times.settle, wallTime: wallTime)
        if !state.pending.seen(object.uri, stamp: object.stamp, isRecent: isRecent, at: now) {
          state.pending.completed(object.uri, at: now)
        }
      }
    }
  }

  /// Looks at what is ready, and tells when there are changes.
  private func collect() {
    let ready = state.withLock { $0.pending.take(at: .now) }
    let found = ReadyChanges.Found(ready, in: place)
    let hasChanges = state.withLock { state in
      for (uri, file, stamp) in found.again { state.pending.wait(for: uri, file, stamp: stamp, at: .now) }
      state.ready.add(found, limit: PendingChanges.limit)
      return state.ready.hasNews()
    }
    if hasChanges { notify() }
  }

  private func tell(_ shortfall: NoticeShortfall) { state.withLock { $0.ready.shortfall = shortfall } }
}
