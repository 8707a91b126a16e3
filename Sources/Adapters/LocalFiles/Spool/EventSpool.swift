import Compression
import Concurrency
public import Core
import Dispatch
public import FoundationEssentials
import Glibc

/// Events on this machine's disk until an archive has them: what was appended outlives a kill, an outage, and this
/// process.
///
/// Any number of processes share a directory. Each append is one gzip member and durable (`fsync`) when it returns. A
/// file is closed when it is large or old enough, when its hour is over, or when its process ends; whoever comes first
/// sends it then.
public final class EventSpool: Sendable {
  /// Bounds of a spool.
  public struct Limits: Sendable {
    /// Bytes of all files together; what would be more is refused and counted.
    public var maximumBytes: Int
    /// Bytes at which a file is closed.
    public var fileBytes: Int
    /// The age at which a file is closed.
    public var fileAge: Duration

    /// Creates bounds.
    public init(maximumBytes: Int = 1 << 30, fileBytes: Int = 16 << 20, fileAge: Duration = .seconds(60)) {
      self.maximumBytes = maximumBytes
      self.fileBytes = fileBytes
      self.fileAge = fileAge
    }
  }

  /// What a spool holds.
  public struct Status: Sendable, Hashable {
    /// Files that wait, those being written among them.
    public var files: Int
    /// Their bytes.
    public var bytes: Int
    /// When the one that waits longest was last written to; nil when none waits.
    public var oldest: Date?
    /// What was dropped; nil for nothing.
    public var drops: SpoolDrops?
  }

  private struct OpenFile {
    var file: EventFile
    var opened: ContinuousClock.Instant
  }

  private struct State {
    var open: [String: OpenFile] = [:]
    /// Bytes of all files, by the last look and what was written since.
    var bytes = 0
    var looked: ContinuousClock.Instant?
  }

  let folder: SpoolFolder
  private let vectors: ArchiveLines.Vectors?
  private let limits: Limits
  private let now: @Sendable () -> Date
  private let write: EventFile.WriteCall
  private let state = Locked(State())
  let queue = BlockingQueue(label: "quarry.event-spool", qos: .utility)
  /// Rings when files are closed.
  let closed = Doorbell()

  /// Names a spool; nothing is touched until the first event.
  /// - Parameters:
  ///   - directory: Made when the first event comes, for its owner only.
  ///   - vectorsOf: The application whose vectors are written by themselves too; nil for none.
  public convenience init(
    directory: String, vectorsOf app: String? = nil, limits: Limits = Limits(),
    now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.init(directory: directory, vectorsOf: app, limits: limits, now: now) {
      Glibc.write($0, $1.baseAddress, $1.count)
    }
  }

  /// A spool whose `write(2)` tests can let fail.
  package init(
    directory: String, vectorsOf app: String? = nil, limits: Limits = Limits(),
    now: @escaping @Sendable () -> Date = { Date() },
    write: @escaping @Sendable (Int32, UnsafeRawBufferPointer) -> Int
  ) {
    folder = SpoolFolder(directory: directory)
    vectors = app.map(ArchiveLines.Vectors.init)
    self.limits = limits
    self.now = now
    self.write = write
  }

  deinit { state.withLock { $0.open.values.forEach { Glibc.close($0.file.descriptor) } } }

  /// Appends events: all of them or, when it throws, none.
  /// - Throws: `spool.full`, `disk.full` and other errors of the file system. What was not taken is counted in the
  ///   directory.
  public func append(_ events: [Event]) async throws {
    guard !events.isEmpty else { return }
    let parts = try ArchiveLines.make(of: events, vectors: vectors)
    try await queue.run { [self] () throws(LocalFilesError) in
      do throws(LocalFilesError) {
        try append(parts.map { ($0.folder, compress($0.bytes)) })
      } catch {
        SpoolDrops.add(events.count, at: now(), directory: folder.directory)
        throw error
      }
    }
  }

  /// Closes all files that this process writes, so that they can be sent.
  public func close() async { await queue.run { self.closeFiles { _, _ in true } } }

  /// Closes the files that are old enough or of an hour that is over.
  func closeOld() async {
    await queue.run { [self] in
      let hour = EventHour(of: now())?.path ?? ""
      let clock = ContinuousClock()
      closeFiles { folder, file in
        file.opened.duration(to: clock.now) >= limits.fileAge || !folder.hasSuffix(hour)
      }
    }
  }

  /// What the spool holds now.
  public func status() async throws -> Status {
    try await queue.run { [folder] () throws(LocalFilesError) in
      let entries = try folder.entries()
      return Status(
        files: entries.count, bytes: entries.reduce(0) { $0 + $1.byteCount },
        oldest: entries.map(\.modified).min().map { Date(timeIntervalSince1970: Double($0)) },
        drops: SpoolDrops.read(folder.directory))
    }
  }

  // MARK: - On the queue

  private func append(_ parts: [(folder: String, member: [UInt8])]) throws(LocalFilesError) {
    try makeRoom(for: parts.reduce(0) { $0 + $1.member.count })
    var written: [(folder: String, file: OpenFile, length: Int)] = []
    do throws(LocalFilesError) {
      for (folder, member) in parts {
        let file = try openFile(in: folder)
        written.append((folder, file, member.count))
        try file.file.append(member, write: write)
      }
    } catch {
      for (folder, file, _) in written where !file.file.undo() || file.file.formerLength == 0 {
        state.withLock { $0.open[folder] = nil }
        Glibc.close(file.file.descriptor)
      }
      throw error
    }
    for (folder, file, length) in written {
      var file = file
      file.file.formerLength += off_t(length)
      state.withLock { state in
        state.open[folder] = file
        state.bytes += length
      }
    }
    closeFiles { _, file in file.file.formerLength >= limits.fileBytes }
  }

  private func openFile(in name: String) throws(LocalFilesError) -> OpenFile {
    if let known = state.withLock({ $0.open[name] }) { return known }
    let made = OpenFile(
      file: try folder.make(in: name) { TimeOrderedID.make(now: now()) }, opened: ContinuousClock().now)
    state.withLock { $0.open[name] = made }
    return made
  }

  /// Looks at the directory now and then, and whenever the bound seems to be reached: other processes write and send.
  private func makeRoom(for bytes: Int) throws(LocalFilesError) {
    let now = ContinuousClock().now
    let needsLook = state.withLock { state in
      guard let looked = state.looked else { return true }
      return looked.duration(to: now) > .seconds(10) || state.bytes + bytes > limits.maximumBytes
    }
    if needsLook {
      let found = try folder.entries().reduce(0) { $0 + $1.byteCount }
      state.withLock { state in
        state.bytes = found
        state.looked = now
      }
    }
    guard state.withLock({ $0.bytes }) + bytes <= limits.maximumBytes else {
      throw LocalFilesError(
        "spool.full", .storageFull,
        "the spool \(LocalFilesError.quoted(folder.directory)) has its \(limits.maximumBytes) bytes; events are dropped",
        remedy:
          "Make the archive reachable (quarry archive ship says why it is not), or raise events.spool.maximumBytes.")
    }
  }

  private func closeFiles(where isDue: (String, OpenFile) -> Bool) {
    let due = state.withLock { state in
      let due = state.open.filter { isDue($0.key, $0.value) }
      for name in due.keys { state.open[name] = nil }
      return due
    }
    for file in due.values { Glibc.close(file.file.descriptor) }
    if !due.isEmpty { closed.ring() }
  }
}
