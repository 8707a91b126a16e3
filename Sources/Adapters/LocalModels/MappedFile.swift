import Core
import Glibc

/// A regular file's bytes, mapped for reading: pages come from the page cache and count as file memory.
package final class MappedFile: Sendable {
  /// What tells a file from a later one at its path, without reading it.
  package struct Fingerprint: Equatable, Sendable {
    package let byteCount: Int
    package let modificationNanoseconds: Int64
    package let inode: UInt64
  }

  private nonisolated(unsafe) let start: UnsafeMutableRawPointer?
  /// Bytes.
  package let count: Int
  /// Of the open file itself, so it belongs to these bytes whatever happens at the path.
  package let fingerprint: Fingerprint

  /// Opens and maps a file.
  /// - Throws: `model.missing` when it does not exist, `model.unreadable` otherwise.
  package init(name: String, directory: String) throws(LocalModelsError) {
    let path = directory + "/" + name
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .missing(name, in: directory) }
      throw .unreadable("\(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable("\(path) is not a regular file")
    }
    count = Int(status.st_size)
    fingerprint = Fingerprint(
      byteCount: count,
      modificationNanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
      inode: UInt64(status.st_ino))
    guard count > 0 else {
      start = nil
      return
    }
    guard let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
      throw .unreadable("\(path): \(String(cString: strerror(errno)))")
    }
    start = mapped
  }

  deinit {
    if let start { munmap(start, count) }
  }

  /// The bytes; valid while this object lives.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

  /// Tells the kernel that a part just read will not be read again soon, so that it stops counting as ours.
  func release(_ part: Range<Int>) {
    guard let start else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = (part.lowerBound + page - 1) / page * page
    let end = part.upperBound / page * page
    if first < end { madvise(start + first, end - first, MADV_DONTNEED) }
  }
}
