/// A type that an option or argument can have.
///
/// An enumeration with text as raw values and `CaseIterable` needs no code of its own.
public protocol ArgumentValue: Sendable {
  /// The value that a text stands for, or nil when it is none.
  static func parse(argument: String) -> Self?
  /// What a value is called in messages, with its article: `an integer`.
  static var typeDescription: String { get }
  /// What stands for a value in help: `N`.
  static var valueName: String { get }
  /// All texts that are values, when they are few; otherwise empty.
  static var choices: [String] { get }
  /// The text that stands for this value.
  var argumentText: String { get }
}

extension ArgumentValue {
  /// No list of choices.
  public static var choices: [String] { [] }
}

extension String: ArgumentValue {
  /// The text itself.
  public static func parse(argument: String) -> String? { argument }
  /// `text`.
  public static var typeDescription: String { "text" }
  /// `TEXT`.
  public static var valueName: String { "TEXT" }
  /// The text itself.
  public var argumentText: String { self }
}

extension Int: ArgumentValue {
  /// A decimal integer.
  public static func parse(argument: String) -> Int? { Int(argument) }
  /// `an integer`.
  public static var typeDescription: String { "an integer" }
  /// `N`.
  public static var valueName: String { "N" }
  /// In decimal.
  public var argumentText: String { String(self) }
}

extension Double: ArgumentValue {
  /// A finite decimal number.
  public static func parse(argument: String) -> Double? {
    guard argument.utf8.allSatisfy({ "+-.eE0123456789".utf8.contains($0) }), let value = Double(argument),
      value.isFinite
    else { return nil }
    return value
  }
  /// `a number`.
  public static var typeDescription: String { "a number" }
  /// `X`.
  public static var valueName: String { "X" }
  /// In decimal.
  public var argumentText: String { "\(self)" }
}

extension Bool: ArgumentValue {
  /// `true` or `false`.
  public static func parse(argument: String) -> Bool? { Bool(argument) }
  /// `true or false`.
  public static var typeDescription: String { "true or false" }
  /// `BOOL`.
  public static var valueName: String { "BOOL" }
  /// Both.
  public static var choices: [String] { ["true", "false"] }
  /// `true` or `false`.
  public var argumentText: String { String(self) }
}

extension ArgumentValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  /// The case with this raw value.
  public static func parse(argument: String) -> Self? { Self(rawValue: argument) }
  /// `one of …`.
  public static var typeDescription: String { "one of \(choices.joined(separator: ", "))" }
  /// `KIND`.
  public static var valueName: String { "KIND" }
  /// All raw values.
  public static var choices: [String] { allCases.map(\.rawValue) }
  /// The raw value.
  public var argumentText: String { rawValue }
}

/// What a shell offers for a value.
public enum ArgumentCompletion: Sendable, Hashable {
  /// Nothing.
  case nothing
  /// Files and directories.
  case file
  /// Directories.
  case directory
  /// These texts.
  case choices([String])
}
