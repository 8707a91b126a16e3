import Compression
import Core
import FoundationEssentials
import Glibc

/// A closed file of the spool that this process alone may send and remove. Its lock ends with it.
final class SpoolClaim: Sendable {
  let entry: SpoolFolder.Entry
  private let descriptor: Int32

  init(entry: SpoolFolder.Entry, descriptor: Int32) {
    self.entry = entry
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Beside the file, while it is sent line by line.
  private var progressPath: String { entry.path + ".sent" }

  /// The bytes of whole members at the file's start; behind them is what a killed process was writing, which it never
  /// told anybody was kept.
  func wholeBytes() throws(LocalFilesError) -> (whole: Int, torn: Int) {
    let decompressor = Decompressor(.gzip, limit: .max)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var length = 0
    var isDamaged = false
    while true {
      let count = buffer.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(length)) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", entry.path, errno: errno) }
      if count == 0 { break }
      length += count
      guard !isDamaged else { continue }
      do {
        try buffer.withUnsafeBytes { bytes in
          try decompressor.decompress(UnsafeRawBufferPointer(rebasing: bytes[..<count])) { _ in }
        }
      } catch {
        isDamaged = true
      }
    }
    let whole = length == 0 || (decompressor.isComplete && !isDamaged) ? length : decompressor.memberStart
    return (whole, length - whole)
  }

  /// What an earlier try reached.
  func progress() -> ShipmentProgress {
    guard let data = try? Data(contentsOf: URL(filePath: progressPath)) else { return ShipmentProgress() }
    return (try? JSONDecoder().decode(ShipmentProgress.self, from: data)) ?? ShipmentProgress()
  }

  /// Keeps what was reached; a failure costs lines that are sent twice, no more.
  func save(_ progress: ShipmentProgress) {
    guard let data = try? JSONEncoder().encode(progress) else { return }
    try? data.write(to: URL(filePath: progressPath), options: .atomic)
  }

  /// Removes the file, and the folders above it that are empty then.
  func remove(below directory: String) throws(LocalFilesError) {
    guard unlink(entry.path) == 0 || errno == ENOENT else { throw .system("delete", entry.path, errno: errno) }
    unlink(progressPath)
    var folder = entry.path[...]
    while let slash = folder.lastIndex(of: "/") {
      folder = folder[..<slash]
      guard folder.utf8.count > directory.utf8.count, rmdir(String(folder)) == 0 else { break }
    }
  }
}
