import ArgumentParsing
import Core

/// The option that names a collection.
enum CollectionOption {
  static func validate(_ name: String?) throws {
    guard let name, !CollectionName.isValid(name) else { return }
    throw CommandLineError.usage(
      "'\(name)' cannot name a collection: use 1 to 64 lower-case letters, digits, '-', '_' or '.'")
  }
}
