import ArgumentParsing
import Configuration
import FoundationEssentials
import HTTPAPI
import Service

/// `quarry config`: what is configured and where, and what can be.
struct ConfigCommand: CommandGroup {
  static let configuration = CommandConfiguration(
    "config", abstract: "Show or check the configuration.", subcommands: [Show.self, Check.self, Keys.self])

  init() {}

  private struct ValueBody: Encodable {
    var key: String
    var value: String
    var origin: String
  }

  private struct CheckBody: Encodable {
    var file: String?
    var valid: Bool
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
        let body = CheckBody(file: loaded.file, valid: true)
        context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
      } else {
        context.print("The configuration is valid (\(loaded.file ?? "defaults and environment only")).")
      }
    }
  }

  private struct KeyBody: Encodable {
    var key: String
    var type: String
    var `default`: String?
    var variable: String?
    var secret: Bool
    var documentation: String
  }

  /// `quarry config keys`: the reference from which the table of docs/configuration.md is made.
  struct Keys: Command {
    static let configuration = CommandConfiguration(
      "keys", abstract: "List every key there is, with its type, default, environment variable and meaning.")

    @OptionGroup var globals: GlobalOptions

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      let keys = try globals.load(context).knownKeys
      if globals.json {
        let bodies = keys.map {
          KeyBody(
            key: $0.key, type: $0.type, default: $0.defaultValue, variable: $0.environmentVariable,
            secret: $0.isSecret, documentation: $0.documentation)
        }
        context.output(String(decoding: try WireCoding.encode(bodies, pretty: true), as: UTF8.self) + "\n")
        return
      }
      for key in keys {
        context.print("\(key.key): \(key.type)\(key.defaultValue.map { ", default \($0)" } ?? "")")
        if let variable = key.environmentVariable { context.print(context.dim("    \(variable)")) }
        context.print("    \(key.documentation)")
      }
    }
  }
}
