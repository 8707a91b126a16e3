import Compression
import Concurrency
import Core
import Foundation

/// A folder with files as a spool has them, removed when it is released.
final class ArchiveFolder: Sendable {
  let path = NSTemporaryDirectory() + "archive-" + UUID().uuidString

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A file of bytes as they are.
  func file(_ bytes: [UInt8], key: String) throws -> ArchiveFile {
    let path = "\(path)/\(UUID().uuidString)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return ArchiveFile(path: path, byteCount: bytes.count, key: key)
  }

  /// A file of lines, in two gzip members.
  func file(lines: [String], key: String = "events/v1/2026/01/02/03/a.jsonl.gz") throws -> ArchiveFile {
    let half = lines.count / 2
    let members = [lines[..<half], lines[half...]].map { part in
      compress(Array(part.map { $0 + "\n" }.joined().utf8))
    }
    return try file(members[0] + members[1], key: key)
  }
}

/// Keeps the last progress saved.
final class SavedProgress: Sendable {
  private let state = Locked(ShipmentProgress())
  var last: ShipmentProgress { state.withLock { $0 } }
  var save: @Sendable (ShipmentProgress) async -> Void { { progress in self.state.withLock { $0 = progress } } }
}
