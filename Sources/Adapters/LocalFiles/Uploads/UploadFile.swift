import Concurrency
import Core
import Cryptography
import Glibc

/// The file that one upload arrives in. Blocks only its own thread.
actor UploadFile: UploadReceiver {
  /// A file made for an upload: locked, so that a sweep leaves it alone.
  struct Place: Sendable {
    var path: String
    var descriptor: Int32
  }

  private nonisolated let executor = SerialQueueExecutor(label: "quarry.upload")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private let place: Place
  private let layout: UploadLayout
  private let space: UploadSpace
  private var digest = SHA256()
  private var count = 0
  private var hasEnded = false

  init(_ place: Place, layout: UploadLayout, space: UploadSpace) {
    self.place = place
    self.layout = layout
    self.space = space
  }

  deinit {
    // Somebody forgot to end it.
    if !hasEnded {
      unlink(place.path)
      space.end(count, added: 0)
    }
    close(place.descriptor)
  }

  static func create(in folder: String) throws(LocalFilesError) -> Place {
    for _ in 0..<10 {
      let path = folder + "/" + secureRandomBytes(count: 12).hexadecimal + ".part"
      let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else {
        if errno == EEXIST { continue }
        throw .system("create", path, errno: errno)
      }
      var status = stat()
      // A sweep between the two calls may have taken it for a piece that nobody holds.
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0, status.st_nlink == 1 {
        return Place(path: path, descriptor: descriptor)
      }
      close(descriptor)
    }
    throw LocalFilesError(
      "upload.no_place", .unavailable, "no file could be made in \(LocalFilesError.quoted(folder))",
      remedy: "Try again.")
  }

  func write(_ bytes: [UInt8]) async throws {
    try space.arrive(bytes.count)
    count += bytes.count
    digest.update(bytes)
    var written = 0
    while written < bytes.count {
      let result = bytes.withUnsafeBytes { buffer in
        Glibc.write(place.descriptor, buffer.baseAddress.map { $0 + written }, bytes.count - written)
      }
      if result < 0, errno == EINTR { continue }
      guard result > 0 else { throw LocalFilesError.system("write", place.path, errno: result < 0 ? errno : ENOSPC) }
      written += result
    }
  }

  func keep(for uri: SourceURI) async throws -> UploadedContent {
    let version = ContentVersion(rawValue: digest.finalize().hexadecimal)
    guard fsync(place.descriptor) == 0 else { throw LocalFilesError.system("write", place.path, errno: errno) }
    let isNew = try layout.locked { () throws(LocalFilesError) in try link(version, for: uri) }
    hasEnded = true
    space.end(count, added: isNew ? count : 0)
    return UploadedContent(version: version, byteCount: count)
  }

  /// Puts the content in its place unless it is there, and links the document to it. Returns whether it is new.
  private func link(_ version: ContentVersion, for uri: SourceURI) throws(LocalFilesError) -> Bool {
    let content = layout.content(version)
    var status = stat()
    var isThere = stat(content, &status) == 0 && Int(status.st_size) == count
    // What was damaged since is replaced.
    if isThere { isThere = try FileHash.compute(path: content).version == version }
    let document = layout.document(uri, version)
    if isThere {
      unlink(place.path)
    } else {
      guard unlink(document) == 0 || errno == ENOENT else { throw .system("delete", document, errno: errno) }
      try Folder.make(layout.contentFolder(version))
      guard rename(place.path, content) == 0 else { throw .system("rename", place.path, errno: errno) }
      try Folder.sync(layout.contentFolder(version))
    }
    try Folder.make(layout.documentFolder(uri))
    guard Glibc.link(content, document) == 0 || errno == EEXIST else {
      throw .system("link", document, errno: errno)
    }
    try Folder.sync(layout.documentFolder(uri))
    return !isThere
  }

  func discard() async {
    guard !hasEnded else { return }
    hasEnded = true
    unlink(place.path)
    space.end(count, added: 0)
  }
}
