import CMicroHTTPD

/// Where a request's body ends, decided strictly: whatever two parsers could read differently is refused
/// (RFC 9112, sections 2.2, 5 and 6), because the library accepts much of it.
enum Framing {
  /// How the body is delimited.
  enum Body: Equatable {
    case none
    case length(Int)
    case chunked
  }

  /// What the head says about the body.
  struct Verdict {
    var body: Body = .none
    var expectsContinue = false
  }

  static func refusal(_ message: String, status: Int = 400, code: String = "malformed_request") -> HTTPRefusal {
    HTTPRefusal(status: status, code: code, message: message)
  }

  /// Checks method and fields; `isHTTP11` is whether the request may use transfer encodings.
  static func inspect(
    method: UnsafePointer<CChar>, isHTTP11: Bool, fields: UnsafeBufferPointer<cmhd_header>
  ) -> Result<Verdict, Refused> {
    guard strlenToken(method) else { return .refused("The method is not a token.") }
    var verdict = Verdict()
    var hosts = 0
    var encodings = 0
    var lengths = 0
    for field in fields {
      guard isToken(field.name, field.name_length) else {
        return .refused("A header name is empty or has a character that names may not have.")
      }
      guard isFieldValue(field.value, field.value_length) else {
        return .refused("A header value has a control character.")
      }
      switch field.name_length {
      case 4 where field.isNamed("host"): hosts += 1
      case 6 where field.isNamed("expect"):
        guard field.isValue("100-continue") else {
          return .refused("This expectation cannot be met.", status: 417, code: "expectation_failed")
        }
        verdict.expectsContinue = isHTTP11
      case 14 where field.isNamed("content-length"):
        lengths += 1
        guard let length = field.decimal else { return .refused("Content-Length is not a number.") }
        verdict.body = length == 0 ? .none : .length(length)
      case 17 where field.isNamed("transfer-encoding"):
        encodings += 1
        guard field.isValue("chunked") else {
          return .refused(
            "No transfer encoding but chunked is understood.", status: 501, code: "transfer_encoding_unknown")
        }
      default: break
      }
    }
    if hosts > 1 || (hosts == 0 && isHTTP11) { return .refused("There must be one Host header.") }
    if lengths > 1 { return .refused("There is more than one Content-Length.") }
    if encodings > 1 { return .refused("There is more than one Transfer-Encoding.") }
    if encodings == 1 {
      if lengths == 1 { return .refused("There are both Content-Length and Transfer-Encoding.") }
      if !isHTTP11 { return .refused("HTTP/1.0 has no Transfer-Encoding.") }
      verdict.body = .chunked
    }
    return .success(verdict)
  }

  /// Carries a refusal through `Result`.
  struct Refused: Error {
    let refusal: HTTPRefusal
  }

  private static func strlenToken(_ text: UnsafePointer<CChar>) -> Bool {
    var length = 0
    while text[length] != 0 { length += 1 }
    return isToken(text, length)
  }

  private static func isToken(_ text: UnsafePointer<CChar>, _ length: Int) -> Bool {
    length > 0 && (0..<length).allSatisfy { tokenBytes[Int(UInt8(bitPattern: text[$0]))] }
  }

  private static func isFieldValue(_ text: UnsafePointer<CChar>, _ length: Int) -> Bool {
    (0..<length).allSatisfy { index in
      let byte = UInt8(bitPattern: text[index])
      return byte >= 0x20 && byte != 0x7F || byte == 0x09
    }
  }

  /// Which bytes a token may have (RFC 9110, section 5.6.2).
  private static let tokenBytes: [Bool] = {
    var table = [Bool](repeating: false, count: 256)
    let letters = Array(UInt8(ascii: "a")...UInt8(ascii: "z")) + Array(UInt8(ascii: "A")...UInt8(ascii: "Z"))
    for byte in Array("!#$%&'*+-.^_`|~0123456789".utf8) + letters { table[Int(byte)] = true }
    return table
  }()
}

extension Result where Success == Framing.Verdict, Failure == Framing.Refused {
  static func refused(_ message: String, status: Int = 400, code: String = "malformed_request") -> Self {
    .failure(Framing.Refused(refusal: Framing.refusal(message, status: status, code: code)))
  }
}

extension cmhd_header {
  /// The field's name as text.
  var nameText: String {
    String(decoding: UnsafeRawBufferPointer(start: name, count: name_length), as: UTF8.self)
  }

  /// The field's value as text, without surrounding blanks; bytes that are not UTF-8 become U+FFFD.
  var valueText: String {
    String(decoding: UnsafeRawBufferPointer(start: value, count: value_length), as: UTF8.self).trimmedBlanks
  }

  fileprivate func isNamed(_ lowercase: StaticString) -> Bool {
    Self.matches(name, name_length, lowercase)
  }

  /// Exactly this value: the library compares it untrimmed, too.
  fileprivate func isValue(_ lowercase: StaticString) -> Bool {
    Self.matches(value, value_length, lowercase)
  }

  private static func matches(_ text: UnsafePointer<CChar>, _ length: Int, _ lowercase: StaticString) -> Bool {
    length == lowercase.utf8CodeUnitCount
      && (0..<length).allSatisfy { UInt8(bitPattern: text[$0]).lowered == lowercase.utf8Start[$0] }
  }

  /// The value as a decimal number of digits only.
  fileprivate var decimal: Int? {
    guard (1...18).contains(value_length) else { return nil }
    var number = 0
    for index in 0..<value_length {
      let byte = UInt8(bitPattern: value[index])
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      number = number * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return number
  }
}
