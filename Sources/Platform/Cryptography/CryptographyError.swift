import Glibc

/// A file that was to be hashed cannot be read.
public struct CryptographyError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The stable dotted code.
  public var code: String { "cryptography.unreadable_file" }
  /// What happened, with the file's path.
  public let message: String
  /// What to do about it.
  public var remedy: String { "Check that the file exists and may be read." }
  /// The system's error number.
  public let systemError: Int32

  /// Code, message and remedy in one line.
  public var description: String { "\(code): \(message). \(remedy)" }

  init(path: String, systemError: Int32) {
    message = "'\(path)' cannot be read: \(String(cString: strerror(systemError)))"
    self.systemError = systemError
  }
}
