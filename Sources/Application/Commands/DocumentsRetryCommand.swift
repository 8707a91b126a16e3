import ArgumentParsing
import Core
import HTTPAPI
import Ingestion
import Service

/// `quarry documents retry`.
struct DocumentsRetryCommand: Command {
  static let configuration = CommandConfiguration(
    "retry", abstract: "Try documents again that failed.",
    discussion: """
      Queues documents that were given up, or wait to be tried again, as if they were new, and ingests them. \
      'quarry documents list --state failed' shows them.
      """,
    examples: [
      .init("quarry documents retry --all", "after a password or a higher limit was configured"),
      .init("quarry documents retry scan.pdf", "one of them"),
    ])

  @OptionGroup var globals: GlobalOptions
  @Flag("All documents that failed or wait to be tried again.") var all = false
  @Option("With --all: only this collection.", short: "c", valueName: "NAME") var collection: String?
  @Argument("Ids, file names or paths.", valueName: "DOCUMENT") var documents: [String]

  init() {}

  mutating func validate() throws {
    if all != documents.isEmpty { throw CommandLineError.usage("name documents, or say --all") }
    if collection != nil && !all { throw CommandLineError.usage("--collection needs --all") }
  }

  mutating func run(_ context: CommandContext) async throws {
    let command = self
    let summary = try await Interruption.cancelling { try await command.retry(context) }
    if globals.json {
      context.output(
        String(decoding: try WireCoding.encode(IngestionSummaryBody(summary), pretty: true), as: UTF8.self) + "\n")
    } else if !globals.quiet {
      context.output(IngestionSummaryText.render(summary))
    }
    if !summary.failed.isEmpty { throw QuietExit(code: ExitCode.someDocumentsFailed) }
  }

  private func retry(_ context: CommandContext) async throws -> IngestionSummary {
    try await globals.withLibrary(context) { library in
      let failed = try await failedJobs(library)
      var chosen = failed
      if !all {
        chosen = []
        for name in documents { chosen.append(try await Self.find(name, in: failed, library)) }
      }
      let progress = IngestionProgressLines(context, isQuiet: globals.quiet || globals.json)
      defer { progress.finish() }
      return try await library.retry(chosen) { progress.show($0) }
    }
  }

  private func failedJobs(_ library: Library) async throws -> [IngestionJob] {
    var found: [IngestionJob] = []
    var cursor: String?
    repeat {
      let page = try await library.jobs.jobs(
        in: [.parked, .retrying], collections: collection.map { [CollectionName(rawValue: $0)] }, limit: 1000,
        after: cursor)
      found += page.jobs
      cursor = page.next
    } while cursor != nil
    return found
  }

  private static func find(_ name: String, in jobs: [IngestionJob], _ library: Library) async throws -> IngestionJob {
    var matches: [IngestionJob] = []
    for job in jobs {
      var isMeant =
        job.uri.name == name || job.uri.rawValue == name
        || job.uri.filePath.map { $0 == name || $0.hasSuffix("/" + name) } == true
      if !isMeant, DocumentID.isValid(name) {
        isMeant = try await job.documentID(in: library.index).rawValue == name
      }
      if isMeant { matches.append(job) }
    }
    guard let match = matches.first else {
      throw CoreError(
        code: "document.not_failed", category: .notFound, message: "no document '\(name)' failed",
        remedy: "List those that did with: quarry documents list --state failed")
    }
    guard matches.count == 1 else {
      throw CoreError(
        code: "document.ambiguous", category: .invalidInput,
        message: "'\(name)' names \(matches.count) documents: "
          + matches.prefix(5).map { "\($0.uri) in \($0.collection)" }.joined(separator: ", "),
        remedy: "Use an id.")
    }
    return match
  }
}
