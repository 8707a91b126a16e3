/// What is wrong with a command line.
public struct CommandLineError: Error, Sendable, CustomStringConvertible {
  /// `usage.…` for arguments that cannot be understood (`unknownCommand`, `unknownOption`, `missingCommand`,
  /// `missingValue`, `missingArgument`, `unexpectedArgument`, `unexpectedValue`, `invalidValue`, `invalid`), or
  /// `output.failed` and `input.failed` for streams.
  public let code: String
  /// One line, without the program's name.
  public let message: String
  /// What to do about it.
  public let remedy: String
  /// The error below, if there is one.
  public let underlying: (any Error)?

  /// Creates an error.
  public init(code: String, message: String, remedy: String, underlying: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }

  /// An error that a command's `validate()` or `run` throws when its arguments do not go together.
  public static func usage(_ message: String) -> CommandLineError {
    usage("invalid", message)
  }

  static func usage(_ kind: String, _ message: String, remedy: String = "See --help.") -> CommandLineError {
    CommandLineError(code: "usage.\(kind)", message: message, remedy: remedy)
  }

  /// Whether the arguments are at fault, so that a hint at the usage helps.
  public var isUsage: Bool { code.hasPrefix("usage.") }

  /// The message.
  public var description: String { message }
}

/// How the application reports an error that a command threw.
public struct FailureReport: Sendable {
  /// One line, without the program's name.
  public let message: String
  /// What to do about it, printed on its own line; nothing when nil.
  public let remedy: String?
  /// The process's exit code.
  public let exitCode: Int32

  /// Creates a report.
  public init(message: String, remedy: String? = nil, exitCode: Int32) {
    self.message = message
    self.remedy = remedy
    self.exitCode = exitCode
  }
}
