import Compression
import Core
import Foundation
import LocalFiles
import QuarryTesting
import Telemetry
import Testing

@Suite struct EventSpoolTests {
  let folder: TemporaryFolder
  let archive = InMemoryArchive()

  init() throws { folder = try TemporaryFolder() }

  private func spool(_ limits: EventSpool.Limits = .init(), vectorsOf app: String? = nil) -> EventSpool {
    EventSpool(directory: folder.path, vectorsOf: app, limits: limits)
  }

  private func events(in bytes: [UInt8]) throws -> [Event] {
    try decompress(bytes, limit: 1 << 24).split(separator: UInt8(ascii: "\n")).map { try EventCoding.decode($0) }
  }

  private func archived(_ prefix: String = "events/v1/") throws -> [Event] {
    try archive.files.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }.flatMap {
      try events(in: $0.value)
    }
  }

  private func ship(_ spool: EventSpool) async throws { try await EventShipper(spool, to: archive).ship() }

  @Test(arguments: EventLogContract.claims)
  func withAnArchiveBehindIt_holds(_ claim: ContractClaim<any EventLog>) async throws {
    let spool = spool()
    try await claim.check(
      JointEventLog(directory: nil, spools: [spool], reading: ArchivedEventLog(archive, spool: spool)))
  }

  @Test func whatWasShippedIsReadFromTheArchive_whatWaitsFromTheSpool() async throws {
    let spool = spool()
    let log = JointEventLog(directory: nil, spools: [spool], reading: ArchivedEventLog(archive, spool: spool))
    let events = (0..<6).map { Sample.event(time: Sample.date + Double($0) * 1800, id: "\($0)") }
    try await log.append(Array(events[..<3]))
    await spool.close()
    try await ship(spool)
    try await log.append([events[3]])
    await spool.close()
    // Sent, and killed before it was removed: in both places.
    let waiting = try #require(folder.files().first)
    let copy = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(waiting)"))
    try await ship(spool)
    try folder.write(waiting)
    try copy.write(to: URL(fileURLWithPath: "\(folder.path)/\(waiting)"))
    try await log.append(Array(events[4...]))
    var read: [Event] = []
    for try await event in log.events(
      from: Sample.date, to: Sample.date + 9000, kind: nil, unreadable: { Issue.record("\($0)") })
    { read.append(event) }
    #expect(read == Array(events[..<5]))
    #expect(!FileManager.default.subpaths(atPath: folder.path)!.contains { $0.contains(".reading") })
  }

  @Test func aClosedFileIsSentOnce_underOneKey_andRemoved() async throws {
    let spool = spool()
    let events = Sample.eventsOfEveryKind
    try await spool.append(Array(events[..<2]))
    try await spool.append(Array(events[2...]))
    // Being written: nobody sends it, in this process or another.
    try await ship(self.spool())
    #expect(archive.sends == [])
    await spool.close()
    try await ship(spool)
    try await ship(spool)
    #expect(archive.sends.count == 1)
    #expect(try archived() == events)
    #expect(archive.sends[0].hasPrefix("events/v1/2026/01/02/03/"))
    #expect(folder.files() == [])
    #expect(try await spool.status().files == 0)
  }

  @Test func anOutageLosesNothing_andDoublesNothing() async throws {
    archive.fail(with: CoreError(code: "net.down", category: .unavailable, message: "down"))
    let spool = spool()
    let shipper = EventShipper(spool, to: archive)
    for id in 0..<5 {
      try await spool.append([Sample.event(time: Sample.date + Double(id), id: "\(id)")])
      await spool.close()
      await #expect(throws: CoreError.self) { try await shipper.ship() }
    }
    #expect(shipper.counters.failures == 5)
    #expect(try await spool.status().files == 5)
    archive.fail(with: nil)
    try await shipper.ship()
    #expect(try archived().map(\.eventID).sorted() == (0..<5).map { "event-\($0)" })
    #expect(shipper.counters.shipped == 5)
    #expect(folder.files() == [])
  }

  @Test func manySendersSendEachFileOnce() async throws {
    for id in 0..<20 {
      let spool = spool()
      try await spool.append([Sample.event(time: Sample.date + Double(id), id: "\(id)")])
      await spool.close()
    }
    let archive = archive
    let path = folder.path
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask { try? await EventShipper(EventSpool(directory: path), to: archive).ship() }
      }
    }
    #expect(archive.sends.count == 20)
    #expect(Set(archive.sends).count == 20)
    #expect(folder.files() == [])
  }

  @Test func whatAKilledProcessLeftTornIsCutOff_andSaid() async throws {
    let spool = spool()
    try await spool.append([Sample.event(id: "kept")])
    await spool.close()
    let name = try #require(folder.files().first)
    let url = URL(fileURLWithPath: "\(folder.path)/\(name)")
    let whole = try Data(contentsOf: url)
    let torn = compress(try EventCoding.encode(Sample.event(id: "torn")) + [10])
    try (whole + torn.dropLast(20)).write(to: url)
    let lines = Reports()
    let log = StructuredLog(level: .warning, format: .text) { lines.add($0) }
    try await EventShipper(spool, to: archive, log: log).ship()
    #expect(archive.files.values.map { Data($0) } == [whole])
    #expect(lines.all.count == 1 && lines.all[0].contains("\(torn.count - 20)"), "\(lines.all)")
    #expect(folder.files() == [])
    // Nothing but a torn member: no object of nothing.
    try folder.write("events/v1/2026/01/02/03/x.jsonl.gz", "")
    try await ship(spool)
    #expect(archive.files.count == 1 && folder.files() == [])
  }

  @Test func closesFilesBySizeAgeAndHour() async throws {
    let bySize = spool(.init(fileBytes: 1, fileAge: .seconds(3600)))
    for id in 0..<3 { try await bySize.append([Sample.event(id: "\(id)")]) }
    try await ship(bySize)
    #expect(archive.sends.count == 3)

    let now = Date()
    let byAge = spool(.init(fileAge: .milliseconds(300)))
    try await byAge.append([Sample.event(time: now, id: "now")])
    let task = Task { await EventShipper(byAge, to: archive, interval: .milliseconds(20)).run() }
    while archive.sends.count < 4 { try await Task.sleep(for: .milliseconds(10)) }
    #expect(Date().timeIntervalSince(now) >= 0.3)
    task.cancel()
    await task.value

    // Hours that are over are closed whatever their age.
    let byHour = spool(.init(fileAge: .seconds(3600)))
    try await byHour.append([Sample.event(id: "old")])
    let other = Task { await EventShipper(byHour, to: archive, interval: .milliseconds(20)).run() }
    while archive.sends.count < 5 { try await Task.sleep(for: .milliseconds(10)) }
    other.cancel()
    await other.value
  }

  @Test func aFullSpoolDropsAndCounts_forEveryProcessToSee_andSparesTheDirectory() async throws {
    let limits = EventSpool.Limits(maximumBytes: 2_000)
    let spool = spool(limits)
    let directory = DirectoryEventLog(directory: folder.path + "/log")
    let log = JointEventLog(directory: directory, spools: [spool], reading: directory)
    var dropped = 0
    for id in 0..<10 {
      do {
        try await log.append([Sample.event(.answer(Sample.answerEvent()), id: "\(id)")])
      } catch {
        #expect((error as? LocalFilesError)?.code == "spool.full")
        dropped += 1
      }
    }
    #expect((1...9).contains(dropped))
    let status = try await self.spool(limits).status()
    #expect(status.drops?.count == dropped)
    #expect(status.bytes <= 2_000)
    #expect(try await LogReading(directory).ids.count == 10)
    // Room comes back when files are sent.
    await spool.close()
    try await ship(self.spool(limits))
    try await spool.append([Sample.event(id: "after")])
    #expect(try await spool.status().drops?.count == dropped)
  }

  @Test func aFailedWriteLeavesNoPart_andIsCounted() async throws {
    let calls = Counter()
    let spool = EventSpool(directory: folder.path) { descriptor, bytes in
      // The second append writes a part and then meets a full disk.
      switch calls.next() {
      case 2: return Foundation.write(descriptor, bytes.baseAddress, 10)
      case 3:
        errno = ENOSPC
        return -1
      default: return Foundation.write(descriptor, bytes.baseAddress, bytes.count)
      }
    }
    try await spool.append([Sample.event(id: "a")])
    let error = await #expect(throws: LocalFilesError.self) { try await spool.append([Sample.event(id: "b")]) }
    #expect(error?.code == "disk.full")
    try await spool.append([Sample.event(id: "c")])
    await spool.close()
    try await ship(spool)
    #expect(try archived().map(\.eventID) == ["event-a", "event-c"])
    #expect(try await spool.status().drops?.count == 1)
  }

  @Test func vectorsGoByThemselves_ofLiveQuestionsAndChunks() async throws {
    let spool = spool(vectorsOf: "my app/ü")
    let directory = DirectoryEventLog(directory: folder.path + "/log", vectorsOf: "my app/ü")
    var replay = Sample.event(.answer(Sample.answerEvent()), id: "r")
    replay.traffic = .replay
    var redacted = Sample.answerEvent()
    redacted.questionEmbedding = nil
    let events = Sample.eventsOfEveryKind + [replay, Sample.event(.answer(redacted), id: "x")]
    for log in [JointEventLog(directory: directory, spools: [spool], reading: directory)] {
      try await log.append(events)
      try await log.append([Sample.event(.embedding(Sample.embeddingEvent(vector: [1e-7, -0.5, 3])))])
    }
    await spool.close()
    try await ship(spool)
    for (stream, expected) in [
      ("promptarchive", [[0.6, -0.8]]), ("embeddingarchive", [[0.6, -0.8], [1e-7, -0.5, 3]]),
    ] as [(String, [[Float]])] {
      let prefix = "\(stream)/my%20app%2F%C3%BC/2026/01/02/03/"
      let key = try #require(archive.files.keys.first { $0.hasPrefix(prefix) })
      let text = String(decoding: try decompress(archive.files[key]!, limit: 1 << 20), as: UTF8.self)
      #expect(
        try text.split(separator: "\n").map { try JSONDecoder().decode([Float].self, from: Data($0.utf8)) } == expected)
      let file = try #require(folder.files().first { $0.hasPrefix("log/\(prefix)") })
      #expect(try run("zcat", ["\(folder.path)/\(file)"]) == text)
    }
    #expect(try archived().count == 8)
  }
}

private final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0
  func next() -> Int {
    lock.withLock {
      count += 1
      return count
    }
  }
}
