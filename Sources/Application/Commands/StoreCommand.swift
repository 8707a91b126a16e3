import ArgumentParsing
import Core
import HTTPAPI
import Service

/// `quarry store`: the store as a file.
struct StoreCommand: CommandGroup {
  static let configuration = CommandConfiguration(
    "store", abstract: "Copy the store.", subcommands: [Backup.self])

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
}
