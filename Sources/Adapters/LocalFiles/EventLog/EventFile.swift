import Glibc

/// A file of lines that is being written: whole gzip members are appended to it, or nothing.
struct EventFile {
  /// `write(2)`; tests let it fail.
  typealias WriteCall = @Sendable (Int32, UnsafeRawBufferPointer) -> Int

  let path: String
  let descriptor: Int32
  /// The length that it has if what is being appended fails.
  var formerLength: off_t

  /// Appends a member and makes it durable.
  func append(_ bytes: [UInt8], write: WriteCall) throws(LocalFilesError) {
    let number = bytes.withUnsafeBytes { bytes -> Int32 in
      var rest = bytes
      while !rest.isEmpty {
        let count = write(descriptor, rest)
        if count < 0 && errno == EINTR { continue }
        // A write of nothing would be repeated for ever.
        guard count > 0 else { return count == 0 ? ENOSPC : errno }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      }
      return fsync(descriptor) == 0 ? 0 : errno
    }
    if number != 0 { throw .system("write", path, errno: number) }
  }

  /// Gives the file its former length again, or removes it when that is nothing.
  /// - Returns: Whether that succeeded; a file that has another length must not be written to any more.
  func undo() -> Bool {
    guard formerLength == 0 else { return ftruncate(descriptor, formerLength) == 0 }
    // Another length than zero would stay only if both calls fail.
    let isEmpty = ftruncate(descriptor, 0) == 0
    return unlink(path) == 0 || isEmpty
  }
}
