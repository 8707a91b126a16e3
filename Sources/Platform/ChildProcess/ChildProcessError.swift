import Glibc

/// What can go wrong with a child process that is not the child's own doing.
///
/// How the child ended is no error: see `ChildProcess.End`.
public struct ChildProcessError: Error, Sendable, CustomStringConvertible {
  /// The kinds of failure; the raw values are stable.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// There is no file at the executable's path.
    case executableMissing = "child.executable_missing"
    /// The file exists and cannot be executed: permissions, format, or a missing interpreter.
    case notExecutable = "child.not_executable"
    /// An argument, an environment entry or a path contains a NUL byte or, for a name, `=`.
    case invalidArgument = "child.invalid_argument"
    /// The system refused: too many processes or descriptors, no memory.
    case spawnFailed = "child.spawn_failed"
    /// The child no longer reads its standard input, or it was closed.
    case inputClosed = "child.input_closed"
    /// A pipe failed otherwise.
    case pipeFailed = "child.pipe_failed"
    /// The child wrote more than it may.
    case outputTooLarge = "child.output_too_large"
  }

  /// What failed.
  public let code: Code
  /// A sentence that names the executable.
  public let message: String
  /// What to do about it.
  public let remedy: String
  /// The system's error number, or 0.
  public let systemError: Int32

  /// Message and remedy in one line.
  public var description: String { "\(code.rawValue): \(message). \(remedy)" }

  init(_ code: Code, _ message: String, remedy: String, systemError: Int32 = 0) {
    self.code = code
    self.message = systemError == 0 ? message : "\(message): \(String(cString: strerror(systemError)))"
    self.remedy = remedy
    self.systemError = systemError
  }

  /// The error of a spawn that the system refused with `number`.
  static func spawn(_ executable: String, directory: String?, number: Int32) -> ChildProcessError {
    if let directory, access(directory, X_OK) != 0 {
      return ChildProcessError(
        .spawnFailed, "'\(executable)' cannot start in '\(directory)'", remedy: "Name an existing directory.",
        systemError: number)
    }
    if number == ENOENT, access(executable, F_OK) != 0 {
      return ChildProcessError(
        .executableMissing, "there is no executable at '\(executable)'",
        remedy: "Install it or correct its path.", systemError: number)
    }
    if [ENOENT, EACCES, ENOEXEC, EISDIR, ENOTDIR, ELOOP].contains(number) {
      return ChildProcessError(
        .notExecutable, "'\(executable)' cannot be executed",
        remedy: "Check its permissions, its format and the interpreter that it names.", systemError: number)
    }
    return ChildProcessError(
      .spawnFailed, "'\(executable)' cannot be started",
      remedy: "Check the limits on processes, open files and memory.", systemError: number)
  }
}
