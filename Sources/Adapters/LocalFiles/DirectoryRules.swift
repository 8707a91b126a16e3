import Core
import FoundationEssentials
import Glibc

/// A directory as a source: its root, and what is taken below.
struct DirectoryPlace: Sendable {
  /// An absolute path with links resolved.
  let root: String
  let collection: CollectionName
  let rules: DirectoryRules

  /// The path below the root; nil for the root itself and for what is elsewhere.
  func relative(_ path: String) -> String? {
    let folder = root == "/" ? "/" : root + "/"
    guard path.utf8.starts(with: folder.utf8) else { return nil }
    let rest = String(decoding: path.utf8.dropFirst(folder.utf8.count), as: UTF8.self)
    return rest.isEmpty ? nil : rest
  }

  /// Whether a file at this path is taken, as far as its name and place tell.
  func takes(_ path: String) -> Bool {
    if path == root { return true }
    guard let relative = relative(path), !DirectoryRules.isHidden(relative: relative) else { return false }
    let name = relative.split(separator: "/").last.map(String.init) ?? relative
    return rules.verdict(relative: relative, name: name) == .taken
  }

  /// The object at a path; nil when there is no regular file.
  func object(_ path: String) throws(LocalFilesError) -> SourceObject? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .system("read", path, errno: errno)
    }
    return status.st_mode & S_IFMT == S_IFREG ? object(path, status) : nil
  }

  func object(_ path: String, _ status: stat) -> SourceObject {
    SourceObject(
      uri: SourceURI(filePath: path), collection: collection, byteCount: Int(status.st_size),
      modified: Date(
        timeIntervalSince1970: Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9),
      stamp: FileStamp.make(status))
  }

  /// Identifies the root, as listings do; nil when it is missing or unreadable.
  var rootStamp: String? {
    var status = stat()
    return stat(root, &status) == 0 ? Self.rootStamp(status) : nil
  }

  static func rootStamp(_ status: stat) -> String { "\(status.st_dev)-\(status.st_ino)" }
}

/// What a directory source takes by its name and place: see ``DirectorySource``.
struct DirectoryRules: Sendable {
  let include: [PathPattern]
  let exclude: [PathPattern]

  /// What is done with a file.
  enum Verdict: Hashable {
    case taken
    /// An unfinished download or an editor's temporary file.
    case unfinished
    case ignored
  }

  /// What is done with the file of this name, at this path below the root.
  func verdict(relative: String, name: String) -> Verdict {
    guard let suffix = Self.suffix(of: name) else { return .ignored }
    if suffix != ".pdf" || name.hasPrefix("~$") { return .unfinished }
    guard include.isEmpty || include.contains(where: { $0.matches(relative) }),
      !exclude.contains(where: { $0.matches(relative) })
    else { return .ignored }
    return .taken
  }

  /// Whether a file of this name is a PDF by its name.
  static func isNamedPDF(_ name: String) -> Bool { endsWith(name.utf8, ".pdf") }

  /// Whether a path below the root goes through a hidden folder or names a hidden file.
  static func isHidden(relative: String) -> Bool {
    relative.utf8.first == UInt8(ascii: ".") || relative.split(separator: "/").contains { $0.hasPrefix(".") }
  }

  private static let unfinished = [
    ".pdf.part", ".pdf.crdownload", ".pdf.download", ".pdf.tmp", ".pdf.filepart", ".pdf.partial", ".pdf~",
  ]

  /// The suffix that makes a name a PDF's, finished or not; nil for other files.
  private static func suffix(of name: String) -> String? {
    if isNamedPDF(name) { return ".pdf" }
    return unfinished.first { endsWith(name.utf8, $0) }
  }

  /// Compares bytes with an end in lower-case ASCII, whatever the case of the letters: a listing does this for every
  /// file.
  private static func endsWith(_ name: String.UTF8View, _ end: String) -> Bool {
    guard name.count >= end.utf8.count else { return false }
    return zip(name.reversed(), end.utf8.reversed()).allSatisfy { byte, letter in
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 == letter : byte == letter
    }
  }
}
