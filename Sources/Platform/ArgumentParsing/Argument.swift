/// A value given by its position. Positions follow the order of the properties; only the last may be an array,
/// which takes all that remain. A single `-` is an ordinary value, by custom standard input.
///
/// Each initialiser takes: `help`, what it is; `valueName`, what stands for it in help (else the property's name in
/// capitals); `completion`, what a shell offers.
@propertyWrapper
public struct Argument<Value: Sendable>: Sendable, DeclaredArgument {
  var cell: ArgumentCell<Value>
  let definition: ArgumentDefinition
  var storage: any ArgumentStorage { cell }

  /// The value given, or the default.
  public var wrappedValue: Value {
    get {
      guard let value = cell.value else {
        preconditionFailure("\(definition.valueName) is read before it is parsed")
      }
      return value
    }
    set { cell = cell.replaced(by: newValue) }
  }

  /// An argument that must be given.
  public init(
    _ help: String, valueName: String? = nil, completion: ArgumentCompletion? = nil
  ) where Value: ArgumentValue {
    self.init(.init(), nil, help, valueName, completion)
  }

  /// An argument that must be given, within a range.
  public init(
    _ help: String, in range: ClosedRange<Value>, valueName: String? = nil, completion: ArgumentCompletion? = nil
  ) where Value: ArgumentValue & Comparable {
    self.init(.init(in: range), nil, help, valueName, completion)
  }

  /// An argument with a default.
  public init(
    wrappedValue: Value, _ help: String, valueName: String? = nil, completion: ArgumentCompletion? = nil
  ) where Value: ArgumentValue {
    self.init(.init(), wrappedValue, help, valueName, completion)
  }

  /// An argument that is nil when not given.
  public init<Wrapped: ArgumentValue>(
    wrappedValue: Wrapped? = nil, _ help: String, valueName: String? = nil, completion: ArgumentCompletion? = nil
  ) where Value == Wrapped? {
    let syntax = ArgumentSyntax<Wrapped>()
    cell = syntax.optionalCell(wrappedValue)
    definition = syntax.definition(
      .argument, help: help, name: nil, short: nil, valueName: valueName, completion: completion,
      defaults: wrappedValue.map { [$0] } ?? [])
  }

  /// All remaining arguments.
  ///
  /// - Parameter required: whether at least one must be given.
  public init<Element: ArgumentValue>(
    wrappedValue: [Element] = [], _ help: String, required: Bool = false, valueName: String? = nil,
    completion: ArgumentCompletion? = nil
  ) where Value == [Element] {
    let syntax = ArgumentSyntax<Element>()
    cell = syntax.listCell(wrappedValue)
    var definition = syntax.definition(
      .argument, help: help, name: nil, short: nil, valueName: valueName, completion: completion,
      defaults: wrappedValue)
    definition.isRepeated = true
    definition.isRequired = required
    self.definition = definition
  }

  private init(
    _ syntax: ArgumentSyntax<Value>, _ initial: Value?, _ help: String, _ valueName: String?,
    _ completion: ArgumentCompletion?
  ) where Value: ArgumentValue {
    cell = syntax.cell(initial)
    var definition = syntax.definition(
      .argument, help: help, name: nil, short: nil, valueName: valueName, completion: completion,
      defaults: initial.map { [$0] } ?? [])
    definition.isRequired = initial == nil
    self.definition = definition
  }
}

/// Declarations shared by several commands; give it to the tool as `globals` and every command takes them.
@propertyWrapper
public struct OptionGroup<Group: ArgumentGroup>: Sendable, DeclaredGroup {
  /// The group with its values.
  public var wrappedValue: Group

  var groupType: any ArgumentGroup.Type { Group.self }
  var content: any ArgumentGroup { wrappedValue }

  /// A group with its defaults.
  public init() {
    wrappedValue = Group()
  }
}

/// A type whose properties declare options and arguments.
public protocol ArgumentGroup: Sendable {
  /// An instance with the defaults.
  init()
  /// The heading of the options in help; nil puts them with the command's own.
  static var title: String? { get }
}

extension ArgumentGroup {
  /// No heading.
  public static var title: String? { nil }
}
