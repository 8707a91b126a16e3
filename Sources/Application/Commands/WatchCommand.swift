import ArgumentParsing
import Core
import Ingestion
import Service
import Telemetry

/// `quarry watch`: keeps the index equal to directories.
struct WatchCommand: Command {
  static let configuration = CommandConfiguration(
    "watch", abstract: "Keep the index equal to folders of PDFs until interrupted.",
    discussion: """
      Takes in what is there, then what comes, changes, is renamed or deleted, as it happens, and lists everything \
      again now and then; SIGHUP has it do so now. Without a path, the configured sources. Deletions are made under a \
      guard: an emptied or unreachable folder deletes nothing. What fails is tried again; SIGTERM or Ctrl-C ends it \
      with exit code 0. It logs JSON lines to standard error. With --once it lists everything once, brings the index \
      up to date and exits as 'ingest' does.
      """,
    examples: [
      .init("quarry watch ~/papers", "until interrupted"),
      .init("quarry watch --once", "the configured sources, once, from cron"),
      .init("quarry watch --collection law --interval 10m /mnt/rulings", "a network mount, listed often"),
    ])

  @OptionGroup var globals: GlobalOptions
  @Option("The collection of the documents.", short: "c", valueName: "NAME") var collection: String?
  @Flag("List everything once and exit.") var once = false
  @Option("Time between two listings of everything, such as 10m.", valueName: "DURATION") var interval: String?
  @Flag("Let the first listing delete even when a folder is suddenly empty or another disk.")
  var allowMassDelete = false
  @Argument("Folders and files.", valueName: "PATH", completion: .file) var paths: [String]

  init() {}

  mutating func validate() throws {
    try CollectionOption.validate(collection)
    if collection != nil && paths.isEmpty {
      throw CommandLineError.usage("--collection is that of the paths; configured sources name their own")
    }
    if interval != nil && once { throw CommandLineError.usage("--interval is for watching on; --once lists once") }
    if globals.json && !once { throw CommandLineError.usage("--json prints the result of --once") }
  }

  mutating func run(_ context: CommandContext) async throws {
    let command = self
    guard once else {
      var overrides: [String: String] = [:]
      if let interval { overrides["watch.interval"] = interval }
      return try await globals.withLibrary(context, overrides: overrides, defaultFormat: .json) { library in
        try await library.watch(try await library.watcher(command.request))
      }
    }
    let summary = try await Interruption.cancelling { try await command.listOnce(context) }
    try IngestionResult.report(summary, context, globals)
  }

  private var request: Library.WatchRequest {
    Library.WatchRequest(
      paths: paths, collection: collection.map(CollectionName.init(rawValue:)), allowsMassDelete: allowMassDelete)
  }

  private func listOnce(_ context: CommandContext) async throws -> IngestionSummary {
    try await globals.withLibrary(context) { library in
      let progress = IngestionProgressLines(context, isQuiet: globals.quiet || globals.json)
      defer { progress.finish() }
      let watcher = try await library.watcher(request) { event in
        if case .progress(_, let step) = event { progress.show(step) }
      }
      return try await watcher.once()
    }
  }
}
