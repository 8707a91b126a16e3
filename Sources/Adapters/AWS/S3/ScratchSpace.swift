import Concurrency
import Core
import FoundationEssentials

/// A folder for downloads with a bound on the bytes in it. Who wants more than is free waits.
public actor ScratchSpace {
  private let folder: String
  /// Tells other processes that this one lives.
  private let lock: FileLock
  private let limit: Int
  private var used = 0
  private var waiters: [(id: UInt64, bytes: Int, continuation: CheckedContinuation<Bool, Never>)] = []
  private var nextID: UInt64 = 0

  /// Creates a folder of this process's own in `folder`, where other processes may have theirs; what processes that
  /// were killed left there is removed.
  /// - Throws: `aws.scratch` when it cannot be made.
  public init(folder: String, limit: Int) throws {
    self.limit = max(1, limit)
    let own = folder + "/" + UUID().uuidString
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      // Held while the folder is looked through, so that no process takes another's new folder for an old one.
      guard let entry = FileLock(folder + "/.lock", waits: true) else { throw CocoaError(.fileWriteUnknown) }
      for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name != ".lock" {
        if name.hasSuffix(".lock") {
          guard FileLock("\(folder)/\(name)", waits: false) != nil else { continue }
          try? FileManager.default.removeItem(atPath: "\(folder)/\(name.dropLast(".lock".count))")
          try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
      }
      guard let lock = FileLock(own + ".lock", waits: true) else { throw CocoaError(.fileWriteUnknown) }
      try FileManager.default.createDirectory(
        atPath: own, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      self.lock = lock
      _ = entry
    } catch {
      throw AWSError(
        "aws.scratch", .unavailable, "the folder '\(folder)' for downloads cannot be made",
        remedy: "Check its permissions, or configure another.", underlying: error)
    }
    self.folder = own
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
    try? FileManager.default.removeItem(atPath: folder + ".lock")
  }

  /// Reserves room and names a file in it.
  /// - Throws: `aws.object_too_large` when it never fits; `CancellationError`.
  func reserve(_ bytes: Int, for name: String) async throws -> String {
    guard bytes <= limit else {
      throw AWSError(
        "aws.object_too_large", .tooLarge, "\(name) has \(bytes) bytes, and downloads may take \(limit)",
        remedy: "Raise aws.scratchBytes.")
    }
    if waiters.isEmpty, used + bytes <= limit {
      used += bytes
    } else {
      let id = nextID
      nextID += 1
      let isGranted = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          if Task.isCancelled {
            continuation.resume(returning: false)
          } else {
            waiters.append((id, bytes, continuation))
          }
        }
      } onCancel: {
        Task { await self.cancel(id) }
      }
      guard isGranted else { throw CancellationError() }
    }
    return folder + "/" + UUID().uuidString + ".pdf"
  }

  /// Removes a file and frees its room.
  func release(_ path: String, bytes: Int) {
    try? FileManager.default.removeItem(atPath: path)
    used -= bytes
    while let first = waiters.first, used + first.bytes <= limit {
      waiters.removeFirst()
      used += first.bytes
      first.continuation.resume(returning: true)
    }
  }

  private func cancel(_ id: UInt64) {
    guard let index = waiters.firstIndex(where: { $0.id == id }) else { return }
    waiters.remove(at: index).continuation.resume(returning: false)
  }
}
