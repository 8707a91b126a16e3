extension CommandLineTool {
  func fishCompletionScript() -> String {
    let root = tree()
    let nodes = root.flattened()
    let function = "__\(name.replacingEach("-", by: "_"))_at"
    var values: [String] = []
    var descents: [String] = []
    var lines: [String] = []
    for (words, node) in nodes {
      let place = words.joined(separator: " ")
      let condition = "-n \(shellQuoted("\(function) \"\(place)\""))"
      for option in node.options {
        if option.takesValue { values += option.spellings.map { "'\(place)|\($0)'" } }
        lines += fishOption(option, condition)
      }
      for child in node.visibleChildren {
        descents.append("        case '\(place)|\(child.name)'\n          set place '\(place) \(child.name)'")
        lines.append("complete -c \(name) \(condition) -f -a \(child.name) -d \(shellQuoted(child.abstract))")
      }
      if words.count == 1 {
        lines.append("complete -c \(name) \(condition) -f -a help -d 'Show help'")
      }
      if node.visibleChildren.isEmpty {
        let offers = node.argumentCompletions.map(fishOffer)
        lines.append("complete -c \(name) \(condition) \(offers.isEmpty ? "-f" : offers.joined(separator: " "))")
      }
    }
    return """
      # Fish completion for \(name); generated from its declarations.
      function \(function)
        set -l place '\(name)'
        set -l skip 0
        for word in (commandline -opc)[2..-1]
          if test $skip = 1
            set skip 0
            continue
          end
          switch "$place|$word"
            case \(values.isEmpty ? "''" : values.joined(separator: " "))
              set skip 1
      \(descents.joined(separator: "\n"))
          end
        end
        test "$place" = "$argv[1]"
      end
      complete -c \(name) -e
      \(lines.joined(separator: "\n"))

      """
  }

  private func fishOption(_ option: ArgumentDefinition, _ condition: String) -> [String] {
    let short = option.short.map { " -s \($0)" } ?? ""
    let help = "-d \(shellQuoted(option.help))"
    let value = option.takesValue ? " -r \(fishOffer(option.completion))" : ""
    var lines = ["complete -c \(name) \(condition) -l \(option.name)\(short)\(value) \(help)"]
    if option.role == .flag(isNegatable: true) {
      lines.append("complete -c \(name) \(condition) -l no-\(option.name) \(help)")
    }
    return lines
  }

  private func fishOffer(_ completion: ArgumentCompletion) -> String {
    switch completion {
    case .nothing: "-f"
    case .file: "-F"
    case .directory: "-f -a '(__fish_complete_directories)'"
    case .choices(let choices): "-f -a \(shellQuoted(choices.joined(separator: " ")))"
    }
  }
}
