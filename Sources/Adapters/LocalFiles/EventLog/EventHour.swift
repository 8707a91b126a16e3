import FoundationEssentials
import Telemetry

/// One hour of the log in UTC, as the path of its folder below `events/v1`: `2026/01/31/23`.
struct EventHour: Hashable, Comparable {
  let path: String

  /// The hour that an event is filed under: that of its time as written, so that rounding to milliseconds can
  /// never put a line into another hour than it names. Nil outside the years 1 to 9999.
  init?(of time: Date) {
    guard time >= Self.first, time < Self.end else { return nil }
    let text = EventTime.format(time)
    self.init(path: text.prefix(13).map { $0 == "-" || $0 == "T" ? "/" : String($0) }.joined())
  }

  /// Nil unless the path has the layout of an hour.
  init?(path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == Self.digits.count, zip(parts, Self.digits).allSatisfy({ Self.isNumber($0, digits: $1) })
    else { return nil }
    self.path = path
  }

  static func < (left: EventHour, right: EventHour) -> Bool { left.path < right.path }

  /// Digits of the folders' names: year, month, day, hour.
  static let digits = [4, 2, 2, 2]

  static func isNumber(_ text: some StringProtocol, digits: Int) -> Bool {
    text.utf8.count == digits && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  /// 0001-01-01 and 10000-01-01, UTC.
  private static let first = Date(timeIntervalSince1970: -62_135_596_800)
  private static let end = Date(timeIntervalSince1970: 253_402_300_800)
}
