import Spelling

/// The number in a decimal text (`0.5`, `-3`, `1e-4`), or nil for other texts, hexadecimal and infinities included.
func parsedDecimal(_ text: String) -> Double? {
  guard text.utf8.allSatisfy({ "+-.eE0123456789".utf8.contains($0) }), let value = Double(text), value.isFinite
  else { return nil }
  return value
}

/// Splits `12.5 MiB` into its number's text and its unit, nil when there is no number.
private func numberAndUnit(_ text: Substring) -> (number: Substring, unit: Substring)? {
  let number = text.prefix { ("0"..."9").contains($0) || $0 == "." }
  if number.isEmpty { return nil }
  return (number, text[number.endIndex...].drop { $0 == " " })
}

private let byteUnits: [(name: String, bytes: Int)] = [
  ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
  ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000), ("KB", 1000), ("B", 1),
]

/// Bytes of a size such as `512 MiB` (powers of 1,024), `1.5 GB` (powers of 1,000) or `4096`; nil for other texts.
func parsedByteSize(_ text: String) -> Int? {
  guard let (number, unit) = numberAndUnit(text[...]) else { return nil }
  guard let factor = unit.isEmpty ? 1 : byteUnits.first(where: { $0.name == unit })?.bytes else { return nil }
  if let whole = Int(number) {
    let (bytes, overflow) = whole.multipliedReportingOverflow(by: factor)
    return overflow ? nil : bytes
  }
  guard let value = parsedDecimal(String(number)) else { return nil }
  return Int(exactly: (value * Double(factor)).rounded())
}

/// A number of bytes in the largest unit that divides it.
func renderedByteSize(_ bytes: Int) -> String {
  guard bytes > 0, let unit = byteUnits.first(where: { bytes % $0.bytes == 0 && $0.bytes > 1 }) else {
    return "\(bytes)"
  }
  return "\(bytes / unit.bytes) \(unit.name)"
}

private let timeUnits: [(name: String, nanoseconds: Int64)] = [
  ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
  ("ms", 1_000_000), ("us", 1000), ("ns", 1),
]

/// The length of time of `30s`, `250ms`, `1.5h`, `1h30m` (units in falling order) or `0`; nil for other texts,
/// numbers without unit among them, and for more than 292 years.
func parsedDuration(_ text: String) -> Duration? {
  if text == "0" { return .zero }
  var rest = text[...]
  var total: Int64 = 0
  var smallest = Int64.max
  repeat {
    guard let (number, afterNumber) = numberAndUnit(rest) else { return nil }
    let unitName = afterNumber.prefix { $0.isLetter }
    guard let unit = timeUnits.first(where: { $0.name == unitName }), unit.nanoseconds < smallest,
      let value = parsedDecimal(String(number)),
      let part = Int64(exactly: (value * Double(unit.nanoseconds)).rounded())
    else { return nil }
    let (sum, overflow) = total.addingReportingOverflow(part)
    if overflow { return nil }
    total = sum
    smallest = unit.nanoseconds
    rest = afterNumber[unitName.endIndex...]
  } while !rest.isEmpty
  return .nanoseconds(total)
}

/// A length of time as `parsedDuration` reads it.
func renderedDuration(_ duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
  if overflow { return "\(seconds)s" }
  var nanoseconds = scaled + attoseconds / 1_000_000_000
  if nanoseconds == 0 { return "0" }
  var text = nanoseconds < 0 ? "-" : ""
  nanoseconds = abs(nanoseconds)
  for unit in timeUnits where nanoseconds >= unit.nanoseconds {
    text += "\(nanoseconds / unit.nanoseconds)\(unit.name)"
    nanoseconds %= unit.nanoseconds
  }
  return text
}

/// `; did you mean 'x'?`, or nothing when no known word is near.
func suggestion(for word: String, in known: [String]) -> String {
  nearestWord(to: word, in: known).map { "; did you mean '\($0)'?" } ?? ""
}
