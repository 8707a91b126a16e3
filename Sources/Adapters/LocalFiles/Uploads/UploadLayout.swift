import Core
import Cryptography
import Glibc

/// Where uploads are below their directory.
///
/// - `incoming/`: what arrives, locked (`flock`) by the process that takes it.
/// - `contents/ab/abcd….pdf`: each content once, named by its SHA-256.
/// - `documents/HASH OF URI/abcd….pdf`: hard links, one for each version of an upload. A content whose only link is
///   the one in `contents` is used by nobody.
struct UploadLayout: Sendable {
  let directory: String

  var incoming: String { directory + "/incoming" }
  var contents: String { directory + "/contents" }

  /// Locked while links are made or deleted.
  var lock: String { directory + "/lock" }

  func contentFolder(_ version: ContentVersion) -> String { contents + "/" + version.rawValue.prefix(2) }

  func content(_ version: ContentVersion) -> String { contentFolder(version) + "/" + Self.name(version) }

  func documentFolder(_ uri: SourceURI) -> String {
    directory + "/documents/" + SHA256.hash(uri.rawValue).hexadecimal.prefix(32)
  }

  func document(_ uri: SourceURI, _ version: ContentVersion) -> String {
    documentFolder(uri) + "/" + Self.name(version)
  }

  private static func name(_ version: ContentVersion) -> String { version.rawValue + ".pdf" }

  /// The version that a file is named by; nil for other files.
  static func version(of name: String) -> ContentVersion? {
    guard name.hasSuffix(".pdf") else { return nil }
    let text = String(name.dropLast(4))
    return SHA256.Digest(hexadecimal: text).map { ContentVersion(rawValue: $0.hexadecimal) }
  }

  /// Runs `body` while no other process makes or deletes links.
  func locked<Result>(_ body: () throws(LocalFilesError) -> Result) throws(LocalFilesError) -> Result {
    try Folder.make(directory)
    let file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .system("open", lock, errno: errno) }
    defer { close(file) }
    while flock(file, LOCK_EX) != 0 {
      guard errno == EINTR else { throw .system("lock", lock, errno: errno) }
    }
    return try body()
  }

  /// The names in a folder but `.` and `..`; none when it is not there.
  static func names(in folder: String) throws(LocalFilesError) -> [String] {
    guard let stream = opendir(folder) else {
      if errno == ENOENT { return [] }
      throw .system("read", folder, errno: errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
