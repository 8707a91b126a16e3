import Concurrency
public import Core
import Foundation

/// An archive of files in memory, which can be out of reach.
public final class InMemoryArchive: ReadableEventArchive {
  private struct State {
    var files: [String: [UInt8]] = [:]
    var sends: [String] = []
    var failure: (any Error)?
  }

  /// `memory`.
  public let name = "memory"
  private let state = Locked(State())

  /// Creates an empty archive.
  public init() {}

  /// The files by key.
  public var files: [String: [UInt8]] { state.withLock { $0.files } }
  /// The keys of every successful send, in order.
  public var sends: [String] { state.withLock { $0.sends } }

  /// Makes every later call throw `error`, until nil is set.
  public func fail(with error: (any Error)?) { state.withLock { $0.failure = error } }

  /// Takes a file.
  public func send(
    _ file: ArchiveFile, progress: ShipmentProgress, save: @escaping @Sendable (ShipmentProgress) async -> Void
  ) async throws -> ShipmentProgress {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file.path)).prefix(file.byteCount))
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      state.files[file.key] = bytes
      state.sends.append(file.key)
    }
    return progress
  }

  /// Keys in order.
  public func keys(
    prefix: String, after start: String, while isWanted: @escaping @Sendable (String) -> Bool
  ) async throws -> [String] {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      return state.files.keys.filter { $0.hasPrefix(prefix) && $0 > start }.sorted().prefix { isWanted($0) }.map { $0 }
    }
  }

  /// Copies a file.
  public func fetch(_ key: String, to path: String) async throws {
    try Data(files[key] ?? []).write(to: URL(fileURLWithPath: path))
  }
}
