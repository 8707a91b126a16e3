import AWS
import Concurrency
import Core
import FoundationEssentials
import LocalFiles
import Telemetry

extension Library {
  /// Where events go and where they are read: the directory if they go there, else the bucket.
  static func eventLog(
    _ settings: Settings, remote: RemoteParts, log: StructuredLog
  ) -> (log: JointEventLog, shippers: [EventShipper]) {
    let events = settings.events
    let vectors = events.hasVectorStreams ? settings.app : nil
    let directory = DirectoryEventLog(
      directory: events.directory, maximumBytes: events.maximumBytes, vectorsOf: vectors)
    var shippers: [EventShipper] = []
    var reading: any EventReader = directory
    if events.targets.contains(.s3), let location = S3Location(SourceURI(rawValue: events.s3)) {
      let archive = LateArchive(name: "s3") { S3Archive(location, client: try remote.aws()) }
      let spool = EventSpool(
        directory: settings.spoolDirectory(of: .s3), vectorsOf: vectors, limits: events.spool)
      shippers.append(EventShipper(spool, to: archive, log: log))
      if !events.targets.contains(.directory) { reading = ArchivedEventLog(archive, spool: spool) }
    }
    if events.targets.contains(.firehose) {
      let stream = events.stream
      let archive = LateArchive(name: "firehose") { FirehoseArchive(client: try remote.aws(), stream: stream) }
      // A stream is of one kind of record: it gets the events, which have the vectors in them.
      let spool = EventSpool(directory: settings.spoolDirectory(of: .firehose), limits: events.spool)
      shippers.append(EventShipper(spool, to: archive, log: log))
      if events.targets == [.firehose] { reading = UnreadableEvents(stream: stream) }
    }
    let log = JointEventLog(
      directory: events.targets.contains(.directory) ? directory : nil, spools: shippers.map(\.spool), reading: reading)
    return (log, shippers)
  }

  /// Sends what is in the spools, again and again, until the task is cancelled.
  func shipEvents() async {
    await withTaskGroup(of: Void.self) { group in
      for shipper in shippers { group.addTask { await shipper.run() } }
    }
  }

  /// At the end of a process: sends what is in the spools, for a bounded time. What is left stays there for the next.
  func flushEvents() async {
    let limit = settings.events.flushTime
    await withTaskGroup(of: Void.self) { group in
      for shipper in shippers {
        group.addTask {
          await shipper.spool.close()
          // The shipper tells the log of failures.
          try? await withTimeout(limit) { try await shipper.ship() }
        }
      }
    }
  }

  /// What waited for one archive, and what became of it.
  public struct Shipment: Sendable, Hashable, Codable {
    /// The archive: `s3` or `firehose`.
    public var archive: String
    /// Files sent by this process.
    public var shipped: Int
    /// Files that wait still: another process writes them, or they failed.
    public var waiting: Int
    /// Their bytes.
    public var waitingBytes: Int
    /// Events dropped so far, since the spool was full or the archive can never take them.
    public var dropped: Int
    /// Why not all was sent; absent when all was.
    public var error: String?

    private enum CodingKeys: String, CodingKey {
      case archive, shipped, waiting, dropped, error
      case waitingBytes = "waiting_bytes"
    }
  }

  /// Sends all that waits in the spools, however long it takes.
  public func shipNow() async throws -> [Shipment] {
    var shipments: [Shipment] = []
    for shipper in shippers {
      var failure: String?
      await shipper.spool.close()
      do {
        try await shipper.ship()
      } catch let error as any CategorizedError {
        failure = "\(error.message) (\(error.code))"
      }
      let status = try await shipper.spool.status()
      shipments.append(
        Shipment(
          archive: shipper.archive.name, shipped: shipper.counters.shipped, waiting: status.files,
          waitingBytes: status.bytes, dropped: status.drops?.count ?? 0, error: failure))
    }
    return shipments
  }

