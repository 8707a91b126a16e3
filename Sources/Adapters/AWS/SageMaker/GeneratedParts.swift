import Core
import FoundationEssentials

/// What the containers say of an answer, whole or in parts; every field may be missing.
struct GeneratedPart: Decodable, Sendable {
  struct Token: Decodable {
    var text: String?
    var special: Bool?
    var special_token: Bool?
  }
  struct Details: Decodable {
    var finish_reason: String?
    var generated_tokens: Int?
    var input_length: Int?
  }
  var token: Token?
  var generated_text: String?
  var generated_texts: [String]?
  var details: Details?
  var finish_reason: String?
  var error: String?
  var error_type: String?
  var code: Int?
  var message: String?

  /// The text that a token adds; the model's own marks are none.
  var tokenText: String? {
    guard let token, token.special != true, token.special_token != true, let text = token.text else { return nil }
    return text.isEmpty ? nil : text
  }

  var finishReason: String? { details?.finish_reason ?? finish_reason }

  /// Why it failed, although the status was 200: `{"error": …}` in any place, or `finish_reason: "error"`.
  var failure: (reason: String, category: ErrorCategory)? {
    if let error {
      let category: ErrorCategory =
        switch (error_type, code) {
        case ("overloaded", _), (_, 429): .rateLimited
        case ("validation", _), (_, 400), (_, 413), (_, 422): .invalidInput
        default: .unavailable
        }
      return (error, category)
    }
    if finishReason == "error" { return (message ?? "it gives no reason", .unavailable) }
    return nil
  }

  /// Quarry's words for the reasons it knows; others stay as they are.
  var stopReason: String? {
    switch finishReason {
    case "eos_token", "stop": "end_turn"
    case "length": "max_tokens"
    default: finishReason
    }
  }

  /// The tokens used, when both counts are told.
  var usage: TokenUsage? {
    guard let output = details?.generated_tokens, let input = details?.input_length else { return nil }
    return TokenUsage(inputTokens: input, outputTokens: output)
  }
}

/// Cuts the bytes of parts into lines, however parts cut them, and takes the JSON of each: lines of JSON as they are,
/// server-sent events by their `data:`.
struct GeneratedLines {
  /// The stream is not of this form, with the line that shows it.
  struct Malformed: Error { var line: [UInt8] }

  /// The longest line, in bytes.
  private static let limit = 8 << 20
  private var line: [UInt8] = []

  mutating func append(_ bytes: [UInt8]) throws -> [GeneratedPart] {
    var parts: [GeneratedPart] = []
    for byte in bytes {
      if byte == 10 {
        if let part = try endLine() { parts.append(part) }
      } else {
        guard line.count < Self.limit else { throw Malformed(line: line) }
        line.append(byte)
      }
    }
    return parts
  }

  /// The last line, which may have no end.
  mutating func finish() throws -> GeneratedPart? { try endLine() }

  private mutating func endLine() throws -> GeneratedPart? {
    defer { line.removeAll(keepingCapacity: true) }
    let trimmed = line.drop { $0 == 32 }
    var json = trimmed
    if json.starts(with: "data:".utf8) { json = json.dropFirst(5).drop { $0 == 32 } }
    if json.last == 13 { json = json.dropLast() }
    // Empty lines, comments and other fields of server-sent events, and OpenAI's mark of the end.
    if json.isEmpty || json.first == UInt8(ascii: ":") || json.elementsEqual("[DONE]".utf8) { return nil }
    if ["event:", "id:", "retry:"].contains(where: { json.starts(with: $0.utf8) }) { return nil }
    guard let part = try? JSONDecoder().decode(GeneratedPart.self, from: Data(json)) else {
      throw Malformed(line: Array(json))
    }
    return part
  }
}

/// Ends a text where a stop text begins, also when pieces cut it; containers give out the stop text itself, or know none.
struct StopTexts {
  private let stops: [String]
  private var held = ""
  private(set) var isStopped = false

  init(_ stops: [String]) { self.stops = stops.filter { !$0.isEmpty } }

  /// What may be given out of `piece` and what was held back before it.
  mutating func take(_ piece: String) -> String {
    guard !isStopped else { return "" }
    guard !stops.isEmpty else { return piece }
    held += piece
    if let first = stops.compactMap({ held.firstRange(of: $0)?.lowerBound }).min() {
      isStopped = true
      defer { held = "" }
      return String(held[..<first])
    }
    let kept = stops.map { Self.overlap(held, $0) }.max() ?? 0
    let cut = held.unicodeScalars.index(held.unicodeScalars.endIndex, offsetBy: -kept)
    defer { held = String(held[cut...]) }
    return String(held[..<cut])
  }

  /// What is held back at the end.
  mutating func finish() -> String {
    defer { held = "" }
    return held
  }

  /// Scalars at the end of `text` with which `stop` begins.
  private static func overlap(_ text: String, _ stop: String) -> Int {
    let start = Array(stop.unicodeScalars)
    let end = Array(text.unicodeScalars.suffix(start.count - 1))
    for length in stride(from: end.count, to: 0, by: -1) where end.suffix(length).elementsEqual(start.prefix(length)) {
      return length
    }
    return 0
  }
}
