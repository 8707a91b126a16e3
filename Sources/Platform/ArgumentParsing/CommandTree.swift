import Spelling

/// A command with everything declared about it: what help and completions are made from.
struct CommandNode: Sendable {
  let name: String
  let abstract: String
  let discussion: String
  let examples: [CommandExample]
  let isHidden: Bool
  let definitions: [ArgumentDefinition]
  let children: [CommandNode]

  var options: [ArgumentDefinition] { definitions.filter(\.isOption) }
  var arguments: [ArgumentDefinition] { definitions.filter { !$0.isOption } }
  var visibleChildren: [CommandNode] { children.filter { !$0.isHidden } }

  func child(_ name: String) -> CommandNode? { children.first { $0.name == name } }

  func node(at path: some Sequence<String>) -> CommandNode? {
    path.reduce(self) { (node: CommandNode?, name) in node?.child(name) }
  }
}

extension CommandLineTool {
  /// The definitions of options that every command takes: the application's, then help.
  var globalDefinitions: [ArgumentDefinition] {
    globals.map { boundArguments(of: $0.init(), globals: $0).map(\.definition) } ?? []
  }

  /// The declared commands, the program at the root; every node has the global options.
  func tree() -> CommandNode {
    let shared = globalDefinitions
    func node(_ type: any Command.Type) -> CommandNode {
      let configuration = type.configuration
      let own = boundArguments(of: type.init(), globals: globals).map(\.definition).filter { !$0.isGlobal }
      return CommandNode(
        name: configuration.name, abstract: configuration.abstract, discussion: configuration.discussion,
        examples: configuration.examples, isHidden: configuration.isHidden,
        definitions: own + shared + [Self.helpFlag], children: configuration.subcommands.map(node))
    }
    return CommandNode(
      name: name, abstract: abstract, discussion: discussion, examples: examples, isHidden: false,
      definitions: shared + [Self.helpFlag, Self.versionFlag], children: commands.map(node))
  }

  static let helpFlag = builtIn("help", short: "h", help: "Show help; also 'help COMMAND'.")
  static let versionFlag = builtIn("version", short: nil, help: "Show the version.")

  private static func builtIn(_ name: String, short: Character?, help: String) -> ArgumentDefinition {
    var definition = ArgumentDefinition(
      role: .flag(isNegatable: false), name: name, short: short, valueName: "", help: help)
    definition.section = "Global options"
    definition.isGlobal = true
    return definition
  }

  /// What is wrong with the declarations themselves; a test of the application expects none.
  public func declarationProblems() -> [String] {
    problems(of: tree(), path: [])
  }

  private func problems(of node: CommandNode, path: [String]) -> [String] {
    let words = ([name] + path).joined(separator: " ")
    var found: [String] = []
    var names: Set<String> = []
    for spelling in node.options.flatMap(\.spellings) where !names.insert(spelling).inserted {
      found.append("\(words): \(spelling) is declared twice")
    }
    for definition in node.definitions where definition.help.isEmpty {
      found.append("\(words): \(definition.displayName) has no help")
    }
    for (first, second) in zip(node.arguments, node.arguments.dropFirst()) {
      if first.isRepeated { found.append("\(words): \(second.valueName) follows an argument that takes all") }
      if !first.isRequired, second.isRequired {
        found.append("\(words): \(second.valueName) is required but follows an optional argument")
      }
    }
    if !node.children.isEmpty, node.definitions.contains(where: { !$0.isGlobal }) {
      found.append("\(words): a command with subcommands takes no options or arguments of its own")
    }
    var verbs: Set<String> = ["help"]
    for child in node.children {
      if !verbs.insert(child.name).inserted { found.append("\(words): command '\(child.name)' is declared twice") }
      if child.abstract.isEmpty { found.append("\(words) \(child.name): no abstract") }
      found += problems(of: child, path: path + [child.name])
    }
    return found
  }
}

/// `; did you mean 'x'?`, or nothing when no known word is near.
func suggestion(for word: String, in known: [String]) -> String {
  nearestWord(to: word, in: known).map { "; did you mean '\($0)'?" } ?? ""
}
