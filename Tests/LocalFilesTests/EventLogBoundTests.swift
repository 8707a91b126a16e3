import Core
import Foundation
import LocalFiles
import QuarryTesting
import Telemetry
import Testing

/// The bound on bytes, and reading with bounded memory.
@Suite struct EventLogBoundTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// An event of about `bytes` bytes that do not compress.
  private func event(hour: Int, bytes: Int = 3000) -> Event {
    var generator = SystemRandomNumberGenerator()
    let text = String((0..<bytes).map { _ in Character(Unicode.Scalar(UInt8.random(in: 35...90, using: &generator))) })
    return Sample.event(
      .feedback(FeedbackEvent(rating: 1, comment: text)), time: Sample.date + Double(hour) * 3600, id: "\(hour)")
  }

  private func log(maximumBytes: Int, hour: Int) -> DirectoryEventLog {
    DirectoryEventLog(
      directory: folder.path, maximumBytes: maximumBytes, now: { Sample.date + Double(hour) * 3600 })
  }

  private var byteCount: Int {
    get throws {
      try folder.files().reduce(0) { try $0 + Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\($1)")).count }
    }
  }

  @Test func deletesOldestHours_whenTheBoundIsExceeded() async throws {
    for hour in 0..<30 { try await log(maximumBytes: 20_000, hour: hour).append([event(hour: hour)]) }
    let log = log(maximumBytes: 20_000, hour: 30)
    let ids = try await LogReading(log).ids
    #expect(try byteCount <= 20_000)
    #expect(ids.count >= 5)
    #expect(ids == (30 - ids.count..<30).map { "event-\($0)" })
    // The folders of hours and days without files are gone too.
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/events/v1/2026/01/02"))
  }

  @Test func keepsTheCurrentHour_evenWhenItAloneExceedsTheBound() async throws {
    try await log(maximumBytes: 0, hour: 0).append([event(hour: 0)])
    for _ in 0..<4 { try await log(maximumBytes: 5000, hour: 1).append([event(hour: 1)]) }
    #expect(try await LogReading(log(maximumBytes: 0, hour: 1)).ids == Array(repeating: "event-1", count: 4))
  }

  @Test func keepsEverything_withoutABound() async throws {
    for hour in 0..<5 { try await log(maximumBytes: 0, hour: hour).append([event(hour: hour)]) }
    #expect(folder.files().count == 5)
  }

  @Test func leavesForeignFilesAlone() async throws {
    try folder.write("events/v1/2026/01/02/03/note.txt", String(repeating: "x", count: 50_000))
    try folder.write("events/v1/readme.jsonl.gz", String(repeating: "x", count: 50_000))
    try await log(maximumBytes: 1, hour: 0).append([event(hour: 0)])
    try await log(maximumBytes: 1, hour: 1).append([event(hour: 1)])
    #expect(folder.files().count == 3)
    #expect(try await LogReading(log(maximumBytes: 0, hour: 0)).ids == ["event-1"])
  }

  @Test func mergesLargeHours_byReadingAWindowAhead() async throws {
    // Two writers whose lines are out of order by up to 8 places; 20 events may be held for both.
    for writer in 0..<2 {
      let log = log(maximumBytes: 0, hour: 0)
      for batch in 0..<25 {
        let numbers = (0..<8).map { (batch * 8 + 7 - $0) * 2 + writer }
        try await log.append(numbers.map { Sample.event(time: Sample.date + Double($0), id: "\($0)") })
      }
    }
    let paths = folder.files().map { "\(folder.path)/\($0)" }
    #expect(paths.count == 2)
    var merge = EventMerge(
      paths: paths, range: .distantPast ..< .distantFuture, kind: nil, unreadable: { Issue.record("\($0)") },
      smallHour: 0, heldEvents: 32)
    var ids: [String] = []
    while let event = merge.next() { ids.append(event.eventID) }
    #expect(ids == (0..<400).map { "event-\($0)" })
  }

  @Test func readsMoreFilesThanAProcessMayKeepOpen() async throws {
    try await log(maximumBytes: 0, hour: 0).append([event(hour: 0, bytes: 10)])
    let first = try #require(folder.files().first)
    for copy in 0..<1500 {
      try FileManager.default.copyItem(
        atPath: "\(folder.path)/\(first)",
        toPath: "\(folder.path)/\((first as NSString).deletingLastPathComponent)/\(copy).jsonl.gz")
    }
    let reading = try await LogReading(log(maximumBytes: 0, hour: 0))
    #expect(reading.events.count == 1501)
    #expect(reading.unreadable.isEmpty)
  }
}
