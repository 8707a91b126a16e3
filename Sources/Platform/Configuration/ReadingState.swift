import Spelling

/// Which part of the configuration a reader's key paths begin at.
struct ReadingScope {
  /// The item's key path, `sources[0]`; empty at the root.
  let path: String
  /// The item's key path as documentation has it, `sources[]`.
  let template: String
  /// The item's map; nil at the root.
  let node: YAMLNode?
  /// Where the item is written.
  let origin: ConfigurationOrigin
  /// Whether this is the empty item that only makes keys known.
  let isPhantom: Bool
  /// What a nested reader puts before each key, with the dot.
  var prefix = ""

  static let root = ReadingScope(path: "", template: "", node: nil, origin: .builtIn, isPhantom: false)

  var isRoot: Bool { template.isEmpty }

  func concrete(_ key: String) -> String { (path.isEmpty ? "" : path + ".") + prefix + key }

  func documented(_ key: String) -> String { (template.isEmpty ? "" : template + ".") + prefix + key }

  func item(of key: String, label: String, node: YAMLNode, origin: ConfigurationOrigin) -> ReadingScope {
    ReadingScope(
      path: "\(concrete(key))[\(label)]", template: documented(key) + "[]", node: node, origin: origin,
      isPhantom: isPhantom)
  }

  func phantomItem(of key: String) -> ReadingScope {
    ReadingScope(
      path: "\(concrete(key))[]", template: documented(key) + "[]", node: YAMLNode(.map([])), origin: .builtIn,
      isPhantom: true)
  }
}

/// What all readers of one configuration share. Confined to the task that reads it.
final class ReadingState {
  let defaults: ConfigurationFile
  let file: ConfigurationFile?
  let environment: [String: String]
  let environmentPrefix: String
  let flags: [String: String]
  var otherVariables: Set<String>
  private(set) var knownKeys: [KnownKey] = []
  private(set) var effectiveValues: [EffectiveValue] = []
  private(set) var problems: [ConfigurationProblem] = []
  private(set) var known: Set<String> = []
  private var keysByVariable: [String: String] = [:]
  private var recorded: Set<String> = []
  var origins: [String: ConfigurationOrigin] = [:]
  var items: [ReadingScope] = []

  init(
    defaults: ConfigurationFile, file: ConfigurationFile?, environment: [String: String], environmentPrefix: String,
    otherVariables: Set<String>, flags: [String: String]
  ) {
    self.defaults = defaults
    self.file = file
    self.environment = environment
    self.environmentPrefix = environmentPrefix
    self.otherVariables = otherVariables
    self.flags = flags
  }

  var knownVariables: [String] { keysByVariable.keys.sorted() }

  func variable(of path: String) -> String { environmentName(of: path, prefix: environmentPrefix) }

  /// Makes a key known.
  func declare<Value>(
    _ key: String, in scope: ReadingScope, kind: ValueKind<Value>, fallback: String?, isRequired: Bool, doc: String
  ) {
    let path = scope.documented(key)
    guard known.insert(path).inserted else { return }
    let variable = scope.isRoot ? variable(of: path) : nil
    if let variable, let other = keysByVariable.updateValue(path, forKey: variable) {
      report(.builtIn, path, "shares the environment variable \(variable) with \(other)")
    }
    var shown = fallback
    if scope.isRoot, let node = node(path, in: defaults), !node.isEmpty {
      shown = node.isNull ? nil : (try? kind.parse(node)).map(kind.render) ?? shown
    }
    knownKeys.append(
      KnownKey(
        key: path, documentation: doc, type: kind.name, defaultValue: shown, isRequired: isRequired,
        isSecret: kind.isSecret, environmentVariable: variable))
  }

  /// The value of the highest layer that has the key, its value nil when unset there or wrong (then reported); nil
  /// when no layer has it.
  func read<Value>(
    _ key: String, in scope: ReadingScope, kind: ValueKind<Value>
  ) -> (Value?, ConfigurationOrigin)? {
    guard let (node, origin) = find(key, in: scope, kind: kind) else { return nil }
    guard let node, !node.isNull || isRaw(origin) else { return (nil, origin) }
    do {
      let value = try kind.parse(node)
      if let reference = value as? SecretSetting { noteVariable(of: reference) }
      return (value, origin)
    } catch {
      report(
        error.mark.map { origin.moved(to: $0) } ?? origin, scope.concrete(key), error.message,
        isPhantom: scope.isPhantom)
      return (nil, origin)
    }
  }

