public import FoundationEssentials

/// Ids that sort by the time they were made: version 7 UUIDs, lower case.
/// Source: RFC 9562, section 5.7.
public enum TimeOrderedID {
  /// Makes an id for `now`; ids of one millisecond are in no particular order.
  public static func make(now: Date) -> String {
    var generator = SystemRandomNumberGenerator()
    // A clock that is wrong must not end the process: times outside the format's 48 bits become its limits.
    let time = now.timeIntervalSince1970 * 1000
    let milliseconds = time > 0 ? UInt64(min(time, 0xFFFF_FFFF_FFFF)) : 0
    let randomA = UInt64.random(in: 0...0xFFF, using: &generator)
    let randomB = UInt64.random(in: 0...0x3FFF_FFFF_FFFF_FFFF, using: &generator)
    let high = (milliseconds << 16) | 0x7000 | randomA
    let low = 0x8000_0000_0000_0000 | randomB
    let digits = hex(high) + hex(low)
    var result = ""
    for (offset, digit) in digits.enumerated() {
      if offset == 8 || offset == 12 || offset == 16 || offset == 20 { result.append("-") }
      result.append(digit)
    }
    return result
  }

  /// When an id was made, to the millisecond; nil when `id` is not a version 7 UUID.
  public static func time(of id: String) -> Date? {
    let digits = id.filter { $0 != "-" }
    guard digits.count == 32, digits.dropFirst(12).first == "7",
      let milliseconds = UInt64(digits.prefix(12), radix: 16)
    else { return nil }
    return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
  }

  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
