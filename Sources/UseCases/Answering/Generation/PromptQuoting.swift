import Cryptography

/// Puts text that nobody vouches for into a prompt, so that it cannot pass for anything but text.
struct PromptQuoting {
  /// Ends every tag of one prompt: 16 random hex digits, which no document can know.
  let mark: String

  /// Draws a mark that does not occur in `texts`.
  init(texts: [String], random: () -> String = { secureRandomBytes(count: 8).hexadecimal }) {
    var mark = random()
    while texts.contains(where: { $0.contains(mark) }) { mark = random() }
    self.mark = mark
  }

  /// The text with a zero-width space in what servers or models could take for a tag or a control token: after `<`,
  /// and after `[` before a capital or `/` (`<|im_end|>`, `</s>`, `[INST]`). Nothing is lost: comparison of quotes
  /// passes over such spaces.
  func body(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      if previous == "<" || (previous == "[" && (scalar == "/" || ("A"..."Z").contains(scalar))) {
        result.append("\u{200B}")
      }
      result.append(scalar)
      previous = scalar
    }
    return String(result)
  }

  /// The text for the value of an attribute: on one line, without double quotation marks and tags.
  func attribute(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\"": result += "'"
      case "<": result += "‹"
      case ">": result += "›"
      case let character where character.isNewline: result += " "
      default: result.append(character)
      }
    }
    return result
  }
}
