/// A closed file of the spool on its way to an archive beyond this machine.
public struct ArchiveFile: Sendable, Hashable {
  /// Where it is on this machine: gzip members of lines, one after the other.
  public var path: String
  /// Bytes of whole members at its start. What a killed process left torn behind them is no part of it.
  public var byteCount: Int
  /// Its key in the archive, such as `events/v1/2026/01/31/23/<name>.jsonl.gz`; the same at every try.
  public var key: String

  /// Creates a description.
  public init(path: String, byteCount: Int, key: String) {
    self.path = path
    self.byteCount = byteCount
    self.key = key
  }
}

/// How far the lines of a file have got, for archives that take lines one by one.
public struct ShipmentProgress: Sendable, Hashable, Codable {
  /// Lines at the start of the file that were sent.
  public var sent: Int
  /// The lines among them that the archive has not taken yet, counted from 0.
  public var left: [Int]
  /// Lines that the archive can never take, such as too long ones; they are lost.
  public var refused: Int

  /// Creates a state; by default nothing was sent.
  public init(sent: Int = 0, left: [Int] = [], refused: Int = 0) {
    self.sent = sent
    self.left = left
    self.refused = refused
  }
}

/// Where files of events go: an archive beyond this machine.
public protocol EventArchive: Sendable {
  /// Its name in logs and metrics, such as `s3`.
  var name: String { get }
  /// Sends a file; returns when the archive has all of it.
  ///
  /// A file may be sent again, after a failure or because the process was killed before it could note the success: an
  /// archive of files then replaces the first copy by an equal one.
  /// - Parameters:
  ///   - progress: What an earlier, failed try reached.
  ///   - save: Keeps what was reached for the next try.
  /// - Returns: What was reached in the end.
  /// - Throws: A ``CategorizedError``.
  func send(
    _ file: ArchiveFile, progress: ShipmentProgress, save: @escaping @Sendable (ShipmentProgress) async -> Void
  ) async throws -> ShipmentProgress
}

/// An archive whose files can be read again.
public protocol ReadableEventArchive: EventArchive {
  /// The keys that begin with `prefix` and sort behind `start`, in order, as long as `isWanted` says so of them.
  func keys(
    prefix: String, after start: String, while isWanted: @escaping @Sendable (String) -> Bool
  ) async throws -> [String]
  /// Copies a file to a path on this machine.
  func fetch(_ key: String, to path: String) async throws
}
