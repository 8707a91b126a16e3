public import ArgumentParsing
import Configuration
import Core
import Glibc
import Service
public import Telemetry

/// The options that every command takes.
struct GlobalOptions: ArgumentGroup {
  static let title: String? = "Options of every command"

  @Option("The configuration file.", valueName: "FILE", completion: .file) var config: String?
  @Option("Set a configuration key, such as retrieval.topK=8.", name: "set", valueName: "KEY=VALUE")
  var settings: [String]
  @Option("The lowest level of log lines on standard error.", valueName: "LEVEL") var logLevel: LogLevel?
  @Flag("Print nothing but results and errors.", short: "q") var quiet = false
  @Flag("Print one JSON object, as the HTTP API does.") var json = false

  init() {}

  /// Reads the configuration with this command line's flags on top.
  /// - Throws: `ConfigurationError`, or a usage error for a malformed `--set`.
  func load(_ context: CommandContext, overrides: [String: String] = [:]) throws -> LoadedConfiguration {
    var flags = overrides
    for setting in settings {
      guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
        throw CommandLineError.usage("--set needs KEY=VALUE, such as retrieval.topK=8, not '\(setting)'")
      }
      flags[String(setting[..<equals])] = String(setting[setting.index(after: equals)...])
    }
    if let logLevel { flags["log.level"] = logLevel.rawValue }
    return try LoadedConfiguration.load(path: config, environment: context.environment, flags: flags)
  }

  /// Opens the library that the configuration names, runs `body`, and flushes telemetry whatever happens. With
  /// `onlyReading`, no store is made or brought up to date.
  func withLibrary<Result>(
    _ context: CommandContext, traffic: TrafficKind = .live, overrides: [String: String] = [:],
    defaultFormat: LogFormat = .text, mustExist: Bool = false, onlyReading: Bool = false,
    _ body: (Library) async throws -> Result
  ) async throws -> Result {
    let loaded = try load(context, overrides: overrides)
    let log = log(loaded, context, defaultFormat: defaultFormat)
    if onlyReading {
      return try await Library.withReading(loaded.settings, environment: context.environment, log: log, body)
    }
    // Services log JSON and print nothing else: their output is free for metrics.
    let print = context.output
    let printLine: @Sendable (String) -> Void = { print($0 + "\n") }
    return try await Library.withOpen(
      loaded.settings, environment: context.environment, log: log, mustExist: mustExist,
      metricLines: defaultFormat == .json ? printLine : nil, body)
  }

  /// The log that goes to standard error.
  func log(
    _ loaded: LoadedConfiguration, _ context: CommandContext, defaultFormat: LogFormat = .text
  ) -> StructuredLog {
    // The log of a command shows what goes wrong, that of `serve` all, unless somebody said otherwise.
    let isDefault = loaded.effectiveValues.contains { $0.key == "log.level" && $0.origin == .builtIn }
    let isReduced = isDefault && (quiet || defaultFormat == .text)
    return StructuredLog(
      level: isReduced ? max(loaded.settings.log.level, .warning) : loaded.settings.log.level,
      format: loaded.settings.log.format ?? defaultFormat, write: { context.printError($0) })
  }
}

extension LogLevel: ArgumentValue {}

extension CommandContext {
  /// Whether output may be coloured: a terminal, and NO_COLOR not set. Source: https://no-color.org
  var usesColor: Bool { outputIsTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb" }

  /// Bold text on a terminal.
  func bold(_ text: String) -> String { usesColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  /// Dim text on a terminal.
  func dim(_ text: String) -> String { usesColor ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
}
