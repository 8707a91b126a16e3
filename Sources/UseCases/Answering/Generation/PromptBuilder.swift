import Core

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
    let quoting = PromptQuoting(texts: [question] + passages.map(\.chunk.text) + history.map(\.text))
    func message(_ blocks: [String]) -> String {
      template.render(
        "user",
        [
          "mark": quoting.mark, "passages": blocks.joined(separator: "\n\n"), "question": quoting.body(question),
        ])
    }
    var left = budget - countTokens(template.system) - countTokens(message([]))
    var used: [Passage] = []
    var blocks: [String] = []
    for passage in passages {
      let block = block(passage, number: used.count + 1, quoting)
      let cost = countTokens(block)
      guard cost <= left else { break }
      left -= cost
      used.append(passage)
      blocks.append(block)
    }
    guard !used.isEmpty || passages.isEmpty, left >= 0 else {
      throw CoreError(
        code: "prompt.too_long", category: .tooLarge,
        message: "the question and its first passage do not fit into the prompt's \(budget) tokens",
        remedy: "Ask a shorter question, or raise answering.promptTokens.")
    }
    let kept = Self.newest(history, within: left, countTokens: countTokens)
    return Prompt(
      turns: kept + [Turn(role: .user, text: message(blocks))], used: used,
      droppedPassages: passages.count - used.count, droppedTurns: history.count - kept.count)
  }

  /// The newest turns that take no more than `tokens`, beginning with one of the user, as models want conversations.
  static func newest(_ history: [Turn], within tokens: Int, countTokens: (String) -> Int) -> [Turn] {
    var left = tokens
    var kept: [Turn] = []
    for turn in history.reversed() {
      let cost = countTokens(turn.text)
      guard cost <= left else { break }
      left -= cost
      kept.append(turn)
    }
    kept.reverse()
    while kept.first?.role == .assistant { kept.removeFirst() }
    return kept
  }

  private func block(_ passage: Passage, number: Int, _ quoting: PromptQuoting) -> String {
    let pages = Set(passage.chunk.pages.map(\.page)).sorted().map(String.init).joined(separator: ", ")
    return template.render(
      "passage",
      [
        "mark": quoting.mark, "number": "\(number)", "document": quoting.attribute(passage.document.name),
        "pages": pages, "section": quoting.attribute(passage.chunk.headingPath.joined(separator: " > ")),
        "text": quoting.body(passage.chunk.text),
      ])
  }
}
