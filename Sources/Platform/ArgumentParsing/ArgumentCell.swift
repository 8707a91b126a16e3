/// The storage of one declared property.
///
/// Unchecked because the parser alone writes to it, before the command is handed to anyone; afterwards it is only
/// read (assigning to the property makes a new cell).
final class ArgumentCell<Value: Sendable>: ArgumentStorage, @unchecked Sendable {
  private(set) var value: Value?
  private(set) var isGiven = false
  private let add: @Sendable (inout Value?, String, _ isFirst: Bool) throws(InvalidArgument) -> Void

  init(
    _ value: Value?, add: @escaping @Sendable (inout Value?, String, Bool) throws(InvalidArgument) -> Void
  ) {
    self.value = value
    self.add = add
  }

  func accept(_ text: String) throws(InvalidArgument) {
    try add(&value, text, !isGiven)
    isGiven = true
  }

  func replaced(by value: Value) -> ArgumentCell {
    ArgumentCell(value, add: add)
  }
}

/// How a text becomes a value of one type, and what help says about it.
struct ArgumentSyntax<Value: ArgumentValue>: Sendable {
  let description: String
  let notes: [String]
  let contains: @Sendable (Value) -> Bool

  init() {
    description = Value.typeDescription
    notes = Value.choices.isEmpty ? [] : [Value.choices.joined(separator: ", ")]
    contains = { _ in true }
  }

  init(in range: ClosedRange<Value>) where Value: Comparable {
    let bounds = "\(range.lowerBound.argumentText) to \(range.upperBound.argumentText)"
    description = "\(Value.typeDescription) from \(bounds)"
    notes = [bounds]
    contains = { range.contains($0) }
  }

  func parse(_ text: String) throws(InvalidArgument) -> Value {
    if let value = Value.parse(argument: text), contains(value) { return value }
    let hint = Value.choices.isEmpty ? "" : suggestion(for: text, in: Value.choices)
    throw InvalidArgument(message: "must be \(description), not '\(text)'\(hint)")
  }

  /// A cell that keeps the last value given.
  func cell(_ initial: Value?) -> ArgumentCell<Value> {
    ArgumentCell(initial) { (value: inout Value?, text: String, _: Bool) throws(InvalidArgument) in
      value = try parse(text)
    }
  }

  /// A cell of an optional that keeps the last value given.
  func optionalCell(_ initial: Value?) -> ArgumentCell<Value?> {
    ArgumentCell(initial) { (value: inout Value??, text: String, _: Bool) throws(InvalidArgument) in
      value = .some(try parse(text))
    }
  }

  /// A cell that keeps every value given; the first replaces the default.
  func listCell(_ initial: [Value]) -> ArgumentCell<[Value]> {
    ArgumentCell(initial) { (value: inout [Value]?, text: String, isFirst: Bool) throws(InvalidArgument) in
      let next = try parse(text)
      value = isFirst ? [next] : (value ?? []) + [next]
    }
  }

  func definition(
    _ role: ArgumentDefinition.Role, help: String, name: String?, short: Character?, valueName: String?,
    completion: ArgumentCompletion?, defaults: [Value] = []
  ) -> ArgumentDefinition {
    var definition = ArgumentDefinition(
      role: role, name: name ?? "", short: short,
      valueName: valueName ?? (role == .argument ? "" : Value.valueName), help: help)
    definition.notes = notes
    if !defaults.isEmpty {
      definition.notes.append("default: \(defaults.map(\.argumentText).joined(separator: ", "))")
    }
    definition.completion = completion ?? (Value.choices.isEmpty ? .nothing : .choices(Value.choices))
    return definition
  }
}
