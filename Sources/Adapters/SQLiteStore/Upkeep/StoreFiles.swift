import Glibc

/// The store's files as the file system sees them.
enum StoreFiles {
  /// Bytes of a file; 0 when there is none.
  static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  /// The folder that a path names a file of.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Waits until a new or renamed name in `folder` is on the disk; SQLite does so for its log, not for the database.
  static func syncFolder(_ folder: String) throws(StoreError) { try sync(folder, flags: O_RDONLY | O_DIRECTORY) }

  /// Waits until a file's bytes are on the disk.
  static func syncFile(_ path: String) throws(StoreError) { try sync(path, flags: O_RDONLY) }

  private static func sync(_ path: String, flags: Int32) throws(StoreError) {
    let descriptor = open(path, flags | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system("open", path, errno: errno) }
    defer { close(descriptor) }
    // Some file systems cannot sync folders (EINVAL) and need not.
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else { throw .system("sync", path, errno: errno) }
  }

  /// Whether nothing can be written there although the file can be read: the store is on read-only media, and nothing
  /// is left in a log that only a writer could read.
  static func isFixed(_ path: String) -> Bool {
    access(path, R_OK) == 0 && access(folder(of: path), W_OK) != 0 && size(path + "-wal") == 0
  }
}
