import Core
import Foundation
import QuarryTesting
import Telemetry
import Testing

@Suite struct StructuredLogTests {
  /// What a log wrote.
  private final class Lines: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []
    var all: [String] { lock.withLock { lines } }
    func add(_ line: String) { lock.withLock { lines.append(line) } }
  }

  private struct Failed: CategorizedError {
    var code = "disk.full"
    var message = "cannot write \"events\""
    var remedy: String? = "Free space."
    var category = ErrorCategory.storageFull
    var underlying: (any Error)?
  }

  private func lines(
    _ level: LogLevel = .debug, _ format: LogFormat = .json, _ body: (StructuredLog) -> Void
  ) -> [String] {
    let lines = Lines()
    body(StructuredLog(level: level, format: format, now: { Sample.date }) { lines.add($0) })
    return lines.all
  }

  private func object(_ line: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  @Test func writesOneJSONObject_withTimeLevelMessageAndFields() throws {
    let written = lines { $0.log(.info, "done", [("pages", 3), ("seconds", .double(0.5)), ("ok", true), ("n", "x")]) }
    let object = try object(try #require(written.first))
    #expect(written.count == 1)
    #expect(object["time"] as? String == "2026-01-02T03:04:05.000Z")
    #expect(object["level"] as? String == "info")
    #expect(object["message"] as? String == "done")
    #expect(object["pages"] as? Int == 3)
    #expect(object["seconds"] as? Double == 0.5)
    #expect(object["ok"] as? Bool == true)
    #expect(object["n"] as? String == "x")
  }

  @Test func carriesTheRequestContext() throws {
    let context = RequestContext(caller: Caller(id: "k\"1"), app: "a", environment: "e", traffic: .canary)
    let object = try object(lines { $0.log(.info, "done", context: context) }[0])
    #expect(object["trace_id"] as? String == context.traceID.rawValue)
    #expect(object["caller"] as? String == "k\"1")
    #expect(object["traffic"] as? String == "canary")
    #expect(object["app"] as? String == "a")
    #expect(object["environment"] as? String == "e")
  }

  @Test(arguments: LogFormat.allCases)
  func keepsOneLine_whateverTheText(_ format: LogFormat) {
    let text = String(String.UnicodeScalarView((0..<0x100).map { Unicode.Scalar($0)! })) + "\u{2028}\u{2029}\u{1F642}"
    let context = RequestContext(caller: Caller(id: "a\nb"), app: "a\nb", environment: "\r")
    for line in lines(.debug, format, { $0.log(.info, "m", context: context, [("text", .string(text))]) }) {
      let breaks = line.unicodeScalars.filter {
        $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0 == "\u{2028}" || $0 == "\u{2029}"
      }
      #expect(breaks.isEmpty)
    }
  }

  @Test func keepsEveryScalar_throughJSON() throws {
    let text = String(String.UnicodeScalarView((0..<0x100).map { Unicode.Scalar($0)! })) + "\u{2028}\u{10FFFF}"
    let line = lines { $0.log(.info, "m", [("text\n\"", .string(text))]) }[0]
    struct Line: Decodable {
      let text: String
      enum CodingKeys: String, CodingKey { case text = "text\n\"" }
    }
    let read = try JSONDecoder().decode(Line.self, from: Data(line.utf8)).text
    #expect(Array(read.unicodeScalars) == Array(text.unicodeScalars))
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func writesNull_forNumbersThatAreNotFinite(_ number: Double) throws {
    #expect(try object(lines { $0.log(.info, "m", [("x", .double(number))]) }[0])["x"] is NSNull)
  }

  @Test(arguments: [1e300, -1e-300, 0.1, 5, -0.0, .pi])
  func writesNumbersThatJSONReads(_ number: Double) throws {
    #expect(try object(lines { $0.log(.info, "m", [("x", .double(number))]) }[0])["x"] as? Double == number)
  }

  @Test func writesFromItsLevelOn_evaluatingNothingBelow() {
    let levels: [LogLevel] = [.debug, .info, .warning, .error]
    for level in LogLevel.allCases {
      let evaluated = Lines()
      let written = lines(level) { log in
        for line in levels {
          log.log(
            line, "m",
            [
              (
                "level",
                .string(
                  {
                    evaluated.add(line.rawValue); return line.rawValue
                  }())
              )
            ])
        }
      }
      #expect(written.count == levels.count(where: { $0 >= level }))
      #expect(evaluated.all.count == written.count)
    }
    #expect(lines(.off) { $0.log(.off, "m") }.isEmpty)
  }

  @Test func keepsEnvelopeKeysUnique_whenAFieldHasTheirName() throws {
    let context = RequestContext()
    let line = lines { $0.log(.info, "m", context: context, [("app", "other"), ("time", 1), ("message", "x")]) }[0]
    for key in ["app", "time", "message", "trace_id"] {
      #expect(line.components(separatedBy: "\"\(key)\":").count == 2, "\(key) in \(line)")
    }
    #expect(try object(line)["app_"] as? String == "other")
  }

  @Test func describesCategorizedErrors_leavingOutWhatIsNotThere() throws {
    let error = Failed(underlying: Failed(remedy: nil))
    let read = try object(lines { $0.log(.error, "failed", error: error) }[0])
    #expect(read["error_code"] as? String == "disk.full")
    #expect(read["error"] as? String == "cannot write \"events\"")
    #expect(read["remedy"] as? String == "Free space.")
    #expect((read["underlying"] as? String)?.contains("disk.full") == true)
    let plain = try object(lines { $0.log(.error, "failed", error: Failed(remedy: nil)) }[0])
    #expect(plain["remedy"] == nil && plain["underlying"] == nil)
    let other = try object(lines { $0.log(.error, "failed", error: CancellationError()) }[0])
    #expect(other["error"] != nil && other["error_code"] == nil)
  }

  @Test func writesReadableText_whenAsked() {
    let context = RequestContext(traceID: TraceID(rawValue: "t"))
    #expect(
      lines(.debug, .text) { $0.log(.warning, "slow", context: context, [("seconds", .double(2)), ("of", "a b")]) }
        == ["warning: slow seconds=2.0 of=\"a b\" trace_id=t"])
  }
}
