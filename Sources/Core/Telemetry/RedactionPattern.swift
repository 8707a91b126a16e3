import RegularExpressions

/// Something that is taken out of texts wherever it stands, such as e-mail addresses.
public struct RedactionPattern: Sendable {
  /// Patterns that need no expression of one's own.
  public enum Preset: String, Sendable, CaseIterable {
    /// E-mail addresses.
    case email
    /// Telephone numbers: at least eight digits, with a plus sign, brackets or separators.
    case phone
    /// Numbers of payment cards: 13 to 19 digits whose check digit is right.
    case creditCard = "credit_card"
    /// International bank account numbers whose check digits are right.
    case iban
    /// Access key ids of AWS, and secret keys that are named so.
    case awsKey = "aws_key"
    /// Addresses of the internet protocol, version 4.
    case ipAddress = "ip_address"
  }

  /// What the mark names: `[redacted:email]`.
  public let name: String
  private let expression: RegularExpression
  /// Judges a match by its check digits; nil where every match is meant.
  private let isMeant: (@Sendable (String) -> Bool)?

  /// A pattern of one's own, in PCRE2's syntax.
  /// - Throws: An error that says where the expression is malformed.
  public init(name: String, pattern: String) throws {
    self.name = name
    expression = try RegularExpression(pattern)
    isMeant = nil
  }

  /// A preset.
  public init(_ preset: Preset) {
    name = preset.rawValue
    // A test compiles every one of them.
    expression = try! RegularExpression(preset.expression)
    isMeant =
      switch preset {
      case .creditCard: { CheckDigits.isCardNumber($0) }
      case .iban: { CheckDigits.isIBAN($0) }
      case .phone: { $0.utf8.count(where: { (0x30...0x39).contains($0) }) >= 8 }
      case .email, .awsKey, .ipAddress: nil
      }
  }

  /// The text with every match replaced by the mark; nil when there is none.
  ///
  /// A text that is too costly to search is taken out whole: what is not known to be harmless does not leave.
  func scrubbed(_ text: String) -> String? {
    var text = text
    return text.withUTF8 { utf8 in
      let found: [Range<Int>]
      do {
        found = try expression.matches(in: utf8) { meantPart(of: $0, in: utf8) }
      } catch {
        return "[redacted:\(name)]"
      }
      guard !found.isEmpty else { return nil }
      var result = ""
      var end = 0
      for range in found {
        result += String(decoding: utf8[end..<range.lowerBound], as: UTF8.self) + "[redacted:\(name)]"
        end = range.upperBound
      }
      return result + String(decoding: utf8[end...], as: UTF8.self)
    }
  }

  /// The longest run of words of a match whose check digits are right: a number may have another beside it.
  private func meantPart(of match: Range<Int>, in utf8: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
    guard let isMeant else { return match }
    let words = utf8[match].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "-") }
    for count in stride(from: words.count, to: 0, by: -1) {
      for first in 0...(words.count - count) {
        let range = words[first].startIndex..<words[first + count - 1].endIndex
        if isMeant(String(decoding: utf8[range], as: UTF8.self)) { return range }
      }
    }
    return nil
  }
}

extension RedactionPattern.Preset {
  fileprivate var expression: String {
    switch self {
    case .email: #"[\p{L}\p{N}._%+'-]++@[\p{L}\p{N}](?:[\p{L}\p{N}-]*+\.)+\p{L}{2,63}+"#
    case .phone: #"(?<![\w.+/-])(?:\+|\(|0)[0-9(](?:[ ./()-]{0,2}+[0-9]){6,16}+(?![\w/-])"#
    case .creditCard: #"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])"#
    case .iban: #"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"#
    // Source of the prefixes: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    case .awsKey:
      #"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b|(?i)(?:secret[_ ]?(?:access[_ ]?)?key["']?\s*[:=]\s*["']?)\K[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"#
    case .ipAddress:
      #"(?<![\w.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?![\w]|\.[0-9])"#
    }
  }
}

/// Check digits, which tell a number of a kind from any other number.
enum CheckDigits {
  /// Source: ISO/IEC 7812-1, annex B (Luhn's algorithm).
  static func isCardNumber(_ text: String) -> Bool {
    let digits = text.utf8.filter { (0x30...0x39).contains($0) }.map { Int($0) - 0x30 }
    let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
      let value = digit.offset % 2 == 0 ? digit.element : digit.element * 2
      return sum + (value > 9 ? value - 9 : value)
    }
    return (13...19).contains(digits.count) && sum % 10 == 0 && digits.contains { $0 != 0 }
  }

  /// Source: ISO 13616 (the remainder of 97, with the first four characters moved to the end).
  static func isIBAN(_ text: String) -> Bool {
    let characters = text.uppercased().utf8.filter { $0 != UInt8(ascii: " ") }
    guard (15...34).contains(characters.count) else { return false }
    var remainder = 0
    for character in characters.dropFirst(4) + characters.prefix(4) {
      if (0x30...0x39).contains(character) {
        remainder = (remainder * 10 + Int(character) - 0x30) % 97
      } else {
        remainder = (remainder * 100 + Int(character) - 0x41 + 10) % 97
      }
    }
    return remainder == 1
  }
}
