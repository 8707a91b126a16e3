public import Core
import FoundationEssentials
import Testing

/// What every ``EventLog`` must do.
public enum EventLogContract {
  /// The claims, each for a fresh log.
  public static let claims: [ContractClaim<any EventLog>] = [
    ContractClaim("returnsNothing_whenEmpty") { log in
      #expect(try await read(log, .distantPast, .distantFuture).isEmpty)
      try await log.append([])
      #expect(try await read(log, .distantPast, .distantFuture).isEmpty)
    },
    ContractClaim("returnsEveryKind_withEveryField") { log in
      let events = Sample.eventsOfEveryKind
      try await log.append(events)
      #expect(try await read(log, Sample.date, Sample.date + 60) == events)
    },
    ContractClaim("startIsInside_endIsOutside") { log in
      let events = (0..<4).map { Sample.event(time: Sample.date + Double($0), id: "\($0)") }
      try await log.append(events)
      #expect(try await read(log, Sample.date + 1, Sample.date + 3) == Array(events[1...2]))
      #expect(try await read(log, Sample.date + 1, Sample.date + 1).isEmpty)
      #expect(try await read(log, Sample.date + 3, Sample.date + 1).isEmpty)
    },
    ContractClaim("ordersByTime_acrossAppendsHoursAndYears") { log in
      let offsets: [Double] = [7200, 0.125, 0, 3600, 86_400 * 400, -86_400 * 400, 0.25]
      let events = offsets.map { Sample.event(time: Sample.date + $0, id: "\($0)") }
      try await log.append(Array(events[..<4]))
      try await log.append(Array(events[4...]))
      #expect(try await read(log, .distantPast, .distantFuture) == events.sorted { $0.time < $1.time })
    },
    ContractClaim("keepsOrderOfAppending_whenTimesAreEqual") { log in
      let events = (0..<40).map { Sample.event(id: "\($0)") }
      try await log.append(Array(events[..<15]))
      try await log.append(Array(events[15...]))
      #expect(try await read(log, .distantPast, .distantFuture) == events)
    },
    ContractClaim("returnsOneKind_whenAsked") { log in
      // The second question quotes what a line of another kind looks like.
      let tricky = Sample.event(
        .answer(Sample.answerEvent(question: "What is \"type\":\"tombstone\"?")), time: Sample.date + 9, id: "q")
      let events = Sample.eventsOfEveryKind + [tricky]
      try await log.append(events)
      for kind in EventKind.allCases {
        #expect(try await read(log, .distantPast, .distantFuture, kind) == events.filter { $0.payload.kind == kind })
      }
    },
    ContractClaim("keepsEverything_whenManyTasksAppend") { log in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<8 {
          group.addTask {
            for round in 0..<5 {
              try await log.append([Sample.event(time: Sample.date + Double(round), id: "\(task)-\(round)")])
            }
          }
        }
        try await group.waitForAll()
      }
      let ids = try await read(log, .distantPast, .distantFuture).map(\.eventID)
      #expect(ids.count == 40)
      #expect(Set(ids).count == 40)
    },
    ContractClaim("keepsTextAsItIs_withControlCharactersAndEveryPlane") { log in
      let text = "a\u{0}b\u{1F}\u{7F}\u{2028}\\\"/\r\n\t \u{10FFFF}e\u{301}"
      try await log.append([Sample.event(.feedback(FeedbackEvent(rating: 1, comment: text)))])
      let read = try await read(log, .distantPast, .distantFuture)
      guard case .feedback(let feedback)? = read.first?.payload else { throw Missing() }
      #expect(feedback.comment.map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
    },
  ]

  private struct Missing: Error {}

  /// All events of a span; a line that cannot be read is an issue.
  private static func read(
    _ log: any EventLog, _ start: Date, _ end: Date, _ kind: EventKind? = nil
  ) async throws -> [Event] {
    var events: [Event] = []
    for try await event in log.events(from: start, to: end, kind: kind, unreadable: { Issue.record("\($0)") }) {
      events.append(event)
    }
    return events
  }
}
