import Core

/// Changes that wait until they are complete and quiet: decides when, knows no file system.
///
/// A burst becomes one set of changes: whatever arrives while it lasts is kept back, but not for ever.
struct PendingChanges {
  typealias Instant = ContinuousClock.Instant

  /// How long things wait.
  struct Times: Sendable {
    /// A pause that ends a burst.
    var debounce: Duration
    /// Files that nobody said to be complete must stay as they are for this time.
    var settle: Duration
    /// Files that were begun must be closed, or stay as they are for this long time: a copy may stall.
    var patience: Duration { settle * 30 }
    /// The longest wait for the end of a burst, and of a burst of deletions.
    var longest: Duration { debounce * 20 }
    var longestOfDeletions: Duration { max(settle * 30, longest) }
  }

  /// A file to be looked at.
  struct File {
    /// Not before this time; nil when it is complete as far as can be told.
    var due: Instant?
    /// It must have this stamp then, or wait again for as long; nil to take it as it is.
    var stamp: String?
    /// It was created and not closed yet.
    var isOpen: Bool
  }

  /// More are not kept in memory: then everything is listed.
  static let limit = 10_000

  let times: Times
  private(set) var files: [SourceURI: File] = [:]
  private(set) var gone: Set<SourceURI> = []
  /// More changed than is told here.
  private(set) var needsListing = false
  private var first: Instant?
  private var last: Instant?

  init(times: Times) { self.times = times }

  /// Nothing waits.
  var isEmpty: Bool { files.isEmpty && gone.isEmpty && !needsListing }

  // MARK: What happens

  /// A file was created; whoever did so will close it.
  mutating func created(_ uri: SourceURI, at now: Instant) {
    note(now)
    gone.remove(uri)
    add(uri, File(due: now + times.patience, stamp: nil, isOpen: true), at: now)
  }

  /// A file is complete: closed after writing, or moved here.
  mutating func completed(_ uri: SourceURI, at now: Instant) {
    note(now)
    gone.remove(uri)
    add(uri, File(due: nil, stamp: nil, isOpen: false), at: now)
  }

  /// A file of which nothing is known was seen; `isRecent` when it changed a moment ago, and may still be in writing.
  /// Returns whether it waits.
  @discardableResult
  mutating func seen(_ uri: SourceURI, stamp: String, isRecent: Bool, at now: Instant) -> Bool {
    if let file = files[uri], file.due != nil { return true }
    guard isRecent else { return false }
    add(uri, File(due: now + times.settle, stamp: stamp, isOpen: false), at: now)
    return true
  }

  /// A file or folder went away.
  mutating func vanished(_ uri: SourceURI, isFolder: Bool, at now: Instant) {
    note(now)
    files[uri] = nil
    if isFolder {
      let below = uri.rawValue + "/"
      for known in files.keys where known.rawValue.utf8.starts(with: below.utf8) { files[known] = nil }
    }
    if needsListing { return }
    gone.insert(uri)
    if gone.count > Self.limit { overflowed(at: now) }
  }

  /// Events were lost, or tell too little: everything has to be listed. Files that may be in writing still wait.
  mutating func overflowed(at now: Instant) {
    note(now)
    files = files.count > Self.limit ? [:] : files.filter { $0.value.due != nil }
    gone = []
    needsListing = true
  }

  // MARK: What is ready

  /// What is to be looked at now.
  struct Ready {
    var files: [(uri: SourceURI, file: File)] = []
    var gone: [SourceURI] = []
    var needsListing = false
  }

  /// Takes out what is ready: the burst when it is over, and the files whose own time has come.
  mutating func take(at now: Instant) -> Ready {
    var ready = Ready()
    if isQuiet(at: now) {
      ready.gone = gone.sorted()
      ready.needsListing = needsListing
      gone = []
      needsListing = false
      first = nil
      last = nil
      ready.files = files.filter { $0.value.due == nil }.map { ($0.key, $0.value) }
    }
    // Not in the middle of a burst either, which may tell where a file comes from.
    if first == nil {
      ready.files += files.filter { $0.value.due.map { $0 <= now } ?? false }.map { ($0.key, $0.value) }
    }
    ready.files.sort { $0.uri < $1.uri }
    for file in ready.files { files[file.uri] = nil }
    return ready
  }

  /// Puts a file back that was not as it should be when its time came.
  mutating func wait(for uri: SourceURI, _ file: File, stamp: String, at now: Instant) {
    let time = file.isOpen ? times.patience : times.settle
    add(uri, File(due: now + time, stamp: stamp, isOpen: file.isOpen), at: now)
  }

  private func isQuiet(at now: Instant) -> Bool {
    guard let first, let last else { return false }
    let isMany = gone.count >= 10
    return now - last >= (isMany ? max(times.settle, times.debounce) : times.debounce)
      || now - first >= (isMany ? times.longestOfDeletions : times.longest)
  }

  private mutating func note(_ now: Instant) {
    first = first ?? now
    last = now
  }

  private mutating func add(_ uri: SourceURI, _ file: File, at now: Instant) {
    // The listing finds what is complete.
    files[uri] = needsListing && file.due == nil ? nil : file
    if files.count > Self.limit { overflowed(at: now) }
  }
}
