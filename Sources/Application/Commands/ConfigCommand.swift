import ArgumentParsing
import Configuration
import FoundationEssentials
import HTTPAPI
import Service

/// `quarry config`: what is configured, and where.
struct ConfigCommand: CommandGroup {
  static let configuration = CommandConfiguration(
    "config", abstract: "Show or check the configuration.", subcommands: [Show.self, Check.self])

  init() {}

  private struct ValueBody: Encodable {
    var key: String
    var value: String
    var origin: String
  }

  /// `quarry config show`.
  struct Show: Command {
    static let configuration = CommandConfiguration(
      "show", abstract: "Print every key with its value and where it was set; secrets are masked.")

    @OptionGroup var globals: GlobalOptions

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      let loaded = try globals.load(context)
      if globals.json {
        let values = loaded.effectiveValues.map {
          ValueBody(key: $0.key, value: $0.value, origin: "\($0.origin)")
        }
        context.output(String(decoding: try WireCoding.encode(values, pretty: true), as: UTF8.self) + "\n")
        return
      }
      let width = loaded.effectiveValues.map(\.key.count).max() ?? 0
      for value in loaded.effectiveValues {
        context.print(
          "\(AnswerText.pad(value.key, width))  \(AnswerText.singleLine(value.value))  "
            + context.dim("(\(value.origin))"))
      }
    }
  }

  /// `quarry config check`.
  struct Check: Command {
    static let configuration = CommandConfiguration(
      "check", abstract: "Report every mistake of the configuration, with line and column.")

    @OptionGroup var globals: GlobalOptions

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      let loaded = try globals.load(context)
      guard !globals.quiet else { return }
      if globals.json {
        context.print("{\"file\":\(loaded.file.map { "\"\($0)\"" } ?? "null"),\"valid\":true}")
      } else {
        context.print("The configuration is valid (\(loaded.file ?? "defaults and environment only")).")
      }
    }
  }
}
