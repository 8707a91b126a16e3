public import ArgumentParsing
import Concurrency
import Configuration
import Core
import Service

/// The `quarry` program: its verbs, help, and the way errors end it.
public enum QuarryTool {
  /// Runs a command line (without the program's name) and returns the exit code.
  public static func main(arguments: [String], context: CommandContext? = nil) async -> Int32 {
    // `quarry archive list | head` ends the reader first; that must not end this process before it has tidied up.
    Signals.ignoreBrokenPipes()
    return await tool.main(arguments: arguments, context: context ?? .standard())
  }

  /// The declared program.
  package static let tool = CommandLineTool(
    name: "quarry", version: QuarryVersion.current,
    abstract: "Answers questions over a library of PDFs, with the pages that prove each answer.",
    discussion: """
      Put PDFs into the index with 'ingest', or keep it equal to folders with 'watch'; ask with 'ask', serve HTTP with 'serve'. Without configuration \
      everything runs on this machine: a built-in embedding model, an index in one SQLite file, no network.
      """,
    examples: [
      .init("quarry ingest ~/papers", "index every PDF below a folder"),
      .init("quarry ask \"What did the audit find?\"", "answer with page citations"),
      .init("quarry serve", "serve the HTTP API on 127.0.0.1:8080"),
    ],
    commands: [
      IngestCommand.self, WatchCommand.self, AskCommand.self, SearchCommand.self, DocumentsCommand.self,
      ServeCommand.self, KeysCommand.self, ConfigCommand.self, EvaluateCommand.self, ArchiveCommand.self,
      VerifyCommand.self, GarbageCommand.self, StoreCommand.self, DoctorCommand.self,
      CompletionCommand.self,
    ], globals: GlobalOptions.self, exitCodes: ExitCode.meanings, usageExitCode: ExitCode.usage, report: report)

  private static func report(_ error: any Error) -> FailureReport {
    switch error {
    case let quiet as QuietExit: FailureReport(message: "", exitCode: quiet.code)
    case let error as any CategorizedError:
      FailureReport(
        message: "\(error.message) (\(error.code))", remedy: error.remedy, exitCode: ExitCode.code(for: error.category))
    case let error as ConfigurationError:
      FailureReport(message: error.message, remedy: error.remedy, exitCode: ExitCode.configuration)
    case is CancellationError: FailureReport(message: "interrupted", exitCode: ExitCode.cancelled)
    default: FailureReport(message: "\(error)", exitCode: ExitCode.failure)
    }
  }
}
