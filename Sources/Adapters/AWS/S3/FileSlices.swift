import Concurrency
import Core
import Glibc
import HTTPClient

/// A file that is read in slices, on a thread of its own.
final class FileSlices: Sendable {
  private let descriptor: Int32
  private let path: String
  private let queue = BlockingQueue(label: "quarry.s3.file")

  init(_ path: String) throws(AWSError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.error("open", path) }
  }

  deinit { close(descriptor) }

  func read(_ range: Range<Int>) async throws(AWSError) -> [UInt8] {
    try await queue.run { [descriptor, path] () throws(AWSError) in
      var number: Int32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, got in
        got = 0
        while got < range.count {
          let count = pread(descriptor, buffer.baseAddress! + got, range.count - got, off_t(range.lowerBound + got))
          if count < 0 && errno == EINTR { continue }
          if count < 0 { number = errno }
          if count <= 0 { break }
          got += count
        }
      }
      guard bytes.count == range.count else {
        errno = number
        throw Self.error("read", path)
      }
      return bytes
    }
  }

  /// Writes a body as it comes.
  static func write(_ response: HTTPClientResponse, to path: String) async throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw error("create", path) }
    defer { close(descriptor) }
    let queue = BlockingQueue(label: "quarry.s3.file")
    for try await piece in response.body {
      try await queue.run { () throws(AWSError) in
        var rest = piece[...]
        while !rest.isEmpty {
          let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
          if count < 0 && errno == EINTR { continue }
          guard count > 0 else { throw error("write", path) }
          rest = rest.dropFirst(count)
        }
      }
    }
  }

  private static func error(_ operation: String, _ path: String) -> AWSError {
    AWSError(
      "aws.archive_file", errno == ENOSPC ? .storageFull : .unavailable,
      "cannot \(operation) '\(path)': \(String(cString: strerror(errno)))",
      remedy: "Check the disk and Quarry's permissions there.")
  }
}
