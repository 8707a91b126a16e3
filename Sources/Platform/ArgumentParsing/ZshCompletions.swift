extension CommandLineTool {
  func zshCompletionScript() -> String {
    let functions = tree().flattened().map { words, node in zshFunction(words, node) }
    return """
      #compdef \(name)
      # Zsh completion for \(name); generated from its declarations.
      \(functions.joined(separator: "\n"))
      if [[ "$funcstack[1]" == '_\(name)' ]]; then _\(name) "$@"; else compdef _\(name) \(name); fi

      """
  }

  private func zshFunction(_ words: [String], _ node: CommandNode) -> String {
    let function = zshName(words)
    var specs = node.options.flatMap(zshOption)
    if node.visibleChildren.isEmpty {
      specs += node.arguments.map { argument in
        let position = argument.isRepeated ? "*" : (argument.isRequired ? "" : ":")
        return shellQuoted("\(position):\(zshText(argument.valueName)):\(zshAction(argument.completion))")
      }
      return """
        \(function)() {
          _arguments -s -S \(specs.joined(separator: " \\\n    "))
        }
        """
    }
    specs += ["'1: :->command'", "'*:: :->rest'"]
    var entries = node.visibleChildren.map { shellQuoted("\(zshText($0.name)):\($0.abstract)") }
    if words.count == 1 { entries.append("'help:Show help'") }
    let cases = node.visibleChildren.map { "        \($0.name)) \(zshName(words + [$0.name])) ;;" }
    return """
      \(function)() {
        local curcontext="$curcontext" state line
        local -A opt_args
        _arguments -s -S -C \(specs.joined(separator: " \\\n    "))
        case "$state" in
          command)
            local -a commands
            commands=(\(entries.joined(separator: " ")))
            _describe command commands ;;
          rest)
            case "$line[1]" in
      \(cases.joined(separator: "\n"))
            esac ;;
        esac
      }
      """
  }

  private func zshName(_ words: [String]) -> String { "_" + words.joined(separator: "_") }

  private func zshOption(_ option: ArgumentDefinition) -> [String] {
    let help = "[\(zshText(option.help))]"
    return option.spellings.map { spelling in
      guard option.takesValue else { return shellQuoted(spelling + help) }
      let repeated = option.isRepeated ? "*" : ""
      let join = spelling.hasPrefix("--") ? "=" : "+"
      return shellQuoted(
        "\(repeated)\(spelling)\(join)\(help):\(zshText(option.valueName)):\(zshAction(option.completion))")
    }
  }

  private func zshAction(_ completion: ArgumentCompletion) -> String {
    switch completion {
    case .nothing: " "
    case .file: "_files"
    case .directory: "_files -/"
    case .choices(let choices): "(\(choices.joined(separator: " ")))"
    }
  }

  /// Text without the characters that `_arguments` gives a meaning.
  private func zshText(_ text: String) -> String {
    text.replacingEach("[", by: "(").replacingEach("]", by: ")").replacingEach(":", by: " –")
  }
}
