import Concurrency
public import Core
import FoundationEssentials
public import Telemetry

/// Sends the closed files of a spool to an archive, and removes each when the archive has it.
public final class EventShipper: Sendable {
  /// What happened since the process started.
  public struct Counters: Sendable, Hashable {
    /// Files sent.
    public var shipped = 0
    /// Tries that failed.
    public var failures = 0
    /// Lines that the archive can never take.
    public var refused = 0
  }

  /// Where the files go.
  public let archive: any EventArchive
  /// Where they wait.
  public let spool: EventSpool
  private let log: StructuredLog
  private let interval: Duration
  private let longestPause: Duration
  private let passes = AsyncSemaphore(width: 1)
  private let state = Locked((counters: Counters(), lastFailureLogged: ContinuousClock.Instant?.none))

  /// Creates a shipper.
  /// - Parameters:
  ///   - log: Told of failures, at most once a minute, and of what is lost.
  ///   - interval: Time between two looks at the spool.
  ///   - longestPause: Time between two tries during an outage, at most.
  public init(
    _ spool: EventSpool, to archive: any EventArchive, log: StructuredLog = .silent, interval: Duration = .seconds(5),
    longestPause: Duration = .seconds(120)
  ) {
    self.spool = spool
    self.archive = archive
    self.log = log
    self.interval = interval
    self.longestPause = longestPause
  }

  /// What happened so far.
  public var counters: Counters { state.withLock { $0.counters } }

  /// Sends what is closed, again and again, until the task is cancelled. An outage is waited out in growing pauses.
  public func run() async {
    var pause = interval
    while !Task.isCancelled {
      await spool.closeOld()
      do {
        try await ship()
        pause = interval
      } catch {
        pause = min(longestPause, pause * 2)
      }
      let clock = ContinuousClock()
      let wait = pause * Double.random(in: 0.8...1)
      if pause == interval {
        await spool.closed.wait(until: clock.now + wait, clock: clock)
      } else {
        try? await clock.sleep(for: wait)
      }
    }
  }

  /// Sends every closed file once; waits while another call does.
  /// - Throws: The first failure. One that concerns its file alone lets the others go on.
  public func ship() async throws { try await passes.withPermit { try await self.pass() } }

  private func pass() async throws {
    let folder = spool.folder
    let entries = try await spool.queue.run { () throws(LocalFilesError) in try folder.entries() }
    var failure: (any Error)?
    for entry in entries {
      do {
        try Task.checkCancellation()
        try await ship(entry)
      } catch {
        if error is CancellationError || Task.isCancelled { throw CancellationError() }
        record(error)
        failure = failure ?? error
        let category = (error as? any CategorizedError)?.category
        guard category == .invalidInput || category == .tooLarge || category == .corrupt else { break }
      }
    }
    if let failure { throw failure }
  }

  private func ship(_ entry: SpoolFolder.Entry) async throws {
    let folder = spool.folder
    let claimed = try await spool.queue.run { () throws(LocalFilesError) -> (SpoolClaim, Int, Int)? in
      guard let claim = try folder.claim(entry) else { return nil }
      let (whole, torn) = try claim.wholeBytes()
      return (claim, whole, torn)
    }
    guard let (claim, whole, torn) = claimed else { return }
    if torn > 0 {
      log.log(
        .warning, "a killed process was writing this spool file; what it had not finished is left out",
        [("file", .string(entry.path)), ("bytes", .int(torn))])
    }
    if whole > 0 {
      let file = ArchiveFile(path: entry.path, byteCount: whole, key: entry.key)
      let before = claim.progress()
      let queue = spool.queue
      let reached = try await archive.send(file, progress: before) { progress in
        await queue.run { claim.save(progress) }
      }
      if reached.refused > 0 {
        log.log(
          .error, "the archive can never take some events: they are lost there",
          [("archive", .string(archive.name)), ("file", .string(entry.key)), ("events", .int(reached.refused))])
        await queue.run { SpoolDrops.add(reached.refused, at: Date(), directory: folder.directory) }
      }
      state.withLock { state in
        state.counters.shipped += 1
        state.counters.refused += reached.refused
      }
    }
    try await spool.queue.run { () throws(LocalFilesError) in try claim.remove(below: folder.directory) }
  }

  private func record(_ error: any Error) {
    let now = ContinuousClock().now
    let mayLog = state.withLock { state -> Bool in
      state.counters.failures += 1
      if let last = state.lastFailureLogged, last.duration(to: now) < .seconds(60) { return false }
      state.lastFailureLogged = now
      return true
    }
    guard mayLog else { return }
    let known = error as? any CategorizedError
    log.log(
      .error, "events wait in the spool: they cannot be sent to the archive",
      [
        ("archive", .string(archive.name)), ("error_code", .string(known?.code ?? "internal")),
        ("error", .string(known?.message ?? "\(error)")), ("remedy", .string(known?.remedy ?? "")),
      ])
  }
}
