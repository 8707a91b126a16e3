import ArgumentParsing
import Core
import HTTPAPI
import Ingestion
import Service

/// `quarry store`: copies of the store.
struct StoreCommand: CommandGroup {
  static let configuration = CommandConfiguration(
    "store", abstract: "Copy the store.", subcommands: [Backup.self, Copy.self])

  init() {}

  /// `quarry store backup`.
  struct Backup: Command {
    static let configuration = CommandConfiguration(
      "backup", abstract: "Copy the store as it is now into a file, while others use it.",
      discussion: """
        The copy is of one moment, is checked and synced before it gets its name, and is a store of its own: \
        '--set store.path=FILE' uses it. It holds everything but the sources' bytes and the event log. To restore, \
        end all processes, remove the store with its -wal and -shm files, and put the copy in its place.
        """,
      examples: [.init("quarry store backup /backups/quarry-$(date +%F).sqlite", "every night")])

    @OptionGroup var globals: GlobalOptions
    @Flag("Replace an existing file.") var force = false
    @Argument("Where the copy goes.", valueName: "FILE", completion: .file) var file: String

    init() {}

    private struct Body: Encodable {
      var file: String
      var bytes: Int
    }

    mutating func run(_ context: CommandContext) async throws {
      let globals = globals
      let (path, replaces) = (file, force)
      let progress = EvaluationProgress(context, isQuiet: globals.quiet || globals.json)
      let bytes = try await Interruption.cancelling {
        defer { progress.finish() }
        return try await globals.withLibrary(context, mustExist: true) { library in
          try await library.backUp(to: path, replaces: replaces) { progress.show(IntegrityText.line($0)) }
        }
      }
      if globals.json {
        let body = Body(file: path, bytes: bytes)
        context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
      } else if !globals.quiet {
        context.print("\(path): \(bytes) bytes")
      }
    }
  }

  /// `quarry store copy`.
  struct Copy: Command {
    static let configuration = CommandConfiguration(
      "copy", abstract: "Move the whole library into the store of the other kind.",
      discussion: """
        Documents go with their pages, chunks and vectors, so nothing is embedded again; so do tombstones and keys. \
        Conversations and jobs stay: the next 'ingest' finds what there is to do. Where the other store is, store.path \
        or store.url says. Run it again when it was stopped: it goes on. At the end every document is read from both \
        stores and compared; the exit code is 4 when any differs. Set store.kind to use the copy.
        """,
      examples: [
        .init("quarry store copy opensearch --set store.url=http://localhost:9200", "from SQLite to a cluster"),
        .init("quarry store copy sqlite", "back into a file"),
      ])

    @OptionGroup var globals: GlobalOptions
    @Argument("Where to: 'sqlite' or 'opensearch'.", valueName: "KIND") var kind: String

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      let globals = globals
      guard let kind = Settings.StoreKind(rawValue: kind) else {
        throw CoreError(
          code: "usage.store_kind", category: .invalidInput, message: "there is no kind of store '\(kind)'",
          remedy: "Name 'sqlite' or 'opensearch'.")
      }
      let progress = EvaluationProgress(context, isQuiet: globals.quiet || globals.json)
      let report = try await Interruption.cancelling {
        defer { progress.finish() }
        return try await globals.withLibrary(context, mustExist: true) { library in
          try await library.copyStore(to: kind) { progress.show("\($0.stage) \($0.done) of \($0.total) documents") }
        }
      }
      if globals.json {
        context.output(String(decoding: try WireCoding.encode(report, pretty: true), as: UTF8.self) + "\n")
      } else if !globals.quiet {
        context.print(
          "\(report.copied) documents copied (\(report.chunks) chunks), \(report.present) were there; "
            + "\(report.verified) compared and equal")
        for difference in report.different { context.print("different: \(difference)") }
      }
      if !report.different.isEmpty { throw QuietExit(code: ExitCode.belowTarget) }
    }
  }
}
