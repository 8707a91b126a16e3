import Core
import Foundation
import QuarryTesting
import Telemetry
import Testing

/// docs/events.md is a contract with those who read the files: it and the code must say the same.
@Suite struct EventSchemaTests {
  /// The page's sections by heading, without back quotes.
  private static func sections() throws -> [String: [Substring]] {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/events.md"), encoding: .utf8)
    var sections: [String: [Substring]] = [:]
    var heading = ""
    for line in page.split(separator: "\n") {
      if line.hasPrefix("#") {
        heading = line.replacing("`", with: "").trimmingCharacters(in: CharacterSet(charactersIn: "# "))
      } else {
        sections[heading, default: []].append(line)
      }
    }
    return sections
  }

  /// The first cells of the section's tables, with whether the key is always there.
  private static func keys(of section: String) throws -> [String: Bool] {
    var keys: [String: Bool] = [:]
    for line in try #require(sections()[section]) where line.hasPrefix("| `") {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
      let key = cells[1].replacing("`", with: "").trimmingCharacters(in: .whitespaces)
      keys[key] = cells[3].contains("yes")
    }
    return keys
  }

  /// The paths of all keys of a JSON value: `passages[].legs.*.rank`.
  private static func paths(_ value: Any, below path: String = "") -> Set<String> {
    switch value {
    case let object as [String: Any]:
      let isMap = path == "retrieval_parameters" || path.hasSuffix(".legs")
      return object.reduce(into: []) { paths, entry in
        let below = (path.isEmpty ? "" : path + ".") + (isMap ? "*" : entry.key)
        // A leg is a name that maps to an object: its own path says nothing.
        if !below.hasSuffix(".legs.*") { paths.insert(below) }
        paths.formUnion(Self.paths(entry.value, below: below))
      }
    case let list as [Any]: return list.reduce(into: []) { $0.formUnion(Self.paths($1, below: path + "[]")) }
    default: return []
    }
  }

  private static func written(_ event: Event) throws -> Set<String> {
    paths(try JSONSerialization.jsonObject(with: Data(EventCoding.encode(event))))
  }

  @Test(arguments: EventKind.allCases)
  func publishesExactlyTheKeysThatAreWritten(_ kind: EventKind) throws {
    var event = try #require(Sample.eventsOfEveryKind.first { $0.payload.kind == kind })
    event.answerID = AnswerID(rawValue: "a")
    event.redacted = ["question"]
    let published = try Set(Self.keys(of: "Envelope").keys).union(Self.keys(of: kind.rawValue).keys)
    let written = try Self.written(event)
    #expect(written.subtracting(published) == [], "written, not published")
    #expect(published.subtracting(written) == [], "published, not written")
  }

  @Test func leavesOutExactlyTheKeysThatAreNotAlwaysThere() throws {
    let answer = AnswerEvent(question: "", answer: "", outcome: .failed, timings: StageTimings())
    var event = Sample.event(.answer(answer))
    event.caller = nil
    event.collection = nil
    let published = try Self.keys(of: "Envelope").merging(Self.keys(of: "answer")) { a, _ in a }
    let always = published.filter { $0.value && !$0.key.contains("[") && !$0.key.hasPrefix("prompt.") }
      .filter { !$0.key.hasPrefix("usage.") && !$0.key.hasPrefix("rewrite.") }
    #expect(try Self.written(event) == Set(always.keys))
    for (payload, kind) in [
      (EventPayload.feedback(FeedbackEvent(rating: 1)), "feedback"),
      (.evaluation(EvaluationEvent(name: "", score: nil, judge: "")), "evaluation"),
    ] {
      event.payload = payload
      let keys = try Self.keys(of: "Envelope").merging(Self.keys(of: kind)) { a, _ in a }.filter(\.value).keys
      #expect(try Self.written(event) == Set(keys))
    }
  }

  @Test(arguments: EventKind.allCases)
  func readsThePublishedExample(_ kind: EventKind) throws {
    let examples = try #require(Self.sections()[kind.rawValue]).filter { $0.hasPrefix("{") }
    #expect(examples.count == 1)
    let event = try EventCoding.decode(Array(try #require(examples.first).utf8))
    #expect(event.payload.kind == kind)
    // Nothing in it is ignored, and it is written as it stands.
    #expect(try String(decoding: EventCoding.encode(event), as: UTF8.self) == examples[0])
  }

  @Test func namesEveryRedactedField_andEveryValueOfClosedLists() throws {
    #expect(try Set(Self.keys(of: "Redaction").keys) == Set(RedactedField.allCases.map(\.rawValue)))
    let sections = try Self.sections()
    let page = sections.values.joined().joined(separator: "\n")
    for value in Outcome.allCases.map(\.rawValue) + TrafficKind.allCases.map(\.rawValue)
      + EventKind.allCases.map(\.rawValue) + RetrievalLeg.allCases.map(\.rawValue)
    {
      #expect(page.contains("`\(value)`"), "\(value) is not published")
    }
    #expect(page.contains("Schema version **\(Event.currentSchemaVersion)**"))
  }
}
