/// A request target that cannot be decoded.
public struct HTTPTargetError: Error, Sendable, Equatable {
  /// What is wrong with it, for the client.
  public let message: String
}

/// A request target taken apart: split first, decoded after (RFC 3986, section 2.4).
struct HTTPTarget {
  let path: String
  let segments: [String]
  let queryItems: [HTTPQueryItem]

  init(_ target: String) throws(HTTPTargetError) {
    var rest = Substring(target).utf8
    guard rest.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw HTTPTargetError(message: "The URL has a space or a control character; they must be escaped.")
    }
    rest = rest.prefix { $0 != UInt8(ascii: "#") }
    // The absolute form, which proxies send: drop scheme and authority (RFC 9112, section 3.2.2).
    for scheme in ["http://", "https://"] where rest.starts(with: scheme.utf8, by: { $0.lowered == $1 }) {
      rest = rest.dropFirst(scheme.utf8.count).drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
      break
    }
    let rawPath = rest.prefix { $0 != UInt8(ascii: "?") }
    let rawQuery = rest.dropFirst(rawPath.count).dropFirst()
    path = rawPath.isEmpty ? "/" : String(Substring(rawPath))
    segments = try Self.segments(of: rawPath)
    queryItems = try Self.items(of: rawQuery)
  }

  private static func segments(of path: Substring.UTF8View) throws(HTTPTargetError) -> [String] {
    guard path.first == UInt8(ascii: "/"), path.count > 1 else {
      return path.isEmpty || path.first == UInt8(ascii: "/") ? [] : [try decode(path)]
    }
    var segments: [String] = []
    for part in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
      segments.append(try decode(part))
    }
    return segments
  }

  private static func items(of query: Substring.UTF8View) throws(HTTPTargetError) -> [HTTPQueryItem] {
    var items: [HTTPQueryItem] = []
    for part in query.split(separator: UInt8(ascii: "&")) {
      let name = part.prefix { $0 != UInt8(ascii: "=") }
      let value = part.dropFirst(name.count).dropFirst()
      items.append(
        HTTPQueryItem(name: try decode(name, plusIsSpace: true), value: try decode(value, plusIsSpace: true)))
    }
    return items
  }

  private static func decode(_ text: Substring.UTF8View, plusIsSpace: Bool = false) throws(HTTPTargetError) -> String {
    guard text.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") || $0 >= 0x80 }) else {
      return String(Substring(text))
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var iterator = text.makeIterator()
    while let byte = iterator.next() {
      if byte == UInt8(ascii: "%") {
        guard let high = iterator.next()?.hexadecimal, let low = iterator.next()?.hexadecimal else {
          throw HTTPTargetError(message: "A percent sign in the URL is not followed by two hexadecimal digits.")
        }
        bytes.append(high << 4 | low)
      } else {
        bytes.append(byte == UInt8(ascii: "+") && plusIsSpace ? UInt8(ascii: " ") : byte)
      }
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw HTTPTargetError(message: "The URL is not valid UTF-8 once its escapes are decoded.")
    }
    return decoded
  }
}

extension UInt8 {
  /// The value of a hexadecimal digit, or nil.
  fileprivate var hexadecimal: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
