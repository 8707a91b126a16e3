public import Configuration
import Core
import Glibc

/// Configuration as read: the validated settings, with the keys and origins behind them.
public struct LoadedConfiguration: Sendable {
  /// The settings.
  public let settings: Settings
  /// The value of every key, with where it was set; secrets are masked.
  public let effectiveValues: [EffectiveValue]
  /// Every key that exists, in the order of the documentation.
  public let knownKeys: [KnownKey]
  /// The configuration file read; nil when there is none.
  public let file: String?

  /// Reads configuration: flags over environment over file over the embedded defaults.
  ///
  /// The file is `path`, else `QUARRY_CONFIG`, else `./quarry.yaml`, else
  /// `${XDG_CONFIG_HOME:-~/.config}/quarry/config.yaml`: the first that exists. One that was named must exist.
  /// - Throws: `ConfigurationError` with every problem at once.
  public static func load(
    path: String?, environment: [String: String], flags: [String: String] = [:]
  ) throws -> LoadedConfiguration {
    let file = try file(named: path ?? environment["QUARRY_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }, environment)
    let reader = try ConfigurationReader(
      defaults: String(decoding: PackageResources.default_yaml, as: UTF8.self), file: file,
      environment: environment, environmentPrefix: "QUARRY_", otherVariables: otherVariables, flags: flags)
    let settings = Settings(reader, environment: environment)
    try reader.finish()
    return LoadedConfiguration(
      settings: settings, effectiveValues: reader.effectiveValues, knownKeys: reader.knownKeys, file: file?.name)
  }

  /// Variables that begin with `QUARRY_` and set no key.
  private static let otherVariables: Set<String> = [
    "QUARRY_CONFIG", "QUARRY_SHARED", "QUARRY_PYTHON", "QUARRY_KEY", "QUARRY_KERNELS", "QUARRY_LONG_TESTS",
  ]

  private static func file(named path: String?, _ environment: [String: String]) throws -> ConfigurationFile? {
    if let path { return try ConfigurationFile(path: path) }
    let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/"
    let config =
      environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/.config"
    for candidate in ["quarry.yaml", "\(config)/quarry/config.yaml"] where access(candidate, F_OK) == 0 {
      return try ConfigurationFile(path: candidate)
    }
    return nil
  }
}
