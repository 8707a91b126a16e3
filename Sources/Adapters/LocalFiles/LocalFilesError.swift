public import Core
import Glibc

/// An error of the local file system, naming the path and the remedy.
public struct LocalFilesError: CategorizedError {
  /// A stable dotted code, such as `source.missing`.
  public let code: String
  /// What happened, naming the path.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The kind of failure.
  public let category: ErrorCategory
  /// The error beneath.
  public let underlying: (any Error)?

  init(
    _ code: String, _ category: ErrorCategory, _ message: String, remedy: String? = nil,
    underlying: (any Error)? = nil
  ) {
    self.code = code
    self.category = category
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }

  /// A file that was listed and is gone.
  static func vanished(_ path: String) -> LocalFilesError {
    LocalFilesError(
      "source.vanished", .notFound, "\(quoted(path)) is no longer there",
      remedy: "Nothing: it is taken when it comes back.")
  }

  /// A file that is written to or replaced at this very moment.
  static func changed(_ path: String) -> LocalFilesError {
    LocalFilesError(
      "source.changed", .conflict, "\(quoted(path)) changed while it was read",
      remedy: "Ingest it again when it is complete.")
  }

  /// The error of a failed system call on `path`.
  static func system(_ operation: String, _ path: String, errno number: Int32) -> LocalFilesError {
    let reason = String(cString: strerror(number))
    let text = "cannot \(operation) \(quoted(path)): \(reason)"
    switch number {
    case ENOENT, ENOTDIR:
      return LocalFilesError("file.missing", .notFound, text, remedy: "Check the path.")
    case EACCES, EPERM:
      return LocalFilesError("file.unreadable", .forbidden, text, remedy: "Give Quarry's user access to it.")
    case ENOSPC, EDQUOT, EFBIG:
      return LocalFilesError("disk.full", .storageFull, text, remedy: "Free space on that disk.")
    case ENAMETOOLONG, EINVAL:
      return LocalFilesError("file.name", .invalidInput, text)
    default:
      return LocalFilesError("file.system", .unavailable, text)
    }
  }

  /// A path as it can stand in one line: control characters escaped.
  static func quoted(_ path: String) -> String {
    var text = ""
    for scalar in path.unicodeScalars {
      if scalar.value < 0x20 || scalar.value == 0x7F {
        text += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
