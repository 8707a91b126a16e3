import ArgumentParsing

/// A small program that has every kind of declaration.
let sampleTool = CommandLineTool(
  name: "sample", version: "1.2.3", abstract: "Answers questions from documents.",
  discussion: "First paragraph of the discussion,\nin two lines.\n\nSecond paragraph.",
  examples: [CommandExample("sample ask 'why?'", "Answers one question.")],
  commands: [Ask.self, Ingest.self, Documents.self, Secretive.self], globals: GlobalOptions.self,
  exitCodes: [ExitCodeMeaning(0, "success"), ExitCodeMeaning(64, "the arguments are wrong")]
) { error in
  FailureReport(message: "failed: \(error)", remedy: "Try again.", exitCode: 70)
}

enum LogLevel: String, CaseIterable, ArgumentValue {
  case debug, info, error
}

struct GlobalOptions: ArgumentGroup {
  @Option("The configuration file.", valueName: "FILE", completion: .file) var config: String?
  @Option("How much to log.") var logLevel = LogLevel.info
  @Flag("Print nothing but errors.", short: "q") var quiet = false
  @Flag("Print JSON.", short: "j") var json = false
}

struct Ask: Command {
  static let configuration = CommandConfiguration(
    "ask", abstract: "Answer a question.", discussion: "Quotes the best sentences.",
    examples: [CommandExample("sample ask -k 3 'why?'", "Answers from three passages.")])
  @OptionGroup var global: GlobalOptions
  @Option("How many passages.", in: 1...100, short: "k") var topK = 5
  @Option("Only this collection.", name: "collection", short: "c", valueName: "NAME") var collections: [String]
  @Option("The smallest score.") var threshold: Double?
  @Flag("Show progress.") var progress: Bool?
  @Flag("Use the cache.", negatable: true) var cache = true
  @Argument("The question; '-' reads standard input.") var question: String

  func validate() throws {
    if question.isEmpty { throw CommandLineError.usage("the question is empty") }
  }

  func run(_ context: CommandContext) async throws {
    let text = question == "-" ? try await context.input(1000) : question
    if text == "fail" { throw SampleError() }
    context.print("\(topK) passages for \(text)")
    if !global.quiet { context.printError("done") }
  }
}

struct SampleError: Error {}

struct Ingest: Command {
  static let configuration = CommandConfiguration("ingest", abstract: "Read documents.")
  @Flag("Delete what is gone.") var sync = false
  @Option("Where temporary files go.", valueName: "DIR", completion: .directory) var scratch: String?
  @Argument("Files and directories.", required: true, valueName: "PATH", completion: .file) var paths: [String]
  func run(_ context: CommandContext) async throws { context.print(paths.joined(separator: "|")) }
}

struct Documents: CommandGroup {
  static let configuration = CommandConfiguration(
    "documents", abstract: "List, show and delete documents.", subcommands: [DocumentsList.self, DocumentsShow.self])
}

struct DocumentsList: Command {
  static let configuration = CommandConfiguration("list", abstract: "List documents.")
  @Option("The order.") var sort = DocumentOrder.name
  func run(_ context: CommandContext) async throws { context.print(sort.rawValue) }
}

enum DocumentOrder: String, CaseIterable, ArgumentValue {
  case name, time
}

struct DocumentsShow: Command {
  static let configuration = CommandConfiguration("show", abstract: "Show a document.")
  @Argument("The document's id.") var id: String
  @Argument("A page.") var page: Int?
  func run(_ context: CommandContext) async throws { context.print(context.commandPath.joined(separator: " ")) }
}

struct Secretive: Command {
  static let configuration = CommandConfiguration("secretive", abstract: "Not shown.", isHidden: true)
  func run(_ context: CommandContext) async throws {}
}
