import Concurrency
public import Core
import Cryptography
import FoundationEssentials
import Glibc

/// The PDFs of a directory and its folders, or a single file.
///
/// Passed over without a word: hidden names (a leading dot) and files without the suffix `.pdf`. Passed over with
/// a reason: unfinished downloads and editors' temporary files, links that lead nowhere, back to a folder above or to
/// what is listed under its own name, names that are not UTF-8, and what cannot be read. A link that leads out of the
/// root is listed under its own path, so that all of a source's documents are below its root. A file named as the
/// root itself is taken whatever its name.
public struct DirectorySource: DocumentSource {
  /// The root as a `file://` URI with links resolved.
  public let root: SourceURI
  /// The collection of everything below.
  public let collection: CollectionName
  /// Whether the file system of the root, when it was listed last, has inodes that stay a file's own.
  public var stampsFollowRenames: Bool { hasLastingInodes.withLock { $0 } }
  let place: DirectoryPlace
  private let settleTime: Duration?
  private let debounce: Duration
  private let hasLastingInodes = Locked(false)
  private let sights = Locked(FirstSights())
  private let watching = Locked<DirectoryWatch?>(nil)
  private let queue = BlockingQueue(label: "quarry.directory-source")

  /// Opens a directory or file.
  /// - Parameters:
  ///   - path: Absolute or relative to the working directory.
  ///   - collection: The collection of everything below.
  ///   - include: Patterns of paths taken; empty for every PDF.
  ///   - exclude: Patterns of paths left out.
  ///   - mayBeMissing: Whether a root that does not exist is told by `list()` rather than here.
  ///   - settleTime: Time for which a file that changed a moment ago must stay as it is before it counts as complete;
  ///     nil to take every file as it is, for someone who names what is complete.
  ///   - debounce: A pause of this length ends a burst of changes, which are then taken together.
  /// - Throws: `source.missing` when nothing is there.
  public init(
    path: String, collection: CollectionName, include: [PathPattern] = [], exclude: [PathPattern] = [],
    mayBeMissing: Bool = false, settleTime: Duration? = nil, debounce: Duration = .milliseconds(500)
  ) throws {
    guard let resolved = realpath(path, nil) ?? (mayBeMissing ? Self.expectedPath(path) : nil) else {
      let reason = String(cString: strerror(errno))
      throw LocalFilesError(
        "source.missing", errno == EACCES ? .forbidden : .notFound,
        "cannot open \(LocalFilesError.quoted(path)): \(reason)",
        remedy: "Name a directory or a PDF that exists and that Quarry's user may read.")
    }
    defer { free(resolved) }
    guard let text = String(validatingCString: resolved) else {
      throw LocalFilesError(
        "source.name_not_utf8", .invalidInput, "the name of \(LocalFilesError.quoted(path)) is not UTF-8",
        remedy: "Rename it.")
    }
    place = DirectoryPlace(
      root: text, collection: collection, rules: DirectoryRules(include: include, exclude: exclude))
    root = SourceURI(filePath: text)
    self.collection = collection
    self.settleTime = settleTime
    self.debounce = debounce
  }

  /// Where a path would be that does not exist: the links of the folders that do exist resolved, the rest as it is.
  /// Sets `errno` to that of the path itself when there is no telling.
  private static func expectedPath(_ path: String) -> UnsafeMutablePointer<CChar>? {
    let reason = errno
    defer { errno = reason }
    guard reason == ENOENT else { return nil }
    var rest: [Substring] = []
    var names = path.split(separator: "/")
    guard !names.contains("..") else { return nil }
    while let last = names.popLast() {
      rest.insert(last, at: 0)
      let folder = (path.hasPrefix("/") ? "/" : "./") + names.joined(separator: "/")
      guard let resolved = realpath(folder, nil) else { continue }
      defer { free(resolved) }
      let base = String(cString: resolved)
      return strdup((base == "/" ? "" : base) + "/" + rest.joined(separator: "/"))
    }
    return nil
  }

  /// Lists the PDFs below the root without reading them. While the source is watched this also renews the watch of
  /// each folder.
  public func list() async throws -> SourceListing {
    try await queue.run { [place, settleTime, sights] () throws(LocalFilesError) in
      let watch = watching.withLock { $0?.isStopped == false ? $0 : nil }
      var walk = DirectoryWalk(place) { watch?.add($0) }
      var listing = try walk.run()
      hasLastingInodes.withLock { $0 = FileSystem(of: place.root).hasLastingInodes }
      if let watch {
        if listing.objects.first?.uri == root { watch.addFolderOfRoot() }
        listing.unsettled = watch.unsettled(listing.objects)
      } else if let settleTime {
        listing.unsettled = sights.withLock {
          $0.unsettled(listing.objects, settle: settleTime, wallTime: Date(), now: .now)
        }
      }
      return listing
    }
  }

