import ArgumentParsing
import Core
import HTTPAPI
import Service

/// `quarry gc`: mend what can be mended, clear away what nobody needs.
struct GarbageCommand: Command {
  static let configuration = CommandConfiguration(
    "gc", abstract: "Repair the store from what it has, trim caches and give space back.",
    discussion: """
      Checks the store as 'quarry verify' does, then removes what belongs to nothing, fills the indexes of words and \
      n-grams again from the stored texts where they disagree, restores lost vectors from the embedding cache, frees \
      the jobs of killed runs, trims the cache to store.embeddingCacheBytes, removes temporary indexes of killed runs \
      and gives free pages back to the file system. Safe while others ingest and serve. Exit code 4 when there is \
      damage that only a backup or the original files can mend.
      """,
    examples: [
      .init("quarry gc --dry-run", "say what would be done"), .init("quarry gc", "once a week, or after a crash"),
    ])

  @OptionGroup var globals: GlobalOptions
  @Flag("Change nothing, say what would be done.") var dryRun = false

  init() {}

  private struct Body: Encodable {
    var dryRun: Bool
    var actions: [UpkeepReport.Action]
    var bytesReclaimed: Int
    var beyondRepair: [IntegrityFinding]

    private enum CodingKeys: String, CodingKey {
      case dryRun = "dry_run"
      case actions
      case bytesReclaimed = "bytes_reclaimed"
      case beyondRepair = "beyond_repair"
    }
  }

  mutating func run(_ context: CommandContext) async throws {
    let globals = globals
    let isDryRun = dryRun
    let progress = EvaluationProgress(context, isQuiet: globals.quiet || globals.json)
    let report = try await Interruption.cancelling {
      defer { progress.finish() }
      return try await globals.withLibrary(context, mustExist: true) { library in
        try await library.tidy(isDryRun: isDryRun) { progress.show(IntegrityText.line($0)) }
      }
    }
    let beyondRepair = report.beyondRepair
    if globals.json {
      let body = Body(
        dryRun: isDryRun, actions: report.actions, bytesReclaimed: report.bytesReclaimed, beyondRepair: beyondRepair)
      context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
    } else {
      if !globals.quiet {
        for action in report.actions {
          context.print("\(isDryRun ? "would have " : "")\(action.message): \(action.count) (\(action.code))")
        }
        let bytes = report.bytesReclaimed
        let amount = bytes < 1 << 20 ? "\(bytes) bytes" : "\(bytes >> 20) MiB"
        context.print(isDryRun ? "\(amount) free to give back" : "\(amount) given back")
      }
      for finding in beyondRepair {
        context.printError("cannot be repaired: \(AnswerText.singleLine(finding.message)) (\(finding.code))")
      }
      if !beyondRepair.isEmpty {
        context.printError("Restore a backup, or delete the document and ingest its file again.")
      }
    }
    if !beyondRepair.isEmpty { throw QuietExit(code: ExitCode.belowTarget) }
  }
}
