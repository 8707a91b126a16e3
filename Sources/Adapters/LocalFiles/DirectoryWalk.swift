import Core
import FoundationEssentials
import Glibc

/// One walk over a directory tree: names and file status only.
struct DirectoryWalk {
  let root: String
  let collection: CollectionName
  let include: [PathPattern]
  let exclude: [PathPattern]
  private var objects: [SourceObject] = []
  private var skipped: [SkippedObject] = []
  private var isComplete = true

  init(root: String, collection: CollectionName, include: [PathPattern], exclude: [PathPattern]) {
    self.root = root
    self.collection = collection
    self.include = include
    self.exclude = exclude
  }

  mutating func run() throws(LocalFilesError) -> SourceListing {
    var status = stat()
    guard stat(root, &status) == 0 else { throw .system("read", root, errno: errno) }
    if status.st_mode & S_IFMT == S_IFDIR {
      let entries = try Self.names(in: root)
      walk(root, relative: "", entries: entries, above: [FolderID(status)])
    } else {
      objects.append(object(path: root, status))
    }
    objects.sort { $0.uri < $1.uri }
    return SourceListing(
      objects: objects, skipped: skipped, isComplete: isComplete,
      rootStamp: "\(status.st_dev)-\(status.st_ino)")
  }

  /// Identifies a folder, so that links cannot lead around in circles.
  private struct FolderID: Hashable {
    let device: UInt
    let inode: UInt
    init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
    }
  }

  private mutating func walk(_ folder: String, relative: String, entries: [[UInt8]], above: Set<FolderID>) {
    for bytes in entries {
      guard bytes.first != UInt8(ascii: ".") else { continue }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        let shown = folder + "/" + String(decoding: bytes, as: UTF8.self)
        skip(shown, "source.name_not_utf8", "its name is not UTF-8")
        continue
      }
      let path = folder == "/" ? "/" + name : folder + "/" + name
      let below = relative.isEmpty ? name : relative + "/" + name
      var status = stat()
      guard stat(path, &status) == 0 else {
        let number = errno
        // What vanished between listing and looking is simply not there; a dangling link has a reason to be named.
        if number == ENOENT && !Self.isLink(path) { continue }
        skip(path, "source.unreadable", String(cString: strerror(number)))
        continue
      }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: descend(path, relative: below, status, above: above)
      case S_IFREG: take(path, relative: below, name: name, status)
      default:
        if name.lowercased().hasSuffix(".pdf") { skip(path, "source.not_a_file", "it is not a regular file") }
      }
    }
  }

  private mutating func descend(_ path: String, relative: String, _ status: stat, above: Set<FolderID>) {
    let id = FolderID(status)
    guard !above.contains(id) else {
      skip(path, "source.link_loop", "it leads back to a folder above it")
      return
    }
    guard above.count < 128 else {
      isComplete = false
      skip(path, "source.too_deep", "it is more than 128 folders deep")
      return
    }
    do {
      let entries = try Self.names(in: path)
      walk(path, relative: relative, entries: entries, above: above.union([id]))
    } catch {
      // An unreadable folder hides documents that may still be there: nothing may be deleted because of it.
      isComplete = false
      skip(path, error.code, error.message)
    }
  }

  private mutating func take(_ path: String, relative: String, name: String, _ status: stat) {
    let lower = name.lowercased()
    if Self.unfinished.contains(where: { lower.hasSuffix(".pdf" + $0) }) || lower.hasPrefix("~$") {
      skip(path, "source.unfinished", "it looks like an unfinished or temporary file")
      return
    }
    guard lower.hasSuffix(".pdf") else { return }
    guard include.isEmpty || include.contains(where: { $0.matches(relative) }),
      !exclude.contains(where: { $0.matches(relative) })
    else { return }
    objects.append(object(path: path, status))
  }

  private static let unfinished = [".part", ".crdownload", ".download", ".tmp", ".filepart", ".partial", "~"]

  private func object(path: String, _ status: stat) -> SourceObject {
    SourceObject(
      uri: SourceURI(filePath: path), collection: collection, byteCount: Int(status.st_size),
      modified: Date(
        timeIntervalSince1970: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9),
      stamp: FileStamp.make(status))
  }

  private mutating func skip(_ path: String, _ code: String, _ reason: String) {
    skipped.append(SkippedObject(name: LocalFilesError.quoted(path), code: code, reason: reason))
  }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// The names in a folder as bytes, sorted, without `.` and `..`.
  static func names(in folder: String) throws(LocalFilesError) -> [[UInt8]] {
    guard let directory = opendir(folder) else { throw .system("list", folder, errno: errno) }
    defer { closedir(directory) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(directory) else {
        if errno != 0 { throw .system("list", folder, errno: errno) }
        break
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in Array(raw.prefix { $0 != 0 }) }
      if name != [UInt8(ascii: ".")] && name != [UInt8(ascii: "."), UInt8(ascii: ".")] { names.append(name) }
    }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }
}
