import Core
import Foundation
import QuarryTesting
import Telemetry
import Testing

@Suite struct EventCodingTests {
  private func line(_ event: Event) throws -> String { String(decoding: try EventCoding.encode(event), as: UTF8.self) }

  @Test(arguments: Sample.eventsOfEveryKind)
  func readsBackWhatItWrote(_ event: Event) throws {
    #expect(try EventCoding.decode(EventCoding.encode(event)) == event)
  }

  @Test func readsBackAnEventWithoutAnyOptionalField() throws {
    var event = Sample.event(
      .answer(AnswerEvent(question: "", answer: "", outcome: .failed, timings: StageTimings())))
    event.caller = nil
    event.collection = nil
    #expect(try EventCoding.decode(EventCoding.encode(event)) == event)
    #expect(try !line(event).contains("null"))
  }

  @Test func writesOneLine_whateverTheText() throws {
    let text = "a\nb\r\u{85}\u{2028}\u{0}\"\\"
    let event = Sample.event(.feedback(FeedbackEvent(rating: 1, comment: text)))
    let bytes = try EventCoding.encode(event)
    #expect(!bytes.contains(UInt8(ascii: "\n")) && !bytes.contains(UInt8(ascii: "\r")))
    #expect(try EventCoding.decode(bytes) == event)
  }

  @Test func keepsKeysOfMapsAsTheyAre() throws {
    let event = Sample.event(.answer(Sample.answerEvent()))
    #expect(try line(event).contains(#""retrieval_parameters":{"topK":"5","top_k":"5"}"#))
  }

  @Test func ignoresUnknownKeys() throws {
    let event = Sample.eventsOfEveryKind[0]
    let newer = "{\"aaa\":[{\"b\":null}]," + (try line(event).dropFirst())
    #expect(try EventCoding.decode(Array(newer.utf8)) == event)
  }

  @Test func refusesNewerSchema_sayingSo() throws {
    let newer = try line(Sample.event()).replacing("\"schema_version\":1,", with: "\"schema_version\":2,")
    let error = #expect(throws: DecodingError.self) { try EventCoding.decode(Array(newer.utf8)) }
    guard case .dataCorrupted(let context)? = error else { return #expect(error == nil) }
    #expect(context.debugDescription.contains("schema version 2 is newer"))
  }

  @Test(arguments: ["", "{}", "[]", "null", "{\"schema_version\":1", "{\"schema_version\":\"1\"}", "\u{0}"])
  func refusesWhatIsNoEvent(_ text: String) {
    #expect(throws: DecodingError.self) { try EventCoding.decode(Array(text.utf8)) }
  }

  @Test func keepsNumbersThatAreNotFinite_asNamedStrings() throws {
    var answer = Sample.answerEvent()
    answer.passages[0].similarity = .nan
    answer.passages[0].score = .infinity
    answer.cost = -.infinity
    let event = Sample.event(.answer(answer))
    let text = try line(event)
    #expect(text.contains(#""similarity":"NaN""#) && text.contains(#""score":"Infinity""#))
    #expect(text.contains(#""cost":"-Infinity""#))
    guard case .answer(let read) = try EventCoding.decode(Array(text.utf8)).payload else { return }
    #expect(read.passages[0].similarity.isNaN)
    #expect(read.passages[0].score == .infinity)
    #expect(read.cost == -.infinity)
    #expect(read.question == answer.question)
  }

  @Test func keepsEveryBitOfAVector() throws {
    let vector: [Float] = [0.1, -1 / 3, .leastNonzeroMagnitude, .greatestFiniteMagnitude, -0.0, 1e-10]
    let event = Sample.event(.embedding(Sample.embeddingEvent(vector: vector)))
    guard case .embedding(let read) = try EventCoding.decode(EventCoding.encode(event)).payload else { return }
    #expect(read.vector.map(\.bitPattern) == vector.map(\.bitPattern))
  }
}

@Suite struct EventTimeTests {
  @Test(arguments: [
    (0.0, "1970-01-01T00:00:00.000Z"), (1_767_323_045.001, "2026-01-02T03:04:05.001Z"),
    (1_767_323_045.9994, "2026-01-02T03:04:05.999Z"), (1_767_323_045.9996, "2026-01-02T03:04:06.000Z"),
    (-0.001, "1969-12-31T23:59:59.999Z"), (951_782_400.5, "2000-02-29T00:00:00.500Z"),
    (.infinity, "9999-12-31T23:59:59.000Z"), (.nan, "1970-01-01T00:00:00.000Z"),
  ])
  func roundsToTheNearestMillisecond(_ seconds: Double, _ text: String) {
    #expect(EventTime.format(Date(timeIntervalSince1970: seconds)) == text)
  }

  @Test func readsBackEveryMillisecondAsRounded() {
    for millisecond in 0..<1000 {
      let date = Date(timeIntervalSince1970: 1_767_323_045 + Double(millisecond) / 1000)
      let text = EventTime.format(date)
      #expect(text.hasSuffix(String(1000 + millisecond).dropFirst() + "Z"))
      #expect(EventTime.parse(text) == EventTime.rounded(date))
      #expect(EventTime.rounded(EventTime.rounded(date)) == EventTime.rounded(date))
    }
  }

  @Test func readsTimesWithoutFraction_andRefusesOthers() {
    #expect(EventTime.parse("2026-01-02T03:04:05Z") == Date(timeIntervalSince1970: 1_767_323_045))
    #expect(EventTime.parse("2026-01-02T04:04:05+01:00") == Date(timeIntervalSince1970: 1_767_323_045))
    for text in ["", "2026-01-02", "2026-13-02T03:04:05Z", "yesterday", "2026-01-02 03:04:05"] {
      #expect(EventTime.parse(text) == nil, "\(text)")
    }
  }
}