  func record(_ key: String, in scope: ReadingScope, value: String, origin: ConfigurationOrigin) {
    if scope.isPhantom { return }
    let path = scope.concrete(key)
    origins[path] = origin
    if recorded.insert(path).inserted {
      effectiveValues.append(EffectiveValue(key: path, value: value, origin: origin))
    }
  }

  func report(_ origin: ConfigurationOrigin, _ key: String?, _ message: String, isPhantom: Bool = false) {
    let problem = ConfigurationProblem(origin: origin, key: key, message: message)
    if !isPhantom, !problems.contains(problem) { problems.append(problem) }
  }

  private func isRaw(_ origin: ConfigurationOrigin) -> Bool {
    switch origin {
    case .environment, .flag: true
    case .builtIn, .file: false
    }
  }

  /// A variable that a secret reference names is known, whatever its prefix.
  private func noteVariable(of setting: SecretSetting) {
    if case .reference(let reference) = setting, reference.scheme == "env" { otherVariables.insert(reference.name) }
  }

  /// The node of the highest layer that has the key; a nil node is one whose text could not be parsed (reported).
  private func find<Value>(
    _ key: String, in scope: ReadingScope, kind: ValueKind<Value>
  ) -> (YAMLNode?, ConfigurationOrigin)? {
    if let root = scope.node {
      guard let node = descend(scope.prefix + key, from: root), !node.isEmpty else { return nil }
      return (node, scope.origin.moved(to: node.mark))
    }
    let path = scope.documented(key)
    if let text = flags[path] { return (parsed(text, kind: kind, origin: .flag(path), key: path), .flag(path)) }
    let variable = variable(of: path)
    if let text = environment[variable], !text.isEmpty {
      let origin = ConfigurationOrigin.environment(variable)
      return (parsed(text, kind: kind, origin: origin, key: path), origin)
    }
    if let file, let node = node(path, in: file), !node.isEmpty {
      return (node, .file(name: file.name, line: node.mark.line, column: node.mark.column))
    }
    if let node = node(path, in: defaults), !node.isEmpty { return (node, .builtIn) }
    return nil
  }

  private func node(_ path: String, in file: ConfigurationFile) -> YAMLNode? {
    file.root.flatMap { descend(path, from: $0) }
  }

  private func descend(_ path: String, from root: YAMLNode) -> YAMLNode? {
    path.split(separator: ".").reduce(root) { (node: YAMLNode?, name) in node?[String(name)] }
  }

  /// The node that the text of a variable or flag stands for.
  private func parsed<Value>(
    _ text: String, kind: ValueKind<Value>, origin: ConfigurationOrigin, key: String
  ) -> YAMLNode? {
    let trimmed = text.drop { $0 == " " }
    do {
      switch kind.shape {
      case .scalar: return YAMLNode(.scalar(text, isPlain: true))
      case .list where trimmed.hasPrefix("["), .map where trimmed.hasPrefix("{"):
        return try YAMLNode.parse(text, name: origin.place)
      case .list: return YAMLNode(.list(parts(of: text).map { YAMLNode(.scalar(String($0), isPlain: true)) }))
      case .map:
        let entries = try parts(of: text).map { part throws(InvalidValue) in
          guard let sign = part.firstIndex(of: "=") else {
            throw InvalidValue("must be written as 'name=value, …' or as a YAML map in braces")
          }
          let value = YAMLNode(.scalar(String(part[part.index(after: sign)...]), isPlain: true))
          return YAMLNode.Entry(key: String(part[..<sign]), mark: value.mark, value: value)
        }
        if let repeated = entries.map(\.key).firstRepeated { throw InvalidValue("names '\(repeated)' twice") }
        return YAMLNode(.map(entries))
      }
    } catch let error as InvalidValue {
      report(origin, key, error.message)
    } catch let error as ConfigurationError {
      report(origin, key, error.problems.first.map { "\($0.origin.columnText)\($0.message)" } ?? error.message)
    } catch {
      report(origin, key, "\(error)")
    }
    return nil
  }

  /// The parts between commas, without the spaces around them; none for an empty text.
  private func parts(of text: String) -> [Substring] {
    text.split(separator: ",").map { part in
      var part = part.drop { $0 == " " }
      while part.last == " " { part.removeLast() }
      return part
    }
  }
}

extension [String] {
  fileprivate var firstRepeated: String? {
    var seen: Set<String> = []
    return first { !seen.insert($0).inserted }
  }
}

extension ConfigurationOrigin {
  /// `line 1, column 7: ` for a place in a text that is no file.
  fileprivate var columnText: String {
    guard case .file(_, let line, let column) = self else { return "" }
    return "line \(line), column \(column): "
  }
}
