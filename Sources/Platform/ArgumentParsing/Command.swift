/// A verb of the command line; its properties declare what it takes.
public protocol Command: ArgumentGroup {
  /// Its name, help and subcommands.
  static var configuration: CommandConfiguration { get }
  /// Checks what no single value can: throw `CommandLineError.usage`. Does nothing by default.
  mutating func validate() throws
  /// Does the work.
  mutating func run(_ context: CommandContext) async throws
}

extension Command {
  /// Accepts everything.
  public mutating func validate() throws {}
}

/// A verb that only holds subcommands, such as `documents` of `documents list`.
public protocol CommandGroup: Command {}

extension CommandGroup {
  /// Never called: the parser demands a subcommand.
  public mutating func run(_ context: CommandContext) async throws {
    throw CommandLineError.usage("missingCommand", "a command is missing")
  }
}

/// What a command is called and what its help says.
public struct CommandConfiguration: Sendable {
  /// The verb.
  public let name: String
  /// One sentence.
  public let abstract: String
  /// Paragraphs after the usage line, separated by empty lines.
  public let discussion: String
  /// Command lines to learn from.
  public let examples: [CommandExample]
  /// The commands below; when there are any, the command is a `CommandGroup`.
  public let subcommands: [any Command.Type]
  /// Whether help and completions leave it out.
  public let isHidden: Bool

  /// Creates a configuration.
  public init(
    _ name: String, abstract: String, discussion: String = "", examples: [CommandExample] = [],
    subcommands: [any Command.Type] = [], isHidden: Bool = false
  ) {
    self.name = name
    self.abstract = abstract
    self.discussion = discussion
    self.examples = examples
    self.subcommands = subcommands
    self.isHidden = isHidden
  }
}

/// A command line with what it does, for help.
public struct CommandExample: Sendable {
  /// The whole line, program included.
  public let line: String
  /// What it does.
  public let explanation: String

  /// Creates an example.
  public init(_ line: String, _ explanation: String) {
    self.line = line
    self.explanation = explanation
  }
}

/// An exit code with its meaning, for help.
public struct ExitCodeMeaning: Sendable {
  /// The code.
  public let code: Int32
  /// When a process ends with it.
  public let meaning: String

  /// Creates an entry.
  public init(_ code: Int32, _ meaning: String) {
    self.code = code
    self.meaning = meaning
  }
}
