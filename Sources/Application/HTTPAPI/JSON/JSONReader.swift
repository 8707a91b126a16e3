/// Why a text is not JSON, and where.
package struct JSONFault: Error, Hashable {
  /// What is wrong, one sentence without a full stop.
  package var message: String
  /// The line, from 1.
  package var line: Int
  /// The column, from 1, in bytes.
  package var column: Int
}

/// Reads JSON strictly (RFC 8259): no comments, no trailing commas, no repeated names, no lone surrogates.
///
/// Foundation's decoder takes the last of two equal names and says little of where a text goes wrong; whoever calls
/// an API by hand needs both.
package struct JSONReader {
  private let bytes: [UInt8]
  private var position = 0
  private let depthLimit: Int

  private init(_ bytes: [UInt8], depthLimit: Int) {
    self.bytes = bytes
    self.depthLimit = depthLimit
  }

  /// Reads one value that is the whole text.
  /// - Parameter depthLimit: Most arrays and objects within one another.
  package static func read(_ bytes: [UInt8], depthLimit: Int = 32) throws(JSONFault) -> JSONValue {
    var reader = JSONReader(bytes, depthLimit: depthLimit)
    reader.skipBlanks()
    let value = try reader.value(depth: 0)
    reader.skipBlanks()
    if reader.position < bytes.count { throw reader.fault("there is something after the end of the value") }
    return value
  }

  private func fault(_ message: String, at place: Int? = nil) -> JSONFault {
    let before = bytes.prefix(place ?? position)
    let lineStart = (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
    return JSONFault(
      message: message, line: before.count { $0 == UInt8(ascii: "\n") } + 1, column: before.count - lineStart + 1)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONFault) -> JSONValue {
    guard depth < depthLimit else { throw fault("arrays and objects are nested more than \(depthLimit) deep") }
    switch next {
    case nil: throw fault(bytes.isEmpty ? "it is empty" : "it ends too early")
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): return .number(try number())
    default: throw fault("a value was expected here")
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONFault) -> JSONValue {
    let count = word.utf8CodeUnitCount
    guard position + count <= bytes.count,
      (0..<count).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
    else { throw fault("a value was expected here") }
    position += count
    return value
  }

  private mutating func object(depth: Int) throws(JSONFault) -> JSONValue {
    position += 1
    var members: [JSONValue.Member] = []
    var names: Set<String> = []
    skipBlanks()
    if take("}") { return .object([]) }
    while true {
      skipBlanks()
      let place = position
      guard next == UInt8(ascii: "\"") else { throw fault("a name in double quotes was expected here") }
      let name = try string()
      guard names.insert(name).inserted else { throw fault("the name '\(name)' occurs twice", at: place) }
      skipBlanks()
      guard take(":") else { throw fault("a colon was expected here") }
      skipBlanks()
      members.append(.init(name: name, value: try value(depth: depth + 1)))
      skipBlanks()
      if take("}") { return .object(members) }
      guard take(",") else { throw fault("a comma or the object's end was expected here") }
    }
  }

  private mutating func array(depth: Int) throws(JSONFault) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipBlanks()
    if take("]") { return .array([]) }
    while true {
      skipBlanks()
      elements.append(try value(depth: depth + 1))
      skipBlanks()
      if take("]") { return .array(elements) }
      guard take(",") else { throw fault("a comma or the array's end was expected here") }
    }
  }

  private static func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }

  private mutating func number() throws(JSONFault) -> Double {
    let start = position
    _ = take("-")
    if !take("0") {
      guard Self.isDigit(next) else { throw fault("a digit was expected here") }
      while Self.isDigit(next) { position += 1 }
    }
    if take(".") {
      guard Self.isDigit(next) else { throw fault("a digit was expected here") }
      while Self.isDigit(next) { position += 1 }
    }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      guard Self.isDigit(next) else { throw fault("a digit was expected here") }
      while Self.isDigit(next) { position += 1 }
    }
    guard let number = Double(String(decoding: bytes[start..<position], as: UTF8.self)), number.isFinite else {
      throw fault("the number is too large", at: start)
    }
    return number
  }

  private mutating func string() throws(JSONFault) -> String {
    let start = position
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw fault("the string is not valid UTF-8", at: start)
        }
        return string
      case UInt8(ascii: "\\"):
        text.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20:
        throw fault("a control character in a string must be escaped")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw fault("the string has no end", at: start)
  }

  private mutating func escape() throws(JSONFault) -> Unicode.Scalar {
    let start = position
    position += 1
    defer { position += 1 }
    switch next {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try codeUnit(start)
      if let scalar = Unicode.Scalar(unit) { return scalar }
      // A high surrogate: the low one must follow (RFC 8259, section 7).
      guard (0xD800..<0xDC00).contains(unit), position + 2 < bytes.count, bytes[position + 1] == UInt8(ascii: "\\"),
        bytes[position + 2] == UInt8(ascii: "u")
      else { throw fault("the escape is half of a surrogate pair", at: start) }
      position += 2
      let low = try codeUnit(start)
      guard (0xDC00..<0xE000).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))
      else { throw fault("the escape is half of a surrogate pair", at: start) }
      return scalar
    default: throw fault("there is no such escape", at: start)
    }
  }

  /// The four hex digits after `u`; leaves the position on the last of them.
  private mutating func codeUnit(_ start: Int) throws(JSONFault) -> UInt16 {
    guard position + 4 < bytes.count else { throw fault("the escape is too short", at: start) }
    var unit: UInt16 = 0
    for offset in 1...4 {
      let byte = bytes[position + offset]
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: throw fault("an escape needs four hexadecimal digits", at: start)
      }
      unit = unit << 4 | UInt16(digit)
    }
    position += 4
    return unit
  }
}
