import Concurrency
import Core
import FoundationEssentials
import QuarryTesting

/// Files in memory: a source and the reader of its "PDFs", whose bytes are their pages' texts.
actor FakeLibrary: DocumentSource, PageReader {
  nonisolated let root: SourceURI
  nonisolated let collection: CollectionName
  nonisolated let version = "fake-1"
  /// Stamps are given out once.
  nonisolated let stampsFollowRenames = true
  /// What the source notices; nil when it cannot.
  nonisolated let notices: FakeWatch?
  private var files: [SourceURI: (pages: [String], stamp: String)] = [:]
  private var stamps = 0
  private var errors: [SourceURI: any Error] = [:]
  private var listError: (any Error)?
  private(set) var opened: [String] = []
  private(set) var fetched: [String] = []
  private(set) var listings = 0
  private var returning: (name: String, file: (pages: [String], stamp: String))?
  /// How many listings find every file in writing.
  private var unsettledListings = 0
  private(set) var running = 0
  private(set) var mostRunning = 0
  var isComplete = true
  var rootStamp = "device-1"
  /// Pages that the reader keeps back at the end of every document.
  var withheld = 0
  /// What the reader finds wrong with every document as a whole.
  var damage: String?

  init(root: String = "/library", collection: CollectionName = .default, notices: FakeWatch? = nil) {
    self.notices = notices
    self.root = SourceURI(filePath: root)
    self.collection = collection
  }

  static func uri(_ name: String) -> SourceURI { SourceURI(filePath: "/library/\(name)") }

  func put(_ name: String, _ pages: [String]) {
    stamps += 1
    files[Self.uri(name)] = (pages, "stamp-\(stamps)")
  }
  func touch(_ name: String) {
    stamps += 1
    files[Self.uri(name)]?.stamp = "stamp-\(stamps)"
  }
  func remove(_ name: String) { files[Self.uri(name)] = nil }
  func rename(_ name: String, to other: String) {
    files[Self.uri(other)] = files.removeValue(forKey: Self.uri(name))
    touch(other)
  }
  /// As a file system does: the stamp stays.
  func move(_ name: String, to other: String) { files[Self.uri(other)] = files.removeValue(forKey: Self.uri(name)) }
  func removeAll() { files = [:] }
  /// Takes a file away until the next document is read, as if that took long.
  func removeUntilNextReading(_ name: String) {
    returning = files.removeValue(forKey: Self.uri(name)).map { (name, $0) }
  }
  func settle(after listings: Int) { unsettledListings = listings }
  func fail(_ name: String, with error: (any Error)?) { errors[Self.uri(name)] = error }
  func failListing(with error: (any Error)?) { listError = error }
  func set(isComplete: Bool? = nil, rootStamp: String? = nil, withheld: Int? = nil, damage: String? = nil) {
    self.damage = damage ?? self.damage
    self.isComplete = isComplete ?? self.isComplete
    self.rootStamp = rootStamp ?? self.rootStamp
    self.withheld = withheld ?? self.withheld
  }
  func object(_ name: String) -> SourceObject? { known(Self.uri(name)) }
  func object(at uri: SourceURI) async throws -> SourceObject? { known(uri) }

  private func known(_ uri: SourceURI) -> SourceObject? {
    files[uri].map {
      SourceObject(uri: uri, collection: collection, byteCount: 10, modified: Sample.date, stamp: $0.stamp)
    }
  }

  func watch(notify: @escaping @Sendable () -> Void) async -> (any SourceWatch)? {
    notices?.set(notify)
    return notices
  }

  func list() async throws -> SourceListing {
    listings += 1
    if let listError { throw listError }
    let names = files.keys.filter { $0 == root || $0.rawValue.hasPrefix(root.rawValue + "/") }
    return SourceListing(
      objects: names.sorted().compactMap(known),
      skipped: [SkippedObject(name: ".hidden", code: "source.hidden", reason: "hidden file")], isComplete: isComplete,
      rootStamp: rootStamp, unsettled: listings <= unsettledListings ? Set(names) : [])
  }

  func fetch(_ object: SourceObject) async throws -> LocalCopy {
    fetched.append(object.uri.name)
    guard let file = files[object.uri] else {
      throw CoreError(code: "source.vanished", category: .notFound, message: "\(object.uri.name) vanished")
    }
    return LocalCopy(
      path: object.uri.filePath ?? "",
      version: ContentVersion(rawValue: Sample.hex(file.pages.joined(separator: "\u{0C}"), digits: 64)), byteCount: 10,
      isTemporary: false)
  }

  func discard(_ copy: LocalCopy) async {}

  func open(path: String, name: String, passwords: [String]) async throws -> DocumentReading {
    opened.append(name)
    if let back = returning {
      files[Self.uri(back.name)] = back.file
      returning = nil
    }
    running += 1
    mostRunning = max(mostRunning, running)
    try? await Task.sleep(for: .milliseconds(2))
    running -= 1
    let uri = SourceURI(filePath: path)
    if let error = errors[uri] { throw error }
    let pages = (files[uri]?.pages ?? []).enumerated().map { index, text -> ExtractedPage in
      var page = PrintedPage(index + 1)
      for (line, words) in text.split(separator: "\n").enumerated() {
        page.print(String(words), x: 50, y: 100 + Float(line) * 12)
      }
      if text.isEmpty { page.imageCoverage = 1 }
      return page.extracted
    }
    let kept = pages.dropLast(withheld)
    let stream = AsyncThrowingStream<ExtractedPage, any Error> { continuation in
      for page in kept { continuation.yield(page) }
      continuation.finish()
    }
    return DocumentReading(
      document: ExtractedDocument(
        pageCount: pages.count, metadata: DocumentMetadata(title: "Title of \(name)"), outline: [], damage: damage),
      pages: stream)
  }
}

/// Notices made by hand.
final class FakeWatch: SourceWatch {
  private struct State {
    var changes: SourceChanges?
    var notify: @Sendable () -> Void = {}
    var isStopped = false
    var ends: [ChangesEnd] = []
  }

  private let state = Locked(State())

  /// How the work on what was told ended, each time.
  var ends: [ChangesEnd] { state.withLock { $0.ends } }

  func settle(_ end: ChangesEnd) async { state.withLock { $0.ends.append(end) } }

  var isStopped: Bool { state.withLock { $0.isStopped } }

  func set(_ notify: @escaping @Sendable () -> Void) { state.withLock { $0.notify = notify } }

  func tell(_ changes: SourceChanges) {
    let notify = state.withLock { state in
      state.changes = changes
      return state.notify
    }
    notify()
  }

  func take() async -> SourceChanges? {
    state.withLock { state in
      defer { state.changes = nil }
      return state.changes
    }
  }

  func stop() async { state.withLock { $0.isStopped = true } }
}
