/// Text that must not be seen: it prints as `***` in descriptions, debug output, dumps and mirrors, and is
/// deliberately neither `Codable` nor `Hashable`.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  // A function shows nothing of what it holds, even to a reflection that ignores `customMirror`.
  private let reveal: @Sendable () -> String

  /// Hides a text.
  public init(_ text: String) {
    reveal = { text }
  }

  /// The text itself; hand it on, and never store or print it.
  public var revealed: String { reveal() }

  /// Always `***`.
  public var description: String { "***" }

  /// Always `***`.
  public var debugDescription: String { "***" }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

/// The name of a secret kept elsewhere, written `scheme:name`, such as `env:TOKEN` or `file:/run/secrets/token`.
public struct SecretReference: Sendable, Hashable, CustomStringConvertible {
  /// Where it is kept: `env`, `file`, or a scheme of the application.
  public let scheme: String
  /// Its name there.
  public let name: String

  /// Creates a reference.
  public init(scheme: String, name: String) {
    self.scheme = scheme
    self.name = name
  }

  /// As it is written, which reveals nothing.
  public var description: String { "\(scheme):\(name)" }

  /// Resolves `env:` and `file:` references; a line break at the end of a file does not count.
  ///
  /// - Throws: `configuration.secret` when the variable or file is missing, empty, too large (64 KiB) or no UTF-8,
  ///   or when the scheme is another: the application resolves those.
  public func resolveLocally(environment: [String: String]) throws(ConfigurationError) -> Secret {
    switch scheme {
    case "env":
      guard let value = environment[name], !value.isEmpty else { throw missing("the variable is not set") }
      return Secret(value)
    case "file":
      let bytes: [UInt8]
      do { bytes = try readBytes(ofFile: name, atMost: 64 << 10) } catch {
        throw missing(error.reason)
      }
      guard var text = String(validating: bytes, as: UTF8.self) else { throw missing("the file is no UTF-8 text") }
      while text.last?.isNewline == true { text.removeLast() }
      if text.isEmpty { throw missing("the file is empty") }
      return Secret(text)
    default: throw missing("nothing here resolves '\(scheme):'")
    }
  }

  private func missing(_ reason: String) -> ConfigurationError {
    ConfigurationError(
      code: "configuration.secret", message: "secret \(self): \(reason)",
      remedy: "Provide the secret where the reference points, or change the reference.")
  }
}

/// A secret as configured: the text itself, or where to find it.
public enum SecretSetting: Sendable, CustomStringConvertible {
  /// The secret was written in the configuration.
  case literal(Secret)
  /// The secret is kept elsewhere.
  case reference(SecretReference)

  /// `***`, or the reference.
  public var description: String {
    switch self {
    case .literal(let secret): secret.description
    case .reference(let reference): reference.description
    }
  }

  /// The secret, fetched by `resolver` when it is kept elsewhere.
  public func resolve(_ resolver: (SecretReference) async throws -> Secret) async throws -> Secret {
    switch self {
    case .literal(let secret): secret
    case .reference(let reference): try await resolver(reference)
    }
  }
}
