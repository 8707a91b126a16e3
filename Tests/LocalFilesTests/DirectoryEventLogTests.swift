import Core
import Foundation
import LocalFiles
import QuarryTesting
import Telemetry
import Testing

/// What a reading of a log gave.
struct LogReading {
  var events: [Event] = []
  var unreadable: [String] = []

  var ids: [String] { events.map(\.eventID) }

  init(_ log: DirectoryEventLog, kind: EventKind? = nil) async throws {
    let reports = Reports()
    let stream = log.events(from: .distantPast, to: .distantFuture, kind: kind) { reports.add($0) }
    for try await event in stream { events.append(event) }
    unreadable = reports.all
  }
}

/// Collects from any thread.
final class Reports: @unchecked Sendable {
  private let lock = NSLock()
  private var texts: [String] = []
  var all: [String] { lock.withLock { texts } }
  func add(_ text: String) { lock.withLock { texts.append(text) } }
}

@Suite struct DirectoryEventLogTests {
  let folder: TemporaryFolder
  var log: DirectoryEventLog { DirectoryEventLog(directory: folder.path) }

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: EventLogContract.claims)
  func holds(_ claim: ContractClaim<any EventLog>) async throws {
    try await claim.check(DirectoryEventLog(directory: folder.path + "/not/there/yet"))
  }

  @Test func touchesNothing_beforeFirstEvent() async throws {
    let log = DirectoryEventLog(directory: folder.path + "/below")
    try await log.append([])
    #expect(try await LogReading(log).events.isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func filesEachEvent_underTheHourOfItsTimeInUTC() async throws {
    let log = log
    // 2026-01-02 03:04:05, one hour later, and a moment that rounds into the next year.
    let last = Date(timeIntervalSince1970: 1_798_761_599.9999)
    try await log.append([Sample.event(), Sample.event(time: Sample.date + 3600), Sample.event(time: last)])
    let folders = folder.files().map { ($0 as NSString).deletingLastPathComponent }
    #expect(folders[..<2] == ["events/v1/2026/01/02/03", "events/v1/2026/01/02/04"])
    // The line's own time and its folder agree, whichever way the time was rounded.
    let line = try run("zcat", ["\(folder.path)/\(folder.files()[2])"])
    let hour = folders[2].suffix(13).replacing("/", with: "-")
    let written = try #require(line.firstRange(of: "\"time\":\"")).upperBound
    #expect(line[written...].prefix(13).replacing("T", with: "-") == hour)
    #expect(try await LogReading(log).events.count == 3)
  }

  @Test func writesOneGzipMemberAnAppend_thatOtherToolsRead() async throws {
    let log = log
    let events = Sample.eventsOfEveryKind
    try await log.append(Array(events[..<2]))
    try await log.append(Array(events[2...]))
    let path = "\(folder.path)/\(try #require(folder.files().first))"
    #expect(folder.files().count == 1)
    #expect(path.hasSuffix(".jsonl.gz"))
    let expected = try events.map { String(decoding: try EventCoding.encode($0), as: UTF8.self) + "\n" }.joined()
    #expect(try run("zcat", [path]) == expected)
    _ = try run("gzip", ["--test", path])
    let program = """
      import gzip, json, sys
      members = open(sys.argv[1], "rb").read().count(bytes.fromhex("1f8b080000000000"))
      lines = [json.loads(line) for line in gzip.open(sys.argv[1], "rt", encoding="utf-8", newline="\\n")]
      print(members, *[line["type"] for line in lines])
      """
    #expect(try run("python3", ["-c", program, path]) == "2 answer feedback evaluation embedding tombstone\n")
  }

  @Test func keepsFilesPrivate_whateverTheMask() async throws {
    try await log.append([Sample.event()])
    let path = "\(folder.path)/\(try #require(folder.files().first))"
    #expect(try run("stat", ["-c", "%a", path]) == "600\n")
    for level in ["events", "events/v1", "events/v1/2026", "events/v1/2026/01/02/03"] {
      #expect(try run("stat", ["-c", "%a", "\(folder.path)/\(level)"]) == "700\n")
    }
  }

  @Test func givesEachWriterItsOwnFile_andMergesThemByTime() async throws {
    let logs = [log, log, log]
    for (index, time) in [5.0, 3, 1, 4, 2, 0].enumerated() {
      try await logs[index % 3].append([Sample.event(time: Sample.date + time, id: "\(Int(time))")])
    }
    #expect(folder.files().count == 3)
    #expect(try await LogReading(log).ids == (0..<6).map { "event-\($0)" })
  }

  @Test func readsOtherToolsFiles_andPassesOverForeignNames() async throws {
    let line = String(decoding: try EventCoding.encode(Sample.event(id: "x")), as: UTF8.self)
    // Without a line end, with spaces between the tokens, compressed by gzip with name and time.
    try folder.write("events/v1/2026/01/02/03/other.jsonl", line.replacing("\":", with: "\" : "))
    _ = try run("gzip", ["\(folder.path)/events/v1/2026/01/02/03/other.jsonl"])
    try folder.write("events/v1/2026/01/02/03/note.txt", "x")
    try folder.write("events/v1/2026/01/02/03/.half.jsonl.gz", "x")
    try folder.write("events/v1/2026/lost+found/x.jsonl.gz", "x")
    try folder.write("events/v1/2026/01/02/03/empty.jsonl.gz", "")
    let reading = try await LogReading(log, kind: .tombstone)
    #expect(reading.ids == ["event-x"])
    #expect(reading.unreadable.isEmpty)
  }

  @Test func refusesTimesWithoutAFolder() async throws {
    let error = await #expect(throws: LocalFilesError.self) {
      try await log.append([Sample.event(time: Date(timeIntervalSince1970: 1e12))])
    }
    #expect(error?.code == "event.time")
    #expect(folder.files().isEmpty)
  }

  @Test func stopsReading_whenTheReaderIsCancelled() async throws {
    let log = log
    try await log.append((0..<500).map { Sample.event(id: "\($0)") })
    let task = Task {
      var count = 0
      for try await _ in log.events(from: .distantPast, to: .distantFuture, kind: nil, unreadable: { _ in }) {
        count += 1
        if count == 10 { withUnsafeCurrentTask { $0?.cancel() } }
      }
      return count
    }
    if case .success(let count) = await task.result { #expect(count < 500) }
  }
}
