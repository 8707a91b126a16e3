/// A shell that completion scripts are made for.
public enum Shell: String, CaseIterable, ArgumentValue {
  /// Bash 4.4 or later.
  case bash
  /// Zsh 5 or later.
  case zsh
  /// Fish 3 or later.
  case fish
}

extension CommandLineTool {
  /// A script that teaches a shell the program's commands, options and values; it runs no program when used.
  public func completionScript(for shell: Shell) -> String {
    switch shell {
    case .bash: bashCompletionScript()
    case .zsh: zshCompletionScript()
    case .fish: fishCompletionScript()
    }
  }
}

/// A command that prints completion scripts; the application lists it among its commands.
public struct CompletionCommand: Command {
  /// The verb `completion`.
  public static let configuration = CommandConfiguration(
    "completion", abstract: "Print a shell's completion script.",
    discussion: """
      Bash: source the output, or save it in ~/.local/share/bash-completion/completions under the program's name. \
      Zsh: save it under the program's name with an underscore before it in a directory of fpath. \
      Fish: save it in ~/.config/fish/completions under the program's name with '.fish' after it.
      """)
  @Argument("The shell.") var shell: Shell

  /// Creates the command.
  public init() {}

  /// Prints the script.
  public func run(_ context: CommandContext) async throws {
    context.output(context.tool?.completionScript(for: shell) ?? "")
  }
}

extension CommandNode {
  /// Every visible node with the words that lead to it, the program's name first.
  func flattened(_ words: [String] = []) -> [(words: [String], node: CommandNode)] {
    let here = words + [name]
    return [(here, self)] + visibleChildren.flatMap { $0.flattened(here) }
  }

  /// The words offered where a command is expected.
  func childNames(isRoot: Bool) -> [String] {
    let names = visibleChildren.map(\.name)
    return isRoot && !names.isEmpty ? names + ["help"] : names
  }

  /// What to offer for arguments: all their completions, or nothing.
  var argumentCompletions: [ArgumentCompletion] {
    arguments.map(\.completion).filter { $0 != .nothing }
  }
}

/// A text in single quotes for bash, zsh and fish alike: neither quote nor backslash may occur inside.
func shellQuoted(_ text: String) -> String {
  "'" + text.replacingEach("\\", by: "").replacingEach("'", by: "’") + "'"
}

extension String {
  func replacingEach(_ character: Character, by replacement: String) -> String {
    reduce(into: "") { $0 += $1 == character ? replacement : String($1) }
  }
}
