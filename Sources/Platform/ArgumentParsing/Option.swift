/// An option with a value: `--top-k 5`, `--top-k=5`, `-k 5`, `-k5`. The last one given counts; a property that is
/// an array keeps all.
///
/// Each initialiser takes: `help`, what the option does; `name`, the long name without dashes (else the property's,
/// `topK` → `top-k`); `short`, a one-character name; `valueName`, what stands for the value in help; `completion`,
/// what a shell offers.
@propertyWrapper
public struct Option<Value: Sendable>: Sendable, DeclaredArgument {
  var cell: ArgumentCell<Value>
  let definition: ArgumentDefinition
  var storage: any ArgumentStorage { cell }

  /// The value given, or the default.
  public var wrappedValue: Value {
    get {
      guard let value = cell.value else { preconditionFailure("--\(definition.name) is read before it is parsed") }
      return value
    }
    set { cell = cell.replaced(by: newValue) }
  }

  /// An option with a default.
  public init(
    wrappedValue: Value, _ help: String, name: String? = nil, short: Character? = nil, valueName: String? = nil,
    completion: ArgumentCompletion? = nil
  ) where Value: ArgumentValue {
    self.init(.init(), wrappedValue, help, name, short, valueName, completion)
  }

  /// An option with a default, within a range.
  public init(
    wrappedValue: Value, _ help: String, in range: ClosedRange<Value>, name: String? = nil, short: Character? = nil,
    valueName: String? = nil, completion: ArgumentCompletion? = nil
  ) where Value: ArgumentValue & Comparable {
    self.init(.init(in: range), wrappedValue, help, name, short, valueName, completion)
  }

  /// An option that must be given.
  public init(
    _ help: String, name: String? = nil, short: Character? = nil, valueName: String? = nil,
    completion: ArgumentCompletion? = nil
  ) where Value: ArgumentValue {
    self.init(.init(), nil, help, name, short, valueName, completion)
  }

  /// An option that must be given, within a range.
  public init(
    _ help: String, in range: ClosedRange<Value>, name: String? = nil, short: Character? = nil,
    valueName: String? = nil, completion: ArgumentCompletion? = nil
  ) where Value: ArgumentValue & Comparable {
    self.init(.init(in: range), nil, help, name, short, valueName, completion)
  }

  /// An option that is nil when not given.
  public init<Wrapped: ArgumentValue>(
    wrappedValue: Wrapped? = nil, _ help: String, name: String? = nil, short: Character? = nil,
    valueName: String? = nil, completion: ArgumentCompletion? = nil
  ) where Value == Wrapped? {
    self.init(.init(), optional: wrappedValue, help, name, short, valueName, completion)
  }

  /// An option that is nil when not given, within a range.
  public init<Wrapped: ArgumentValue & Comparable>(
    wrappedValue: Wrapped? = nil, _ help: String, in range: ClosedRange<Wrapped>, name: String? = nil,
    short: Character? = nil, valueName: String? = nil, completion: ArgumentCompletion? = nil
  ) where Value == Wrapped? {
    self.init(.init(in: range), optional: wrappedValue, help, name, short, valueName, completion)
  }

  /// An option that may be given again and again; what is given replaces the default.
  public init<Element: ArgumentValue>(
    wrappedValue: [Element] = [], _ help: String, name: String? = nil, short: Character? = nil,
    valueName: String? = nil, completion: ArgumentCompletion? = nil
  ) where Value == [Element] {
    let syntax = ArgumentSyntax<Element>()
    cell = syntax.listCell(wrappedValue)
    var definition = syntax.definition(
      .option, help: help, name: name, short: short, valueName: valueName, completion: completion,
      defaults: wrappedValue)
    definition.isRepeated = true
    definition.notes.append("repeatable")
    self.definition = definition
  }

  private init(
    _ syntax: ArgumentSyntax<Value>, _ initial: Value?, _ help: String, _ name: String?, _ short: Character?,
    _ valueName: String?, _ completion: ArgumentCompletion?
  ) where Value: ArgumentValue {
    cell = syntax.cell(initial)
    var definition = syntax.definition(
      .option, help: help, name: name, short: short, valueName: valueName, completion: completion,
      defaults: initial.map { [$0] } ?? [])
    definition.isRequired = initial == nil
    self.definition = definition
  }

  private init<Wrapped: ArgumentValue>(
    _ syntax: ArgumentSyntax<Wrapped>, optional initial: Wrapped?, _ help: String, _ name: String?,
    _ short: Character?, _ valueName: String?, _ completion: ArgumentCompletion?
  ) where Value == Wrapped? {
    cell = syntax.optionalCell(initial)
    definition = syntax.definition(
      .option, help: help, name: name, short: short, valueName: valueName, completion: completion,
      defaults: initial.map { [$0] } ?? [])
  }
}

/// A switch: `--json`, `-j`; with `negatable` also `--no-progress`. The last one given counts.
@propertyWrapper
public struct Flag<Value: Sendable>: Sendable, DeclaredArgument {
  var cell: ArgumentCell<Value>
  let definition: ArgumentDefinition
  var storage: any ArgumentStorage { cell }

  /// Whether the switch is on.
  public var wrappedValue: Value {
    get {
      guard let value = cell.value else { preconditionFailure("--\(definition.name) is read before it is parsed") }
      return value
    }
    set { cell = cell.replaced(by: newValue) }
  }

  /// A switch with a default, normally off; parameters as for `Option`.
  public init(
    wrappedValue: Bool, _ help: String, name: String? = nil, short: Character? = nil, negatable: Bool = false
  ) where Value == Bool {
    cell = ArgumentSyntax<Bool>().cell(wrappedValue)
    var definition = ArgumentDefinition(
      role: .flag(isNegatable: negatable), name: name ?? "", short: short, valueName: "", help: help)
    if negatable { definition.notes = ["default: \(wrappedValue ? "on" : "off")"] }
    self.definition = definition
  }

  /// A switch that is nil when neither `--x` nor `--no-x` is given.
  public init(
    wrappedValue: Bool? = nil, _ help: String, name: String? = nil, short: Character? = nil
  ) where Value == Bool? {
    cell = ArgumentSyntax<Bool>().optionalCell(wrappedValue)
    definition = ArgumentDefinition(
      role: .flag(isNegatable: true), name: name ?? "", short: short, valueName: "", help: help)
  }
}
