import ArgumentParsing
import Core
import HTTPAPI
import Ingestion
import Service

/// `quarry ingest`: PDFs into the index.
struct IngestCommand: Command {
  static let configuration = CommandConfiguration(
    "ingest", abstract: "Read PDFs into the index.",
    discussion: """
      Takes files and folders (with everything below; hidden and unfinished files are passed over); without a path, \
      the configured sources. Unchanged documents cost nothing. A document that cannot be read does not stop the \
      others; it is listed with its reason, and the exit code is 2. Nothing is deleted unless --sync says so. With \
      --plan nothing is done: documents are read and counted, and the time and money that ingestion would take are \
      said; exit code 2 when some document cannot be read.
      """,
    examples: [
      .init("quarry ingest report.pdf ~/papers", "a file and a folder"),
      .init("quarry ingest --sync ~/papers", "also drop documents whose file is gone"),
      .init("quarry ingest --plan ~/papers", "say what that would take, and do nothing"),
      .init("quarry ingest --collection law ~/rulings", "into a collection of its own"),
    ])

  @OptionGroup var globals: GlobalOptions
  @Option("The collection of the documents.", short: "c", valueName: "NAME") var collection: String?
  @Option("Give every document this attribute, for filters.", valueName: "KEY=VALUE") var attribute: [String]
  @Flag("Delete documents of these folders whose file is gone, under a guard against mass deletion.")
  var sync = false
  @Flag("With --sync: delete even when a folder is suddenly empty or another disk.") var allowMassDelete = false
  @Flag("Renew every document made by another pipeline or embedding model; old answers stay until then.")
  var rebuild = false
  @Flag("Say what would be done, and the time and money it would take; write nothing.") var plan = false
  @Option("With --plan: read at most this many documents and estimate the others.", in: 1...1_000_000)
  var sample: Int?
  @Argument("Files and folders.", valueName: "PATH", completion: .file) var paths: [String]

  init() {}

  mutating func validate() throws {
    try CollectionOption.validate(collection)
    if allowMassDelete && !sync { throw CommandLineError.usage("--allow-mass-delete needs --sync") }
    if sample != nil && !plan { throw CommandLineError.usage("--sample needs --plan") }
    if plan && (sync || rebuild || !attribute.isEmpty) {
      throw CommandLineError.usage("--plan goes with paths, --collection and --sample only")
    }
    if rebuild && (sync || !paths.isEmpty) {
      throw CommandLineError.usage("--rebuild renews the whole index; give it no path and no --sync")
    }
  }

  mutating func run(_ context: CommandContext) async throws {
    let command = self
    if plan { return try await showPlan(context) }
    let summary = try await Interruption.cancelling { try await command.ingest(context) }
    try IngestionResult.report(summary, context, globals)
  }

  private func ingest(_ context: CommandContext) async throws -> IngestionSummary {
    try await globals.withLibrary(context) { library in
      let request = library.requestContext()
      // Before the models are loaded: a mistyped path is told at once.
      let sources =
        rebuild
        ? []
        : try library.sources(
          paths: paths, collection: collection.map(CollectionName.init(rawValue:)), mayBeMissing: sync)
      guard rebuild || !sources.isEmpty else {
        throw CommandLineError.usage("nothing to ingest: name files or folders, or configure sources")
      }
      let ingester = try await library.ingester(attributes: try attributes)
      let progress = IngestionProgressLines(context, isQuiet: globals.quiet || globals.json)
      defer { progress.finish() }
      if rebuild {
        return try await ingester.rebuild(
          bytes: library.originals(), context: request, progress: { progress.show($0) })
      }
      return try await ingester.ingest(
        sources, request: IngestionRequest(deletesMissing: sync, allowsMassDelete: allowMassDelete),
        context: request, progress: { progress.show($0) })
    }
  }

  private func showPlan(_ context: CommandContext) async throws {
    let command = self
    let (plan, prices) = try await Interruption.cancelling {
      try await command.globals.withLibrary(context, onlyReading: true) { library in
        let sources = try library.sources(
          paths: command.paths, collection: command.collection.map(CollectionName.init(rawValue:)))
        guard !sources.isEmpty else {
          throw CommandLineError.usage("nothing to plan: name files or folders, or configure sources")
        }
        let progress = IngestionProgressLines(context, isQuiet: command.globals.quiet || command.globals.json)
        defer { progress.finish() }
        let plan = try await library.plan(sources, sample: command.sample) { progress.show($0) }
        return (plan, try library.ingestionPrices())
      }
    }
    if globals.json {
      let body = IngestionPlanBody(plan, prices: prices)
      context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
    } else {
      context.output(IngestionPlanText.render(plan, prices: prices))
    }
    if !plan.failed.isEmpty { throw QuietExit(code: ExitCode.someDocumentsFailed) }
  }

  private var attributes: [String: String] {
    get throws {
      var attributes: [String: String] = [:]
      for pair in attribute {
        guard let equals = pair.firstIndex(of: "="), equals != pair.startIndex else {
          throw CommandLineError.usage("--attribute needs KEY=VALUE, not '\(pair)'")
        }
        attributes[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
      }
      return attributes
    }
  }
}
