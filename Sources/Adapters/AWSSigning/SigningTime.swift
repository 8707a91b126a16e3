import FoundationEssentials

/// A time as signatures spell it, in UTC: `20150830T123600Z`, and its day `20150830`.
struct SigningTime {
  let timestamp: String
  let day: String

  init(_ date: Date) {
    let seconds = Int(date.timeIntervalSince1970.rounded(.down))
    let dayNumber = seconds.floorDivided(by: 86_400)
    let rest = seconds - dayNumber * 86_400
    let (year, month, dayOfMonth) = Self.civil(dayNumber)
    day = Self.digits(year, 4) + Self.digits(month, 2) + Self.digits(dayOfMonth, 2)
    timestamp =
      day + "T" + Self.digits(rest / 3_600, 2) + Self.digits(rest / 60 % 60, 2) + Self.digits(rest % 60, 2) + "Z"
  }

  private static func digits(_ number: Int, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, count - text.count)) + text
  }

  /// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar.
  ///
  /// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
  private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
}

extension Int {
  fileprivate func floorDivided(by divisor: Int) -> Int {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
