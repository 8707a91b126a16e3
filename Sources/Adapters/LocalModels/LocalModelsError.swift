public import Core

/// Why a model on this machine cannot be used.
public struct LocalModelsError: CategorizedError {
  /// `model.missing`, `model.changed`, `model.unreadable`, `model.unsupported`, `model.out_of_memory` or
  /// `model.internal`.
  public let code: String
  /// What happened, naming the file.
  public let message: String
  /// The command that puts it right.
  public let remedy: String?
  /// The kind of failure.
  public let category: ErrorCategory
  /// The error beneath.
  public let underlying: (any Error)?

  init(
    code: String, category: ErrorCategory, message: String, remedy: String? = nil, underlying: (any Error)? = nil
  ) {
    self.code = code
    self.category = category
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }

  private static let fetch = "Run `make setup`, or `scripts/fetch-model` for the model alone"

  static func missing(_ file: String, in directory: String) -> LocalModelsError {
    LocalModelsError(
      code: "model.missing", category: .unavailable, message: "The embedding model has no \(file) in \(directory)",
      remedy: "\(fetch).")
  }

  static func changed(_ file: String, _ how: String) -> LocalModelsError {
    LocalModelsError(
      code: "model.changed", category: .corrupt, message: "The embedding model's \(file) \(how)",
      remedy: "\(fetch): it checks the files in full and replaces wrong ones.")
  }

  static func unreadable(_ message: String, underlying: (any Error)? = nil) -> LocalModelsError {
    LocalModelsError(
      code: "model.unreadable", category: .corrupt, message: "The embedding model cannot be read: \(message)",
      remedy: "\(fetch).", underlying: underlying)
  }

  static func unsupported(_ message: String) -> LocalModelsError {
    LocalModelsError(
      code: "model.unsupported", category: .invalidConfiguration, message: message,
      remedy: "Use the model that `scripts/fetch-model` installs.")
  }
}