  /// What `GET /metrics` shows of the spools.
  func archiveGauges() async -> [(String, String, Double)] {
    var gauges: [(String, String, Double)] = []
    for shipper in shippers {
      let name = "archive_\(shipper.archive.name)"
      let counters = shipper.counters
      let status = try? await shipper.spool.status()
      gauges += [
        ("\(name)_shipped_files", "Files of events sent since the start.", Double(counters.shipped)),
        ("\(name)_failures", "Tries to send that failed since the start.", Double(counters.failures)),
        ("\(name)_spool_bytes", "Bytes of events that wait on this machine.", Double(status?.bytes ?? 0)),
        ("\(name)_spool_files", "Files of events that wait on this machine.", Double(status?.files ?? 0)),
        (
          "\(name)_dropped_events", "Events dropped on this machine, since the spool was full or they never fit.",
          Double(status?.drops?.count ?? 0)
        ),
      ]
    }
    return gauges
  }

  /// How events get away from this machine.
  func archiveFindings() async -> [DoctorFinding] {
    var findings: [DoctorFinding] = []
    for shipper in shippers {
      let check = "archive \(shipper.archive.name)"
      do {
        let status = try await shipper.spool.status()
        let age = status.oldest.map { Date().timeIntervalSince($0) } ?? 0
        let waiting = "\(status.files) files with \(status.bytes) bytes wait in \(settings.spoolDirectory(of: shipper))"
        if let drops = status.drops {
          findings.append(
            DoctorFinding(
              check: check, verdict: .warning,
              message: "\(drops.count) events were dropped from \(EventTime.format(drops.first)) to "
                + "\(EventTime.format(drops.last)); \(waiting)",
              remedy: "Run: quarry archive ship. Then raise events.spool.maximumBytes, and delete dropped.json there."))
        } else if age > 3600 {
          findings.append(
            DoctorFinding(
              check: check, verdict: .warning, message: "\(waiting), the oldest for \(Int(age) / 60) minutes",
              remedy: "Run: quarry archive ship, which says why they are not sent."))
        } else {
          findings.append(DoctorFinding(check: check, verdict: .ok, message: waiting))
        }
      } catch {
        let known = error as? any CategorizedError
        findings.append(
          DoctorFinding(
            check: check, verdict: .failed, message: known?.message ?? "\(error)", remedy: known?.remedy))
      }
    }
    return findings
  }
}

extension Settings {
  /// Where events wait for an archive.
  func spoolDirectory(of target: EventTarget) -> String { "\(dataDirectory)/spool/\(target.rawValue)" }

  fileprivate func spoolDirectory(of shipper: EventShipper) -> String {
    "\(dataDirectory)/spool/\(shipper.archive.name)"
  }
}

/// Finds AWS when the first file is sent or read: a missing region then leaves events in the spool, and never fails an
/// answer.
private final class LateArchive: ReadableEventArchive {
  let name: String
  private let make: @Sendable () throws -> any EventArchive
  private let made = Locked<(any EventArchive)?>(nil)

  init(name: String, make: @escaping @Sendable () throws -> any EventArchive) {
    self.name = name
    self.make = make
  }

  func send(
    _ file: ArchiveFile, progress: ShipmentProgress, save: @escaping @Sendable (ShipmentProgress) async -> Void
  ) async throws -> ShipmentProgress { try await archive().send(file, progress: progress, save: save) }

  func keys(
    prefix: String, after start: String, while isWanted: @escaping @Sendable (String) -> Bool
  ) async throws -> [String] {
    try await readable().keys(prefix: prefix, after: start, while: isWanted)
  }

  func fetch(_ key: String, to path: String) async throws { try await readable().fetch(key, to: path) }

  private func archive() throws -> any EventArchive {
    try made.withLock { made in
      if let made { return made }
      let archive = try make()
      made = archive
      return archive
    }
  }

  private func readable() throws -> any ReadableEventArchive {
    guard let archive = try archive() as? any ReadableEventArchive else {
      throw CoreError(
        code: "archive.unreadable", category: .invalidConfiguration, message: "\(name) cannot be read back")
    }
    return archive
  }
}

/// Events that go to a stream alone.
private struct UnreadableEvents: EventReader {
  let stream: String

  func events(
    from start: Date, to end: Date, kind: EventKind?, unreadable: @escaping @Sendable (String) -> Void
  ) -> AsyncThrowingStream<Event, any Error> {
    let stream = stream
    return AsyncThrowingStream {
      throw CoreError(
        code: "archive.unreadable", category: .invalidConfiguration,
        message: "events go to the Firehose stream '\(stream)' alone, which cannot be read back",
        remedy: "Read them where the stream delivers them, or add directory or s3 to events.targets.")
    }
  }
}