  /// Describes one file; nil when it is not there, or none that is taken.
  /// - Throws: `file.missing` when the root is missing, `file.unreadable`.
  public func object(at uri: SourceURI) async throws -> SourceObject? {
    guard let path = uri.filePath, place.takes(path) else { return nil }
    return try await queue.run { [place] () throws(LocalFilesError) in
      guard place.rootStamp != nil else { throw .system("read", place.root, errno: ENOENT) }
      return try place.object(path)
    }
  }

  /// Begins to notice changes below the root, by inotify(7).
  public func watch(notify: @escaping @Sendable () -> Void) async -> (any SourceWatch)? {
    await watch(folderLimit: .max, notify: notify)
  }

  /// The same with a limit of folders that may be watched, for tests, which cannot lower the system's.
  package func watch(folderLimit: Int, notify: @escaping @Sendable () -> Void) async -> DirectoryWatch? {
    let times = PendingChanges.Times(debounce: debounce, settle: settleTime ?? .seconds(2))
    let watch = await queue.run { [place] in
      DirectoryWatch(place, times: times, limit: folderLimit, notify: notify)
    }
    let former = watching.withLock { current in
      defer { current = watch }
      return current
    }
    await former?.stop()
    watch?.start()
    return watch
  }

  /// Hashes an object's bytes where they are; nothing is copied.
  /// - Throws: `source.vanished`, `source.changed` when it changed while being read, `source.not_a_file`.
  public func fetch(_ object: SourceObject) async throws -> LocalCopy {
    guard let path = object.uri.filePath else {
      throw LocalFilesError("source.foreign", .internal, "\(object.uri) is not a file")
    }
    return try await queue.run { () throws(LocalFilesError) in
      let hashed = try FileHash.compute(path: path)
      return LocalCopy(
        path: path, version: hashed.version, byteCount: hashed.byteCount, isTemporary: false, stamp: hashed.stamp)
    }
  }

  /// Compares the file's size, modification time and inode with those it had when it was hashed.
  /// - Throws: `source.vanished`, `source.changed`.
  public func confirm(_ copy: LocalCopy) async throws {
    try await queue.run { () throws(LocalFilesError) in
      var status = stat()
      guard stat(copy.path, &status) == 0 else {
        throw errno == ENOENT ? .vanished(copy.path) : .system("read", copy.path, errno: errno)
      }
      guard FileStamp.make(status) == copy.stamp else { throw .changed(copy.path) }
    }
  }

  /// Nothing to release: the copy is the source's own file.
  public func discard(_ copy: LocalCopy) async {}
}

/// The stamp of a file: size, modification time in nanoseconds, inode and device.
enum FileStamp {
  static func make(_ status: stat) -> String {
    "\(status.st_size)-\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)-\(status.st_ino)-\(status.st_dev)"
  }

  static func isSame(_ a: stat, _ b: stat) -> Bool { make(a) == make(b) }
}

/// The hash of a whole file, computed in one pass.
enum FileHash {
  static func compute(
    path: String
  ) throws(LocalFilesError) -> (version: ContentVersion, byteCount: Int, stamp: String) {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT { throw .vanished(path) }
      throw .system("open", path, errno: errno)
    }
    defer { close(file) }
    var before = stat()
    guard fstat(file, &before) == 0 else { throw .system("read", path, errno: errno) }
    guard before.st_mode & S_IFMT == S_IFREG else {
      throw LocalFilesError(
        "source.not_a_file", .invalidInput, "\(LocalFilesError.quoted(path)) is not a regular file",
        remedy: "Name a PDF file.")
    }
    var digest = SHA256()
    var count = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let got = read(file, buffer.baseAddress, buffer.count)
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw .system("read", path, errno: errno) }
      if got == 0 { break }
      digest.update(UnsafeRawBufferPointer(rebasing: buffer[0..<got]))
      count += got
    }
    var after = stat()
    guard fstat(file, &after) == 0, FileStamp.isSame(before, after), count == Int(after.st_size) else {
      throw .changed(path)
    }
    return (ContentVersion(rawValue: digest.finalize().hexadecimal), count, FileStamp.make(after))
  }
}
