import Spelling

/// What a command line asks for.
package enum Invocation {
  /// Help on a command.
  case help(path: [String])
  /// The version.
  case version
  /// A command with its values.
  case run(any Command, path: [String])
}

/// A usage error with the command at which it arose.
package struct UsageFailure: Error {
  /// The error.
  package let error: CommandLineError
  /// The words of the command, without the program's name.
  package let path: [String]
}

extension CommandLineTool {
  /// Finds the command and reads its values.
  package func parse(_ arguments: [String]) throws(UsageFailure) -> Invocation {
    var parser = Parser(tool: self, words: arguments[...])
    do { return try parser.invocation() } catch {
      throw UsageFailure(error: error, path: parser.path)
    }
  }
}

/// One walk over the words of a command line.
private struct Parser {
  let tool: CommandLineTool
  var words: ArraySlice<String>
  var path: [String] = []
  /// Global options in the order given, to be applied to the command's own copy of the group.
  private var givenGlobals: [(name: String, value: String)] = []
  private var isPastTerminator = false

  private enum Stop: Error {
    case help, version
    case usage(CommandLineError)
  }

  init(tool: CommandLineTool, words: ArraySlice<String>) {
    self.tool = tool
    self.words = words
  }

  mutating func invocation() throws(CommandLineError) -> Invocation {
    do {
      var siblings = tool.commands
      let globals = tool.globals.map { boundArguments(of: $0.init(), globals: $0) } ?? []
      while true {
        guard let verb = try nextArgument(globals) else { throw missingCommand(siblings) }
        if verb == "help", !isPastTerminator { return .help(path: try helpPath(siblings)) }
        guard let type = siblings.first(where: { $0.configuration.name == verb }) else {
          throw unknownCommand(verb, siblings)
        }
        path.append(verb)
        siblings = type.configuration.subcommands
        if siblings.isEmpty { return .run(try command(type, globals: globals), path: path) }
      }
    } catch Stop.help {
      return .help(path: path)
    } catch Stop.version {
      return .version
    } catch Stop.usage(let error) {
      throw error
    } catch {
      throw .usage("\(error)")
    }
  }

  private mutating func command(_ type: any Command.Type, globals: [BoundArgument]) throws -> any Command {
    let command = type.init()
    let bound = boundArguments(of: command, globals: tool.globals)
    let own = bound.filter { !$0.definition.isGlobal }
    var values: [String] = []
    while let value = try nextArgument(own + globals) { values.append(value) }

    for argument in own where !argument.definition.isOption {
      if values.isEmpty {
        if argument.definition.isRequired {
          throw usage("missingArgument", "\(argument.definition.valueName) is missing")
        }
        break
      }
      let count = argument.definition.isRepeated ? values.count : 1
      for value in values.prefix(count) { try accept(value, for: argument, called: argument.definition.valueName) }
      values.removeFirst(count)
    }
    if let surplus = values.first {
      throw usage("unexpectedArgument", "unexpected argument '\(surplus)'")
    }
    for option in own where option.definition.isRequired && option.definition.isOption && !option.storage.isGiven {
      throw usage("missingArgument", "\(option.definition.displayName) is missing")
    }
    for given in givenGlobals {
      for copy in bound where copy.definition.isGlobal && copy.definition.name == given.name {
        try accept(given.value, for: copy, called: copy.definition.displayName)
      }
    }
    return command
  }

  /// Reads options up to the next argument and returns that, or nil at the end.
  private mutating func nextArgument(_ bound: [BoundArgument]) throws -> String? {
    while let word = words.popFirst() {
      if isPastTerminator || word == "-" { return word }
      if word == "--" {
        isPastTerminator = true
      } else if word.hasPrefix("--") {
        try longOption(word, bound)
      } else if word.hasPrefix("-"), !isNegativeNumber(word, bound) {
        try shortOptions(word, bound)
      } else {
        return word
      }
    }
    return nil
  }

  private mutating func longOption(_ word: String, _ bound: [BoundArgument]) throws {
    let sign = word.firstIndex(of: "=")
    let spelling = String(word[..<(sign ?? word.endIndex)])
    let value = sign.map { String(word[word.index(after: $0)...]) }
    if spelling == "--help" || spelling == "--version" {
      if value != nil { throw usage("unexpectedValue", "\(spelling) takes no value") }
      throw spelling == "--help" ? Stop.help : Stop.version
    }
    guard let option = bound.first(where: { $0.definition.spellings.contains(spelling) }) else {
      throw unknownOption(spelling, bound)
    }
    if option.definition.takesValue {
      try give(try value ?? nextValue(of: spelling, bound), to: option, called: spelling)
    } else if value != nil {
      throw usage("unexpectedValue", "\(spelling) takes no value")
    } else {
      let isNegative = spelling != option.definition.displayName
      try give(isNegative ? "false" : "true", to: option, called: spelling)
    }
  }

