extension CommandLineTool {
  /// The help of a command; of the program when the path is empty or names no command.
  ///
  /// - Parameters:
  ///   - path: the words of the command, without the program's name.
  ///   - width: the columns to fill.
  public func help(for path: [String], width: Int) -> String {
    let root = tree()
    let found = root.node(at: path)
    let node = found ?? root
    let words = ([name] + (found == nil ? [] : path)).joined(separator: " ")
    var text = wrapped(node.abstract, width: width) + "\n" + node.usageText(words: words, width: width)
    for paragraph in node.discussion.paragraphs { text += "\n" + wrapped(paragraph, width: width) }

    let examples = node.examples.map { "  \($0.line)\n" + wrapped($0.explanation, width: width, indent: 6) }
    if !examples.isEmpty { text += "\nExamples:\n" + examples.joined() }
    var sections: [(title: String, rows: [(String, String)])] = []
    func add(_ title: String, _ row: (String, String)) {
      if let place = sections.firstIndex(where: { $0.title == title }) {
        sections[place].rows.append(row)
      } else {
        sections.append((title, [row]))
      }
    }
    for child in node.visibleChildren { add("Commands", (child.name, child.abstract)) }
    for argument in node.arguments { add("Arguments", argument.row) }
    let own = node.options.filter { $0.section == nil }
    for option in own + node.options.filter({ $0.section != nil }) { add(option.section ?? "Options", option.row) }
    if path.isEmpty {
      for entry in exitCodes { add("Exit codes", (String(entry.code), entry.meaning)) }
    }
    // Names longer than this get a line of their own, so that one of them does not squeeze all texts.
    let column = min(sections.flatMap(\.rows).map(\.0.count).max() ?? 0, 26) + 4
    for (title, rows) in sections {
      text += "\n\(title):\n"
      for row in rows { text += helpRow(row.0, row.1, column: column, width: width) }
    }
    if !node.visibleChildren.isEmpty {
      text += "\n" + wrapped("See '\(words) COMMAND --help' for a command's own options.", width: width)
    }
    return text
  }
}

extension CommandNode {
  /// The usage line, wrapped under its own beginning.
  func usageText(words: String, width: Int) -> String {
    var parts: [String] = []
    if options.contains(where: { !$0.isRequired }) { parts.append("[OPTIONS]") }
    parts += options.filter(\.isRequired).map(\.usage)
    parts += children.isEmpty ? arguments.map(\.usage) : ["COMMAND"]
    let head = "Usage: \(words)"
    return wrapped(parts: [head] + parts, width: width, indent: min(head.count + 1, width / 2), firstIndent: 0)
  }
}

extension ArgumentDefinition {
  /// The line of help: the notes stand within the sentence.
  fileprivate var row: (String, String) {
    if notes.isEmpty { return (heading, help) }
    let sentence = help.hasSuffix(".") ? String(help.dropLast()) : help
    return (heading, "\(sentence) (\(notes.joined(separator: "; "))).")
  }
}

private func helpRow(_ name: String, _ text: String, column: Int, width: Int) -> String {
  let head = "  \(name)"
  let body = wrapped(text, width: max(width, column + 20), indent: column)
  if head.count + 2 > column { return head + "\n" + body }
  return head + body.dropFirst(head.count)
}

/// Fills lines of at most `width` columns, each after `indent` spaces; a longer word stands alone.
func wrapped(_ text: String, width: Int, indent: Int = 0) -> String {
  wrapped(parts: text.split(whereSeparator: \.isWhitespace).map(String.init), width: width, indent: indent)
}

private func wrapped(parts: [String], width: Int, indent: Int, firstIndent: Int? = nil) -> String {
  let margin = String(repeating: " ", count: indent)
  var lines: [String] = []
  var line = String(repeating: " ", count: firstIndent ?? indent)
  var isBlank = true
  for part in parts {
    if !isBlank, line.count + 1 + part.count > width {
      lines.append(line)
      line = margin
      isBlank = true
    }
    line += isBlank ? part : " " + part
    isBlank = false
  }
  return (lines + [line]).joined(separator: "\n") + "\n"
}

extension String {
  /// The parts between empty lines.
  fileprivate var paragraphs: [String] {
    split(separator: "\n", omittingEmptySubsequences: false).split(whereSeparator: \.isEmpty)
      .map { $0.joined(separator: " ") }
  }
}
