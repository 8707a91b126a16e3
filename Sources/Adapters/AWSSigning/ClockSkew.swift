public import FoundationEssentials

/// How far this machine's clock is from a service's, learnt from the `Date` header of its answers.
///
/// A signature is refused when its time is more than five minutes off (S3: fifteen).
public struct ClockSkew: Sendable, Hashable {
  /// Seconds to add to this machine's time.
  public private(set) var seconds: Double = 0

  /// No skew is known.
  public init() {}

  /// The service's time now.
  public func serviceTime(_ now: Date) -> Date { now.addingTimeInterval(seconds) }

  /// Learns from an answer. Differences below a minute are the network's, and are left alone.
  /// - Returns: Whether the correction changed by a minute or more, so that a refused request is worth another try.
  @discardableResult
  public mutating func learn(dateHeader: String, received now: Date) -> Bool {
    guard let theirs = HTTPDate.parse(dateHeader) else { return false }
    let difference = theirs.timeIntervalSince(now)
    let correction = abs(difference) < 60 ? 0 : difference
    guard abs(correction - seconds) >= 60 else { return false }
    seconds = correction
    return true
  }
}

/// The `Date` header's format, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7, IMF-fixdate).
public enum HTTPDate {
  /// The time of a header's value; nil when it is in no such format.
  public static func parse(_ text: String) -> Date? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), let year = Int(parts[3]),
      let month = months.firstIndex(of: String(parts[2]))
    else { return nil }
    let clock = parts[4].split(separator: ":").compactMap { Int($0) }
    guard clock.count == 3, (1...31).contains(day), (1970...9999).contains(year), (0...23).contains(clock[0]),
      (0...59).contains(clock[1]), (0...60).contains(clock[2])
    else { return nil }
    let seconds = days(year, month + 1, day) * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]
    return Date(timeIntervalSince1970: Double(seconds))
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Days since 1970-01-01. Source: as in `SigningTime`, `days_from_civil`.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
