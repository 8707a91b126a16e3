import CPCRE2

/// What is wrong with a pattern, or with a text that takes too long.
public struct RegularExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What can go wrong.
  public enum Code: String, Sendable, Hashable {
    /// The pattern is none.
    case malformed
    /// The text takes more steps, memory or matches than allowed.
    case tooCostly
  }

  /// What went wrong.
  public let code: Code
  /// PCRE2's words for it, with the place in the pattern.
  public let message: String

  /// A sentence for logs.
  public var description: String { message }
}

/// A compiled pattern in PCRE2's syntax, for texts in UTF-8; letters, digits and word boundaries are Unicode's.
///
/// Source: https://www.pcre.org/current/doc/html/pcre2pattern.html, limits: pcre2api.html#SEC21
public struct RegularExpression: Sendable {
  /// Most matches of one text, meant or not; more is ``RegularExpressionError/Code/tooCostly``.
  public static let matchLimit = 10_000

  /// The pattern as written.
  public let pattern: String
  private let compiled: Compiled

  /// Owns the compiled pattern, which no match changes.
  private final class Compiled: @unchecked Sendable {
    let code: OpaquePointer
    init(_ code: OpaquePointer) { self.code = code }
    deinit { pcre2_code_free_8(code) }
  }

  /// Compiles a pattern.
  /// - Throws: ``RegularExpressionError`` with the place where it is malformed.
  public init(_ pattern: String) throws(RegularExpressionError) {
    self.pattern = pattern
    var number: Int32 = 0
    var offset = 0
    let bytes = Array(pattern.utf8)
    // Without \C, which could end a match inside a character.
    guard
      let code = pcre2_compile_8(
        bytes, bytes.count, PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &number, &offset, nil)
    else {
      throw RegularExpressionError(code: .malformed, message: "\(Self.text(of: number)) at byte \(offset)")
    }
    compiled = Compiled(code)
  }

  /// The byte ranges of the matches that are not empty, from left to right, none overlapping.
  ///
  /// Each match may take a number of steps that grows with the length of the text, and a mebibyte of memory.
  /// - Parameters:
  ///   - utf8: Valid UTF-8.
  ///   - meant: The part of a match that is meant, where the search then goes on; nil for none of it: the search goes
  ///     on behind its first character.
  /// - Throws: ``RegularExpressionError`` when that is not enough, or there are more than ``matchLimit`` matches.
  public func matches(
    in utf8: UnsafeBufferPointer<UInt8>, meant: (Range<Int>) -> Range<Int>? = { $0 }
  ) throws(RegularExpressionError) -> [Range<Int>] {
    guard !utf8.isEmpty else { return [] }
    guard let match = pcre2_match_data_create_from_pattern_8(compiled.code, nil),
      let context = pcre2_match_context_create_8(nil)
    else { throw RegularExpressionError(code: .tooCostly, message: "no memory is left") }
    defer {
      pcre2_match_data_free_8(match)
      pcre2_match_context_free_8(context)
    }
    pcre2_set_match_limit_8(context, UInt32(clamping: 10_000 + 50 * utf8.count))
    pcre2_set_heap_limit_8(context, 1_024)
    var found: [Range<Int>] = []
    var tries = 0
    var start = 0
    while start <= utf8.count {
      let count = pcre2_match_8(
        compiled.code, utf8.baseAddress, utf8.count, start, PCRE2_NO_UTF_CHECK, match, context)
      if count == PCRE2_ERROR_NOMATCH { break }
      guard count > 0, let places = pcre2_get_ovector_pointer_8(match) else {
        throw RegularExpressionError(code: .tooCostly, message: Self.text(of: count))
      }
      // \K can put the start behind the end.
      let range = min(places[0], places[1])..<places[1]
      if range.isEmpty {
        start = Self.next(after: places[1], in: utf8)
        continue
      }
      guard tries < Self.matchLimit else {
        throw RegularExpressionError(code: .tooCostly, message: "more than \(Self.matchLimit) matches")
      }
      tries += 1
      if let range = meant(range) {
        found.append(range)
        start = range.upperBound
      } else {
        start = Self.next(after: range.lowerBound, in: utf8)
      }
    }
    return found
  }

  /// The start of the character behind the one at `place`.
  private static func next(after place: Int, in utf8: UnsafeBufferPointer<UInt8>) -> Int {
    var next = place + 1
    while next < utf8.count, utf8[next] & 0xC0 == 0x80 { next += 1 }
    return next
  }

  private static func text(of number: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = pcre2_get_error_message_8(number, &buffer, buffer.count)
    return length > 0 ? String(decoding: buffer.prefix(Int(length)), as: UTF8.self) : "error \(number)"
  }
}
