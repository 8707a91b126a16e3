import AWSSigning
import Foundation
import Testing

@Suite struct ClockSkewTests {
  @Test(arguments: [
    ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777.0), ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
    ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Fri, 31 Dec 1999 00:00:60 GMT", 946_598_460),
  ])
  func readsTheDateHeader(text: String, seconds: Double) {
    #expect(HTTPDate.parse(text)?.timeIntervalSince1970 == seconds)
  }

  @Test(arguments: [
    "", "now", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 6 Xyz 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT",
  ])
  func readsNothingElse(text: String) { #expect(HTTPDate.parse(text) == nil) }

  @Test func correctsAClockThatIsWrong_andOnlyThen() {
    var skew = ClockSkew()
    let now = Date(timeIntervalSince1970: 784_111_777)
    let header = "Sun, 06 Nov 1994 08:49:37 GMT"
    let answers: [(ahead: Double, changes: Bool)] = [(20, false), (3_600, true), (3_610, false), (0, true)]
    for answer in answers {
      let changed = skew.learn(dateHeader: header, received: now.addingTimeInterval(answer.ahead))
      #expect(changed == answer.changes)
      let expected = answer.ahead >= 3_600 ? now : now.addingTimeInterval(answer.ahead)
      #expect(abs(skew.serviceTime(now.addingTimeInterval(answer.ahead)).timeIntervalSince(expected)) <= 10)
    }
    #expect(skew.seconds == 0)
  }
}
