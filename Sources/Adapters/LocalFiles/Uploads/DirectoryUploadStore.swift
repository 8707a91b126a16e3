import Concurrency
public import Core
import Glibc

/// Uploads in a directory, each content once. Several processes may use it.
public final class DirectoryUploadStore: UploadStore {
  let layout: UploadLayout
  let space: UploadSpace
  private let queue = BlockingQueue(label: "quarry.uploads")
  private let verified = VerifiedFiles()

  /// Keeps uploads in `directory`, which is made when the first one comes.
  /// - Parameter maximumBytes: Most bytes of all uploads together.
  public init(directory: String, maximumBytes: Int) {
    layout = UploadLayout(directory: directory)
    space = UploadSpace(layout: layout, maximumBytes: maximumBytes)
  }

  /// Makes room for bytes to come.
  /// - Throws: `upload.space_used` beyond the limit of all uploads, `disk.full`.
  public func receive(expecting byteCount: Int?) async throws -> any UploadReceiver {
    try await queue.run { [layout, space] () throws(LocalFilesError) in
      try Folder.make(layout.incoming)
      try space.check(byteCount ?? 0)
      return UploadFile(try UploadFile.create(in: layout.incoming), layout: layout, space: space)
    }
  }

  /// The bytes of a version of the upload at `uri`.
  /// - Throws: `document.bytes_gone`; `upload.damaged` when they are not what was uploaded.
  public func copy(of version: ContentVersion, uri: SourceURI) async throws -> LocalCopy {
    try await queue.run { [layout, verified] () throws(LocalFilesError) in
      let path = layout.document(uri, version)
      var status = stat()
      guard stat(path, &status) == 0 else {
        guard errno == ENOENT else { throw .system("read", path, errno: errno) }
        throw SourceFileBytes.gone(uri, "no such version of it is kept")
      }
      guard try verified.version(at: path, status) == version else {
        throw LocalFilesError(
          "upload.damaged", .corrupt, "the stored bytes of \(LocalFilesError.quoted(uri.name)) have changed: \(path)",
          remedy: "Upload the document again.")
      }
      return LocalCopy(path: path, version: version, byteCount: Int(status.st_size), isTemporary: false)
    }
  }

  /// Lets go of every version kept for `uri`; bytes that no other document has are deleted.
  public func forget(_ uri: SourceURI) async throws {
    try await queue.run { [layout, space] () throws(LocalFilesError) in
      try layout.locked { () throws(LocalFilesError) in
        let folder = layout.documentFolder(uri)
        for name in try UploadLayout.names(in: folder) {
          let path = folder + "/" + name
          guard unlink(path) == 0 || errno == ENOENT else { throw .system("delete", path, errno: errno) }
          if let version = UploadLayout.version(of: name) { try space.deleteUnused(version) }
        }
        guard rmdir(folder) == 0 || errno == ENOENT else { throw .system("delete", folder, errno: errno) }
      }
    }
  }

  /// Deletes what uploads that never ended have left behind: pieces that no process holds, contents without a document.
  public func removeUnfinished() async throws {
    try await queue.run { [layout, space] () throws(LocalFilesError) in
      for name in try UploadLayout.names(in: layout.incoming) {
        let path = layout.incoming + "/" + name
        let file = open(path, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { continue }
        defer { close(file) }
        if flock(file, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
      }
      try layout.locked { () throws(LocalFilesError) in
        for folder in try UploadLayout.names(in: layout.contents) {
          for name in try UploadLayout.names(in: layout.contents + "/" + folder) {
            if let version = UploadLayout.version(of: name) { try space.deleteUnused(version) }
          }
        }
      }
    }
  }
}
