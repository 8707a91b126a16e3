/// Where a value or a problem comes from.
public enum ConfigurationOrigin: Sendable, Hashable, CustomStringConvertible {
  /// The embedded default text or the default in code.
  case builtIn
  /// A place in a file; line and column count from 1, columns in Unicode scalars.
  case file(name: String, line: Int, column: Int)
  /// An environment variable, by name.
  case environment(String)
  /// A flag of the command line, by the key path it sets.
  case flag(String)

  /// As `config show` prints it: `default`, `quarry.yaml:4`, the variable's name, or `flag`.
  public var description: String {
    switch self {
    case .builtIn: "default"
    case .file(let name, let line, _): "\(name):\(line)"
    case .environment(let name): name
    case .flag: "flag"
    }
  }

  /// The beginning of a message about this place.
  package var place: String {
    switch self {
    case .builtIn: "configuration"
    case .file(let name, let line, let column): "\(name): line \(line), column \(column)"
    case .environment(let name): name
    case .flag: "command line"
    }
  }

  /// Orders problems as a person reads them: by layer, then by place.
  package var sortKey: (Int, Int, Int, String) {
    switch self {
    case .builtIn: (0, 0, 0, "")
    case .file(let name, let line, let column): (1, line, column, name)
    case .environment(let name): (2, 0, 0, name)
    case .flag(let key): (3, 0, 0, key)
    }
  }
}

/// One thing that is wrong with the configuration.
public struct ConfigurationProblem: Sendable, Hashable, CustomStringConvertible {
  /// Where it is.
  public let origin: ConfigurationOrigin
  /// The key path concerned, if there is one.
  public let key: String?
  /// What is wrong, without place or key.
  public let message: String

  /// Creates a problem.
  public init(origin: ConfigurationOrigin, key: String?, message: String) {
    self.origin = origin
    self.key = key
    self.message = message
  }

  /// The whole line: `quarry.yaml: line 4, column 1: serch: unknown key; did you mean 'search'?`.
  public var description: String {
    [origin.place, key, message].compactMap { $0 }.joined(separator: ": ")
  }
}

/// Why a configuration cannot be used.
public struct ConfigurationError: Error, Sendable, CustomStringConvertible {
  /// `configuration.syntax`, `configuration.unreadable`, `configuration.invalid` or `configuration.secret`.
  public let code: String
  /// One line, or one line for each problem.
  public let message: String
  /// What to do about it.
  public let remedy: String
  /// The error below, if there is one.
  public let underlying: (any Error)?
  /// Everything found wrong, in reading order; empty when the file or secret could not be read at all.
  public let problems: [ConfigurationProblem]

  /// Creates an error.
  public init(
    code: String, message: String, remedy: String, underlying: (any Error)? = nil,
    problems: [ConfigurationProblem] = []
  ) {
    self.code = code
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
    self.problems = problems
  }

  /// The message.
  public var description: String { message }

  static func syntax(_ message: String, in name: String, at mark: YAMLNode.Mark) -> ConfigurationError {
    let origin = ConfigurationOrigin.file(name: name, line: mark.line, column: mark.column)
    let problem = ConfigurationProblem(origin: origin, key: nil, message: message)
    return ConfigurationError(
      code: "configuration.syntax", message: problem.description, remedy: "Correct \(name) at the place named.",
      problems: [problem])
  }
}
