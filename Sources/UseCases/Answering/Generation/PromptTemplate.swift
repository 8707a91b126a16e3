import Core
import Cryptography

/// A versioned prompt: the text of a template file with its name, version and hash, recorded with every answer.
public struct PromptTemplate: Sendable, Hashable {
  /// The name, such as `answer`.
  public let name: String
  /// The version, such as `1`.
  public let version: String
  /// The system text.
  public let system: String
  /// SHA-256 of the text, 64 hex digits.
  public let hash: String

  /// Creates a template from its text.
  public init(name: String, version: String, system: String) {
    self.name = name
    self.version = version
    self.system = system
    self.hash = SHA256.hash(Array(system.utf8)).hexadecimal
  }
}

/// Builds the turns of a prompt from passages, within a budget of tokens.
struct PromptBuilder {
  let template: PromptTemplate
  let countTokens: (String) -> Int
  /// Most tokens of system text, turns and passages together.
  let budget: Int

  struct Prompt {
    var turns: [Turn]
    /// The passages that found room, best first; their numbers are 1, 2, …
    var used: [Passage]
    var droppedPassages: Int
    var droppedTurns: Int
  }

  /// The best passages that fit, then as much of the newest history as fits.
  ///
  /// - Throws: `prompt.too_long` when not even the question and the first passage fit.
  func build(question: String, passages: [Passage], history: [Turn]) throws -> Prompt {
    let frame = Self.message(question: question, passages: [])
    var left = budget - countTokens(template.system) - countTokens(frame)
    var used: [Passage] = []
    for passage in passages {
      let cost = countTokens(Self.block(passage, number: used.count + 1))
      guard cost <= left else { break }
      left -= cost
      used.append(passage)
    }
    guard !used.isEmpty || passages.isEmpty, left >= 0 else {
      throw CoreError(
        code: "prompt.too_long", category: .tooLarge,
        message: "the question and its first passage do not fit into the prompt's \(budget) tokens",
        remedy: "Ask a shorter question, or raise answering.promptTokens.")
    }
    var kept: [Turn] = []
    for turn in history.reversed() {
      let cost = countTokens(turn.text)
      guard cost <= left else { break }
      left -= cost
      kept.append(turn)
    }
    kept.reverse()
    // A conversation given to a model must begin with the user.
    while kept.first?.role == .assistant { kept.removeFirst() }
    return Prompt(
      turns: kept + [Turn(role: .user, text: Self.message(question: question, passages: used))], used: used,
      droppedPassages: passages.count - used.count, droppedTurns: history.count - kept.count)
  }

  private static func message(question: String, passages: [Passage]) -> String {
    var text = "<passages>\n"
    for (offset, passage) in passages.enumerated() { text += block(passage, number: offset + 1) }
    text += "</passages>\n\n<question>\n\(escape(question))\n</question>"
    return text
  }

  private static func block(_ passage: Passage, number: Int) -> String {
    let pages = passage.chunk.pages.map(\.page)
    let place = Set(pages).sorted().map(String.init).joined(separator: ", ")
    let heading = passage.chunk.headingPath.joined(separator: " > ")
    return """
      <passage number="\(number)" document="\(escape(passage.document.name, isAttribute: true))" pages="\(place)" \
      section="\(escape(heading, isAttribute: true))">
      \(escape(passage.chunk.text))
      </passage>

      """
  }

  /// Text cannot close or open the delimiters, nor an attribute of a tag: what could is escaped.
  static func escape(_ text: String, isAttribute: Bool = false) -> String {
    var result = ""
    for character in text {
      switch character {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"" where isAttribute: result += "&quot;"
      case let character where isAttribute && character.isNewline: result += " "
      default: result.append(character)
      }
    }
    return result
  }
}
