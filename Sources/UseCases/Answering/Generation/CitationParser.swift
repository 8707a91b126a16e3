/// Takes citations such as `[2]` and `[2: "exact words"]` out of a model's text as it streams.
///
/// What it gives on has plain numbers, `[2]`; the quotes are kept. A number that is no passage is rejected: it is
/// not given on, and kept as a mark. A bracket that is not a citation passes through unchanged, after at most
/// ``longestCitation`` characters.
struct CitationParser {
  /// A citation in the order of the text.
  struct Mark: Hashable {
    /// The passage number written.
    var number: Int
    /// The quote written with it; nil for a bare number.
    var quote: String?
    /// How many characters of the text given on stand before it.
    var offset: Int
  }

  static let longestCitation = 1200

  /// How many passages there are: they have the numbers from 1.
  let passages: Int
  private(set) var text = ""
  private(set) var marks: [Mark] = []
  private var held: String?
  /// Spaces that are not given on yet: they go with a citation that is rejected.
  private var spaces = ""
  private var count = 0

  init(passages: Int) { self.passages = passages }

  /// Whether a number is a passage.
  func isKnown(_ number: Int) -> Bool { number >= 1 && number <= passages }

  /// Takes more of the model's text; returns what can be shown.
  mutating func add(_ piece: String) -> String {
    var shown = ""
    for character in piece {
      if var bracket = held {
        bracket.append(character)
        if Self.isClosed(bracket) {
          held = nil
          shown += resolve(bracket)
        } else if character == "[" && !bracket.contains("\"") {
          held = "["
          shown += emit(String(bracket.dropLast()))
        } else if bracket.count > Self.longestCitation {
          held = nil
          shown += emit(bracket)
        } else {
          held = bracket
        }
      } else if character == "[" {
        held = "["
      } else if character == " " {
        spaces.append(character)
      } else {
        shown += emit(String(character))
      }
    }
    return shown
  }

  /// The end of the text: gives what was held back.
  mutating func finish() -> String {
    let rest = held ?? ""
    held = nil
    return emit(rest)
  }

  /// A bracket inside the quote does not close it: only one after an even number of quotation marks does.
  private static func isClosed(_ bracket: String) -> Bool {
    guard bracket.hasSuffix("]") else { return false }
    return bracket.filter { $0 == "\"" || $0 == "“" || $0 == "”" }.count % 2 == 0
  }

  private mutating func emit(_ words: String) -> String {
    let piece = spaces + words
    spaces = ""
    text += piece
    count += piece.count
    return piece
  }

  private mutating func resolve(_ bracket: String) -> String {
    let inner = bracket.dropFirst().dropLast()
    var found: [(Int, String?)] = []
    if let colon = inner.firstIndex(of: ":") {
      guard let number = Int(trimmed(inner[..<colon])) else { return emit(bracket) }
      let quote = trimmed(inner[inner.index(after: colon)...]).drop { $0 == "\"" || $0 == "“" }
      let stripped = String(quote.reversed().drop { $0 == "\"" || $0 == "”" }.reversed())
      found.append((number, stripped.isEmpty ? nil : stripped))
    } else {
      for part in inner.split(separator: ",") {
        guard let number = Int(trimmed(part)) else { return emit(bracket) }
        found.append((number, nil))
      }
    }
    guard !found.isEmpty else { return emit(bracket) }
    var shown = ""
    for (number, quote) in found {
      guard isKnown(number) else {
        marks.append(Mark(number: number, quote: quote, offset: count))
        continue
      }
      marks.append(Mark(number: number, quote: quote, offset: count + spaces.count))
      shown += emit("[\(number)]")
    }
    if shown.isEmpty { spaces = "" }
    return shown
  }

  private func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
