/// The file name of a `Content-Disposition` header. Source: RFC 6266 and RFC 8187.
struct ContentDisposition {
  /// The name, that of `filename*` when there is one; nil without any.
  var fileName: String?

  /// Reads a header; nil when it is malformed.
  init?(_ header: String) {
    var rest = Substring(header)
    // The disposition's type.
    rest = rest.drop { $0 != ";" }
    var plain: String?
    var extended: String?
    while let first = rest.first {
      guard first == ";" else { return nil }
      rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
      if rest.isEmpty { break }
      let name = rest.prefix { $0 != "=" && $0 != ";" }
      rest = rest.dropFirst(name.count)
      guard rest.first == "=" else { return nil }
      rest = rest.dropFirst()
      guard let value = Self.value(&rest) else { return nil }
      switch name.lowercased().split(separator: " ").first.map(String.init) {
      case "filename"?: plain = plain ?? value
      case "filename*"?:
        guard let decoded = Self.decoded(value) else { return nil }
        extended = extended ?? decoded
      default: break
      }
    }
    fileName = extended ?? plain
  }

  /// A token or a quoted string, taken from the beginning of `rest`.
  private static func value(_ rest: inout Substring) -> String? {
    guard rest.first == "\"" else {
      let token = rest.prefix { $0 != ";" }
      rest = rest.dropFirst(token.count)
      return String(token.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
    rest = rest.dropFirst()
    var text = ""
    while let character = rest.first {
      rest = rest.dropFirst()
      switch character {
      case "\"":
        rest = rest.drop { $0 == " " || $0 == "\t" }
        return text
      case "\\":
        guard let escaped = rest.first else { return nil }
        rest = rest.dropFirst()
        text.append(escaped)
      default: text.append(character)
      }
    }
    return nil
  }

  /// `UTF-8'language'percent-encoded`; nil for other character sets and broken escapes.
  private static func decoded(_ value: String) -> String? {
    let parts = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
    var bytes: [UInt8] = []
    var rest = Array(parts[2].utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
