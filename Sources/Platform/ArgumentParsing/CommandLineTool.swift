/// A program declared by its commands: parses, runs, explains itself.
public struct CommandLineTool: Sendable {
  /// The program's name.
  public let name: String
  /// What `--version` prints after the name.
  public let version: String
  /// One sentence for the head of help.
  public let abstract: String
  /// Paragraphs after the usage line.
  public let discussion: String
  /// Command lines to learn from.
  public let examples: [CommandExample]
  /// The verbs.
  public let commands: [any Command.Type]
  /// The options that every command takes, before or after the verb.
  public let globals: (any ArgumentGroup.Type)?
  /// The section of help on exit codes.
  public let exitCodes: [ExitCodeMeaning]
  /// The exit code for arguments that cannot be understood.
  public let usageExitCode: Int32
  private let report: @Sendable (any Error) -> FailureReport

  /// Creates a tool; see the properties.
  ///
  /// - Parameter report: the message and exit code of an error that a command threw, usage errors excepted.
  public init(
    name: String, version: String, abstract: String, discussion: String = "", examples: [CommandExample] = [],
    commands: [any Command.Type], globals: (any ArgumentGroup.Type)? = nil, exitCodes: [ExitCodeMeaning] = [],
    usageExitCode: Int32 = 64, report: @escaping @Sendable (any Error) -> FailureReport
  ) {
    self.name = name
    self.version = version
    self.abstract = abstract
    self.discussion = discussion
    self.examples = examples
    self.commands = commands
    self.globals = globals
    self.exitCodes = exitCodes
    self.usageExitCode = usageExitCode
    self.report = report
  }

  /// Parses the arguments (without the program's name), runs the command and returns the process's exit code.
  public func main(arguments: [String], context: CommandContext = .standard()) async -> Int32 {
    var context = context
    context.tool = self
    do {
      let parsed: Invocation
      do { parsed = try parse(arguments) } catch {
        explain(error.error, at: error.path, context: context)
        return usageExitCode
      }
      switch parsed {
      case .help(let path): context.output(help(for: path, width: context.width))
      case .version: context.print("\(name) \(version)")
      case .run(var command, let path):
        context.commandPath = path
        try command.validate()
        try await command.run(context)
      }
      if let reason = context.outputFailure() {
        throw CommandLineError(
          code: "output.failed", message: "standard output cannot be written: \(reason)",
          remedy: "Make room, or write elsewhere.")
      }
      return 0
    } catch let error as CommandLineError where error.isUsage {
      explain(error, at: context.commandPath, context: context)
      return usageExitCode
    } catch {
      let failure = report(error)
      // An empty message is a command that has said all itself and only ends with a code.
      if !failure.message.isEmpty { context.printError("\(name): \(failure.message)") }
      if let remedy = failure.remedy { context.printError(remedy) }
      return failure.exitCode
    }
  }

  private func explain(_ error: CommandLineError, at path: [String], context: CommandContext) {
    let words = ([name] + path).joined(separator: " ")
    context.printError("\(words): \(error.message)")
    if let node = tree().node(at: path) { context.errorOutput(node.usageText(words: words, width: context.width)) }
    context.printError("See '\(words) --help'.")
  }
}