  private mutating func shortOptions(_ word: String, _ bound: [BoundArgument]) throws {
    var letters = word.dropFirst()
    while let letter = letters.popFirst() {
      guard let option = bound.first(where: { $0.definition.short == letter }) else {
        if letter == "h" { throw Stop.help }
        throw unknownOption("-\(letter)", bound, within: word)
      }
      if option.definition.takesValue {
        let value = letters.isEmpty ? nil : String(letters.first == "=" ? letters.dropFirst() : letters)
        try give(try value ?? nextValue(of: "-\(letter)", bound), to: option, called: "-\(letter)")
        return
      }
      try give("true", to: option, called: "-\(letter)")
    }
  }

  /// The value of an option in the next word, which must not look like another option.
  private mutating func nextValue(of spelling: String, _ bound: [BoundArgument]) throws -> String {
    guard let word = words.first, word != "--" else {
      throw usage("missingValue", "\(spelling) needs a value")
    }
    if word.hasPrefix("-"), word != "-", !isNegativeNumber(word, bound) {
      let joined = spelling.hasPrefix("--") ? "\(spelling)=\(word)" : "\(spelling)\(word)"
      throw usage("missingValue", "\(spelling) needs a value (if '\(word)' is the value, write '\(joined)')")
    }
    words = words.dropFirst()
    return word
  }

  /// Gives an option a value, and remembers it when every command may have a copy of the option.
  private mutating func give(_ text: String, to option: BoundArgument, called name: String) throws {
    try accept(text, for: option, called: name)
    if option.definition.isGlobal { givenGlobals.append((option.definition.name, text)) }
  }

  private func accept(_ text: String, for argument: BoundArgument, called name: String) throws {
    do { try argument.storage.accept(text) } catch {
      throw usage("invalidValue", "\(name) \(error.message)")
    }
  }

  private func isNegativeNumber(_ word: String, _ bound: [BoundArgument]) -> Bool {
    guard let digit = word.dropFirst().first, digit == "." || ("0"..."9").contains(digit),
      !bound.contains(where: { $0.definition.short == digit })
    else { return false }
    return Double.parse(argument: word) != nil
  }

  /// The command that `help` is asked about.
  private mutating func helpPath(_ siblings: [any Command.Type]) throws -> [String] {
    var siblings = siblings
    var found = path
    for word in words where !word.hasPrefix("-") {
      guard let type = siblings.first(where: { $0.configuration.name == word }) else {
        path = found
        throw unknownCommand(word, siblings)
      }
      found.append(word)
      siblings = type.configuration.subcommands
    }
    return found
  }

  private func usage(_ kind: String, _ message: String) -> Stop { .usage(.usage(kind, message)) }

  private func visibleNames(_ types: [any Command.Type]) -> [String] {
    types.map { $0.configuration }.filter { !$0.isHidden }.map { $0.name }
  }

  private func missingCommand(_ siblings: [any Command.Type]) -> Stop {
    let names = visibleNames(siblings)
    return usage("missingCommand", "a command is missing: one of \(names.joined(separator: ", "))")
  }

  private func unknownCommand(_ word: String, _ siblings: [any Command.Type]) -> Stop {
    let names = visibleNames(siblings) + ["help"]
    return usage("unknownCommand", "unknown command '\(word)'\(suggestion(for: word, in: names))")
  }

  private func unknownOption(_ spelling: String, _ bound: [BoundArgument], within word: String? = nil) -> Stop {
    var hint = ""
    if spelling.hasPrefix("--") {
      let known = bound.flatMap(\.definition.spellings).filter { $0.hasPrefix("--") } + ["--help", "--version"]
      let names = known.map { String($0.dropFirst(2)) }
      hint = nearestWord(to: String(spelling.dropFirst(2)), in: names).map { "; did you mean '--\($0)'?" } ?? ""
    }
    let owner = tool.tree().node(at: path)?.visibleChildren.first { child in
      child.options.contains { $0.spellings.contains(spelling) }
    }
    if let owner { hint = "; it belongs after '\(owner.name)'" }
    let place = word.map { $0 == spelling ? "" : " in '\($0)'" } ?? ""
    return usage("unknownOption", "unknown option '\(spelling)'\(place)\(hint)")
  }
}
