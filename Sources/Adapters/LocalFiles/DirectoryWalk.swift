import Core
import FoundationEssentials
import Glibc

/// One walk over a directory tree: names and file status only.
struct DirectoryWalk {
  private let place: DirectoryPlace
  /// Told each folder before its names are read, so that a watch that begins then misses nothing.
  private let enter: (String) -> Void
  private var objects: [SourceObject] = []
  private var skipped: [SkippedObject] = []
  private var isComplete = true
  private var folders: Set<FileID> = []
  private var files: Set<FileID> = []
  /// Links are followed when everything has been seen under its own name, those to files last, so that each folder
  /// and file is taken once, and under its own name if it has one below the root.
  private var links: [Link] = []
  private var linksToFiles: [Link] = []

  init(_ place: DirectoryPlace, enter: @escaping (String) -> Void = { _ in }) {
    self.place = place
    self.enter = enter
  }

  mutating func run() throws(LocalFilesError) -> SourceListing {
    let root = place.root
    var status = stat()
    guard stat(root, &status) == 0 else { throw .system("read", root, errno: errno) }
    if status.st_mode & S_IFMT == S_IFDIR {
      enter(root)
      let entries = try Self.names(in: root)
      let id = FileID(status)
      folders.insert(id)
      walk(root, relative: "", entries: entries, above: [id])
      var next = 0
      while next < links.count {
        follow(links[next], isLast: false)
        next += 1
      }
      for link in linksToFiles { follow(link, isLast: true) }
    } else {
      objects.append(place.object(root, status))
    }
    objects.sort { $0.uri < $1.uri }
    return SourceListing(
      objects: objects, skipped: skipped, isComplete: isComplete,
      rootStamp: DirectoryPlace.rootStamp(status))
  }

  /// Looks at a folder below the root that has just appeared, and at everything in it. Links are not followed: what
  /// they lead to depends on the rest of the tree.
  /// - Returns: The files, and whether something is there that only a listing can judge.
  mutating func run(below folder: String) -> (objects: [SourceObject], needsListing: Bool) {
    var status = stat()
    guard let relative = place.relative(folder), !DirectoryRules.isHidden(relative: relative),
      lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR
    else { return ([], false) }
    descend(folder, relative: relative, status, above: [])
    return (objects, !links.isEmpty || !isComplete)
  }

  /// Identifies a folder or file whatever its names.
  private struct FileID: Hashable {
    let device: UInt
    let inode: UInt
    init(_ status: stat) {
      device = UInt(status.st_dev)
      inode = UInt(status.st_ino)
    }
  }

  private struct Link {
    let path: String
    let relative: String
    let name: String
    let above: Set<FileID>
  }

  private mutating func walk(_ folder: String, relative: String, entries: [[UInt8]], above: Set<FileID>) {
    for bytes in entries {
      guard bytes.first != UInt8(ascii: ".") else { continue }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        let shown = (folder == "/" ? "" : folder) + "/" + String(decoding: bytes, as: UTF8.self)
        skip(shown, "source.name_not_utf8", "its name is not UTF-8")
        continue
      }
      let path = folder == "/" ? "/" + name : folder + "/" + name
      let below = relative.isEmpty ? name : relative + "/" + name
      var status = stat()
      guard lstat(path, &status) == 0 else {
        unreadable(path, errno)
        continue
      }
      if status.st_mode & S_IFMT == S_IFLNK {
        links.append(Link(path: path, relative: below, name: name, above: above))
      } else {
        visit(path, relative: below, name: name, status, above: above)
      }
    }
  }

  private mutating func follow(_ link: Link, isLast: Bool) {
    var status = stat()
    guard stat(link.path, &status) == 0 else { return unreadable(link.path, errno, isLink: true) }
    if !isLast && status.st_mode & S_IFMT != S_IFDIR {
      linksToFiles.append(link)
      return
    }
    let id = FileID(status)
    if link.above.contains(id) {
      skip(link.path, "source.link_loop", "it leads back to a folder above it")
    } else if folders.contains(id) || (DirectoryRules.isNamedPDF(link.name) && files.contains(id)) {
      skip(link.path, "source.same_file", "it is another name of what is taken already")
    } else {
      visit(link.path, relative: link.relative, name: link.name, status, above: link.above)
    }
  }

  private mutating func visit(
    _ path: String, relative: String, name: String, _ status: stat, above: Set<FileID>
  ) {
    switch status.st_mode & S_IFMT {
    case S_IFDIR:
      if DirectoryRules.isNamedPDF(name) { skip(path, "source.not_a_file", "it is a folder; the PDFs in it are taken") }
      descend(path, relative: relative, status, above: above)
    case S_IFREG: take(path, relative: relative, name: name, status)
    default:
      if DirectoryRules.isNamedPDF(name) { skip(path, "source.not_a_file", "it is not a regular file") }
    }
  }

  /// What vanished between listing and looking is simply not there. Anything else, a link to a disk that is not
  /// mounted too, may hide documents that are still there: nothing may be deleted because of it.
  private mutating func unreadable(_ path: String, _ number: Int32, isLink: Bool = false) {
    let leadsNowhere = number == ENOENT || number == ENOTDIR || number == ELOOP
    if leadsNowhere && !isLink { return }
    // A link to itself never led to documents.
    if number != ELOOP { isComplete = false }
    let reason = String(cString: strerror(number))
    skip(path, "source.unreadable", isLink ? "\(reason): mount what this link leads to, or remove it" : reason)
  }

  private mutating func descend(_ path: String, relative: String, _ status: stat, above: Set<FileID>) {
    let id = FileID(status)
    folders.insert(id)
    guard above.count < 128 else {
      isComplete = false
      skip(path, "source.too_deep", "it is more than 128 folders deep")
      return
    }
    do {
      enter(path)
      let entries = try Self.names(in: path)
      walk(path, relative: relative, entries: entries, above: above.union([id]))
    } catch {
      // An unreadable folder hides documents that may still be there: nothing may be deleted because of it.
      isComplete = false
      skip(path, error.code, error.message)
    }
  }

  private mutating func take(_ path: String, relative: String, name: String, _ status: stat) {
    switch place.rules.verdict(relative: relative, name: name) {
    case .taken: break
    case .unfinished: return skip(path, "source.unfinished", "it looks like an unfinished or temporary file")
    case .ignored: return
    }
    files.insert(FileID(status))
    objects.append(place.object(path, status))
  }

  private mutating func skip(_ path: String, _ code: String, _ reason: String) {
    skipped.append(SkippedObject(name: LocalFilesError.quoted(path), code: code, reason: reason))
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
