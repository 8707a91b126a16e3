import ArgumentParsing
import HTTPAPI
import Ingestion

/// How a run of ingestion ends.
enum IngestionResult {
  /// Prints the summary and ends with the exit code for documents that failed or deletions held back.
  static func report(_ summary: IngestionSummary, _ context: CommandContext, _ globals: GlobalOptions) throws {
    if globals.json {
      context.output(
        String(decoding: try WireCoding.encode(IngestionSummaryBody(summary), pretty: true), as: UTF8.self) + "\n")
    } else if !globals.quiet {
      context.output(IngestionSummaryText.render(summary))
    }
    if !summary.failed.isEmpty || !summary.refusedDeletions.isEmpty {
      throw QuietExit(code: ExitCode.someDocumentsFailed)
    }
  }
}
