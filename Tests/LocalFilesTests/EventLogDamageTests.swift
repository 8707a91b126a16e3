import Core
import Foundation
import LocalFiles
import QuarryTesting
import Telemetry
import Testing

/// Crashes, full disks, damaged bytes: what was acknowledged stays, what is lost is named.
@Suite struct EventLogDamageTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  var log: DirectoryEventLog { DirectoryEventLog(directory: folder.path) }
  var onlyFile: String {
    get throws { "\(folder.path)/\(try #require(folder.files().first))" }
  }

  /// Three appends of two events each; returns the lengths of the file after each.
  private func threeAppends() async throws -> [Int] {
    let log = log
    var lengths: [Int] = []
    for append in 0..<3 {
      try await log.append((0..<2).map { Sample.event(time: Sample.date + Double(append), id: "\(append)\($0)") })
      lengths.append(try Data(contentsOf: URL(fileURLWithPath: onlyFile)).count)
    }
    return lengths
  }

  @Test func reportsTornTail_andKeepsEveryOtherLine_whereverItIsCut() async throws {
    let lengths = try await threeAppends()
    let whole = try Data(contentsOf: URL(fileURLWithPath: onlyFile))
    for cut in stride(from: lengths[1] + 1, to: lengths[2], by: 7) {
      try whole.prefix(cut).write(to: URL(fileURLWithPath: onlyFile))
      let reading = try await LogReading(log)
      #expect(reading.ids.prefix(4) == ["event-00", "event-01", "event-10", "event-11"])
      try #require(reading.unreadable.count == 1, "cut at \(cut): \(reading.unreadable)")
      #expect(reading.unreadable[0].contains("\(cut - lengths[1]) bytes from byte \(lengths[1])"))
      #expect(try reading.unreadable[0].hasPrefix(onlyFile))
    }
  }

  @Test func loseOnlyTheDamagedMember_whenABitFlipsInTheMiddle() async throws {
    let lengths = try await threeAppends()
    let whole = try Data(contentsOf: URL(fileURLWithPath: onlyFile))
    for place in stride(from: lengths[0], to: lengths[1], by: 5) {
      var damaged = whole
      damaged[place] ^= 0x10
      try damaged.write(to: URL(fileURLWithPath: onlyFile))
      let reading = try await LogReading(log)
      let undamaged = ["event-00", "event-01", "event-20", "event-21"]
      #expect(reading.ids.filter(undamaged.contains) == undamaged, "bit flipped in byte \(place)")
      // The header's time, extra flags and system are not checked by any sum: then nothing is lost.
      #expect(!reading.unreadable.isEmpty || reading.ids.count == 6, "bit flipped in byte \(place)")
    }
  }

  @Test func passesOverZerosAtTheEnd_asACrashedFileSystemLeavesThem() async throws {
    _ = try await threeAppends()
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: onlyFile))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(count: 5000))
    let reading = try await LogReading(log)
    #expect(reading.events.count == 6)
    #expect(reading.unreadable.isEmpty)
  }

  @Test func reportsLinesThatAreNoEvents_andGoesOn() async throws {
    let good = String(decoding: try EventCoding.encode(Sample.event(id: "good")), as: UTF8.self)
    let newer = good.replacing("\"schema_version\":1", with: "\"schema_version\":2")
    #expect(newer != good)
    let lines = ["{", good, "[1]", "", newer, good.replacing("\"tombstone\"", with: "\"party\"")]
    try folder.write("events/v1/2026/01/02/03/x.jsonl", lines.joined(separator: "\n") + "\n")
    _ = try run("gzip", ["\(folder.path)/events/v1/2026/01/02/03/x.jsonl"])
    let reading = try await LogReading(log)
    #expect(reading.ids == ["event-good"])
    #expect(reading.unreadable.count == 4)
    for (report, line) in zip(reading.unreadable, [1, 3, 5, 6]) { #expect(report.contains("line \(line) is not")) }
    #expect(reading.unreadable[2].contains("newer"))
  }

  @Test func reportsLinesBeyondTheLimit_andReadsThoseAround() throws {
    try folder.write("long.jsonl", "one\n" + String(repeating: "x", count: 200_000) + "\nthree\n12345678")
    _ = try run("gzip", ["\(folder.path)/long.jsonl"])
    let lines = try EventFileLines(path: "\(folder.path)/long.jsonl.gz", longestLine: 8)
    #expect(lines.next() == .line(Array("one".utf8), number: 1))
    guard case .unreadable(let report)? = lines.next() else { throw CommandFailed(description: "no report") }
    #expect(report.contains("line 2 is longer than 8 bytes"))
    #expect(lines.next() == .line(Array("three".utf8), number: 3))
    #expect(lines.next() == .line(Array("12345678".utf8), number: 4))
    #expect(lines.next() == nil)
    #expect(lines.next() == nil)
  }

  @Test func reportsAFileThatIsNotCompressed() async throws {
    try folder.write("events/v1/2026/01/02/03/x.jsonl.gz", "{\"type\":\"answer\"}\n")
    let reading = try await LogReading(log)
    #expect(reading.events.isEmpty)
    #expect(reading.unreadable.count == 1)
  }

  @Test func takesBackTheWholeAppend_whenTheDiskIsFull() async throws {
    let room = Room()
    let log = DirectoryEventLog(directory: folder.path) { room.write($0, $1) }
    try await log.append([Sample.event(id: "first")])
    let before = try Data(contentsOf: URL(fileURLWithPath: onlyFile))
    // Two hours: the second file gets half its bytes, then the disk is full.
    room.left = 350
    let events = [Sample.event(id: "second"), Sample.event(time: Sample.date + 3600, id: "third")]
    let error = await #expect(throws: LocalFilesError.self) { try await log.append(events) }
    #expect(error?.category == .storageFull)
    #expect(error?.code == "disk.full")
    #expect(room.left == 0)
    #expect(folder.files().count == 1)
    #expect(try Data(contentsOf: URL(fileURLWithPath: onlyFile)) == before)
    room.left = .max
    try await log.append(events)
    let reading = try await LogReading(log)
    #expect(reading.ids == ["event-first", "event-second", "event-third"])
    #expect(reading.unreadable.isEmpty)
  }

  @Test func keepsWritingInTurns_whenWritesAreShort() async throws {
    let log = DirectoryEventLog(directory: folder.path) { write($0, $1.baseAddress, min($1.count, 7)) }
    try await log.append(Sample.eventsOfEveryKind)
    #expect(try await LogReading(log).events == Sample.eventsOfEveryKind)
  }

  @Test func saysWhatToDo_whenTheDirectoryCannotBeMade() async throws {
    let file = try folder.write("taken", "x")
    let error = await #expect(throws: LocalFilesError.self) {
      try await DirectoryEventLog(directory: file).append([Sample.event()])
    }
    #expect(error?.message.contains(file) == true)
    #expect(error?.remedy != nil)
  }

  /// A disk with so many bytes left.
  private final class Room: @unchecked Sendable {
    private let lock = NSLock()
    private var bytes = Int.max
    var left: Int {
      get { lock.withLock { bytes } }
      set { lock.withLock { bytes = newValue } }
    }

    func write(_ descriptor: Int32, _ content: UnsafeRawBufferPointer) -> Int {
      lock.withLock {
        guard bytes > 0 else {
          errno = ENOSPC
          return -1
        }
        let count = Foundation.write(descriptor, content.baseAddress, min(content.count, bytes))
        bytes -= bytes == .max ? 0 : count
        return count
      }
    }
  }
}
