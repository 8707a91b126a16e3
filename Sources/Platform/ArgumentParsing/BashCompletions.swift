extension CommandLineTool {
  private var function: String { "_" + name.replacingEach("-", by: "_") }

  func bashCompletionScript() -> String {
    let root = tree()
    let nodes = root.flattened()
    var values: [String] = []
    var descents: [String] = []
    var offers: [String] = []
    var valueOffers: [String] = []
    for (words, node) in nodes {
      let place = words.joined(separator: " ")
      for option in node.options where option.takesValue {
        let patterns = option.spellings.map { "'\(place)|\($0)'" }.joined(separator: "|")
        values.append(patterns)
        if let offer = bashOffer(option.completion) { valueOffers.append("      \(patterns)) \(offer) ;;") }
      }
      for child in node.visibleChildren {
        descents.append("      '\(place)|\(child.name)') path='\(place) \(child.name)' ;;")
      }
      let options = node.options.flatMap(\.spellings).joined(separator: " ")
      let names = node.childNames(isRoot: words.count == 1).joined(separator: " ")
      let arguments = names.isEmpty ? node.argumentCompletions.compactMap(bashOffer) : ["\(function)_words '\(names)'"]
      let otherwise = arguments.isEmpty ? ":" : arguments.joined(separator: "; ")
      offers.append(
        """
            '\(place)')
              if [[ $literal == 0 && $cur == -* ]]; then \(function)_words '\(options)'; else \(otherwise); fi ;;
        """)
    }
    return """
      # Bash completion for \(name); generated from its declarations.
      \(function)_words() {
        local word
        for word in $1; do [[ $word == "$cur"* ]] && COMPREPLY+=("$word"); done
      }
      \(function)_paths() {
        local found
        compopt -o filenames 2>/dev/null
        mapfile -t found < <(compgen "$1" -- "$cur")
        COMPREPLY+=("${found[@]}")
      }
      \(function)() {
        local cur="${COMP_WORDS[COMP_CWORD]}" path='\(name)' pending='' literal=0 i word
        COMPREPLY=()
        for ((i = 1; i < COMP_CWORD; i++)); do
          word="${COMP_WORDS[i]}"
          # Bash splits --option=value into three words.
          if [[ $word == '=' && -n $pending ]]; then continue; fi
          if [[ -n $pending ]]; then pending=''; continue; fi
          if [[ $word == -- ]]; then literal=1; continue; fi
          if [[ $literal == 1 ]]; then continue; fi
          case "$path|$word" in
            \(values.isEmpty ? "''" : values.joined(separator: "|"))) pending="$path|$word" ;;
      \(descents.joined(separator: "\n"))
          esac
        done
        if [[ $cur == '=' && -n $pending ]]; then cur=''; fi
        if [[ -n $pending ]]; then
          case "$pending" in
      \(valueOffers.joined(separator: "\n"))
            *) : ;;
          esac
          return 0
        fi
        case "$path" in
      \(offers.joined(separator: "\n"))
        esac
      }
      complete -F \(function) \(name)

      """
  }

  private func bashOffer(_ completion: ArgumentCompletion) -> String? {
    switch completion {
    case .nothing: nil
    case .file: "\(function)_paths -f"
    case .directory: "\(function)_paths -d"
    case .choices(let choices): "\(function)_words '\(choices.joined(separator: " "))'"
    }
  }
}
