/// One declared option, flag or argument, as help, completions and the parser see it.
struct ArgumentDefinition: Sendable {
  enum Role: Sendable, Equatable {
    case option, argument
    case flag(isNegatable: Bool)
  }

  var role: Role
  /// The long name without dashes (`top-k`); for arguments the property's name.
  var name: String
  var short: Character?
  var valueName: String
  var help: String
  /// What follows the help in parentheses: range, choices, default.
  var notes: [String] = []
  var isRequired = false
  var isRepeated = false
  var completion = ArgumentCompletion.nothing
  /// The heading of help that it stands under; nil for the command's own.
  var section: String?
  var isGlobal = false

  var isOption: Bool { role != .argument }
  var takesValue: Bool { role == .option }

  /// As messages call it: `--top-k` or `QUESTION`.
  var displayName: String { isOption ? "--\(name)" : valueName }

  /// Every spelling of an option.
  var spellings: [String] {
    guard isOption else { return [] }
    var all = ["--\(name)"]
    if role == .flag(isNegatable: true) { all.append("--no-\(name)") }
    if let short { all.append("-\(short)") }
    return all
  }

  /// As the usage line shows it.
  var usage: String {
    let dots = isRepeated ? "…" : ""
    switch role {
    case .argument: return isRequired ? valueName + dots : "[\(valueName)\(dots)]"
    case .option: return isRequired ? "--\(name) \(valueName)" : "[--\(name) \(valueName)]"
    case .flag: return "[--\(name)]"
    }
  }

  /// The name on the left of its line of help.
  var heading: String {
    switch role {
    case .argument: return valueName + (isRepeated ? "…" : "")
    case .option: return (short.map { "-\($0), " } ?? "    ") + "--\(name) \(valueName)"
    case .flag(let isNegatable):
      return (short.map { "-\($0), " } ?? "    ") + (isNegatable ? "--[no-]\(name)" : "--\(name)")
    }
  }
}

/// Why a text is refused as a value.
struct InvalidArgument: Error {
  let message: String
}

/// A place that the parser writes values into; `Option`, `Flag` and `Argument` have one each.
protocol ArgumentStorage: AnyObject, Sendable {
  /// Takes one value; flags take `true` and `false`.
  func accept(_ text: String) throws(InvalidArgument)
  /// Whether a value was given on the command line.
  var isGiven: Bool { get }
}

/// A property of a command that declares an argument.
protocol DeclaredArgument {
  var definition: ArgumentDefinition { get }
  var storage: any ArgumentStorage { get }
}

/// A property of a command that holds further declarations.
protocol DeclaredGroup {
  var groupType: any ArgumentGroup.Type { get }
  var content: any ArgumentGroup { get }
}

/// A declaration with the place of its value in one instance of a command.
struct BoundArgument {
  var definition: ArgumentDefinition
  let storage: any ArgumentStorage
}

/// The declarations of a command or group, in the order of its properties.
///
/// - Parameter globals: the group whose options belong to every command; they are marked as such.
func boundArguments(of instance: any ArgumentGroup, globals: (any ArgumentGroup.Type)?) -> [BoundArgument] {
  let isGlobal = globals.map { $0 == type(of: instance) } ?? false
  var bound: [BoundArgument] = []
  for child in Mirror(reflecting: instance).children {
    if let group = child.value as? any DeclaredGroup {
      bound += boundArguments(of: group.content, globals: globals)
    } else if let declared = child.value as? any DeclaredArgument {
      var definition = declared.definition
      if definition.name.isEmpty {
        // A wrapped property is stored under its name with an underscore before it.
        definition.name = dashed(child.label.map { String($0.drop { $0 == "_" }) } ?? "")
      }
      if definition.role == .argument, definition.valueName.isEmpty {
        definition.valueName = definition.name.uppercased()
      }
      definition.section = isGlobal ? "Global options" : type(of: instance).title
      definition.isGlobal = isGlobal
      bound.append(BoundArgument(definition: definition, storage: declared.storage))
    }
  }
  return bound
}

/// `topK` → `top-k`.
func dashed(_ name: String) -> String {
  var result = ""
  for character in name {
    if character.isUppercase {
      if !result.isEmpty { result += "-" }
      result += character.lowercased()
    } else {
      result.append(character)
    }
  }
  return result
}
