/// Reads typed values by key path from layers: embedded default text, file, environment, flags; the last that has a
/// key wins, and lists and maps are replaced whole.
///
/// What it is asked becomes known, so ask every key on every run, also those that only matter for some settings;
/// then call `finish()`, which reports all problems at once. Until then a wrong or missing value reads as the
/// default or a placeholder. In YAML an empty value leaves a key to the layer below, and a written `null` unsets it;
/// an empty environment variable counts as not set.
public struct ConfigurationReader {
  let state: ReadingState
  let scope: ReadingScope

  /// Creates a reader over the layers.
  ///
  /// - Parameters:
  ///   - defaults: YAML text of the defaults; keys that nothing asks for are problems here too.
  ///   - file: the configuration file, if there is one.
  ///   - environment: all environment variables.
  ///   - environmentPrefix: how the variables of this configuration begin, such as `QUARRY_`.
  ///   - otherVariables: variables with the prefix that set no key, such as the one that names the file.
  ///   - flags: texts by key path, from the command line.
  /// - Throws: `configuration.syntax` when `defaults` cannot be parsed.
  public init(
    defaults: String = "", file: ConfigurationFile? = nil, environment: [String: String] = [:],
    environmentPrefix: String, otherVariables: Set<String> = [], flags: [String: String] = [:]
  ) throws(ConfigurationError) {
    state = ReadingState(
      defaults: try ConfigurationFile(name: "defaults", text: defaults), file: file, environment: environment,
      environmentPrefix: environmentPrefix, otherVariables: otherVariables, flags: flags)
    scope = .root
  }

  init(state: ReadingState, scope: ReadingScope) {
    self.state = state
    self.scope = scope
  }

  /// The value of a key, or `default` when no layer sets it.
  public func value<Value>(
    _ key: String, _ kind: ValueKind<Value>, default fallback: Value, doc: String
  ) -> Value {
    state.declare(key, in: scope, kind: kind, fallback: kind.render(fallback), isRequired: false, doc: doc)
    guard let (value, origin) = state.read(key, in: scope, kind: kind) else {
      state.record(key, in: scope, value: kind.render(fallback), origin: .builtIn)
      return fallback
    }
    state.record(key, in: scope, value: kind.render(value ?? fallback), origin: origin)
    return value ?? fallback
  }

  /// The value of a key, or nil when no layer sets it.
  public func optional<Value>(_ key: String, _ kind: ValueKind<Value>, doc: String) -> Value? {
    state.declare(key, in: scope, kind: kind, fallback: nil, isRequired: false, doc: doc)
    guard let (value, origin) = state.read(key, in: scope, kind: kind) else {
      state.record(key, in: scope, value: "null", origin: .builtIn)
      return nil
    }
    state.record(key, in: scope, value: value.map(kind.render) ?? "null", origin: origin)
    return value
  }

  /// The value of a key that some layer must set; when none does, a problem and the kind's placeholder.
  public func required<Value>(_ key: String, _ kind: ValueKind<Value>, doc: String) -> Value {
    state.declare(key, in: scope, kind: kind, fallback: nil, isRequired: true, doc: doc)
    guard let (value, origin) = state.read(key, in: scope, kind: kind) else {
      let remedy = scope.isRoot ? "; set it in the file or as \(state.variable(of: scope.documented(key)))" : ""
      state.report(scope.origin, scope.concrete(key), "is not set\(remedy)", isPhantom: scope.isPhantom)
      return kind.placeholder
    }
    state.record(key, in: scope, value: value.map(kind.render) ?? "null", origin: origin)
    return value ?? kind.placeholder
  }

  /// The items of a list of maps, each read by `body` with key paths within the item.
  ///
  /// - Parameters:
  ///   - shorthand: the key that an item written as a plain text stands for: with `uri`, `[/a]` is `[{uri: /a}]`.
  ///   - doc: what the list decides.
  ///   - body: asks for the keys of one item. It also runs once on an empty item whose values are thrown away, so
  ///     that the keys are known when the list is empty.
  public func list<Item>(
    _ key: String, shorthand: String? = nil, doc: String, _ body: (ConfigurationReader) -> Item
  ) -> [Item] {
    items(key, shape: .list, shorthand: shorthand, doc: doc) { _, reader in body(reader) }
  }

  /// The items of a map with free names whose values are maps, each read by `body` with its name; see `list`.
  public func map<Item>(
    _ key: String, doc: String, _ body: (_ name: String, ConfigurationReader) -> Item
  ) -> [String: Item] {
    let pairs = items(key, shape: .map, shorthand: nil, doc: doc) { name, reader in (name, body(name, reader)) }
    return Dictionary(uniqueKeysWithValues: pairs)
  }

  /// A reader whose key paths begin with `key` and a dot.
  public func nested(_ key: String) -> ConfigurationReader {
    var nested = scope
    nested.prefix += key + "."
    return ConfigurationReader(state: state, scope: nested)
  }

  /// Where a key was set; the place of the item for a key that is not set in it.
  public func origin(of key: String) -> ConfigurationOrigin {
    let origin = state.origins[scope.concrete(key)] ?? .builtIn
    return origin == .builtIn ? scope.origin : origin
  }

  /// Adds a problem of the application's own with a key's value, at the place where it was set.
  public func reject(_ key: String, _ message: String) {
    state.report(origin(of: key), scope.concrete(key), message, isPhantom: scope.isPhantom)
  }

  /// Everything wrong so far, with the unknown keys and variables, in reading order.
  public var problems: [ConfigurationProblem] { state.allProblems() }

  /// Every key asked for so far, in the order first asked.
  public var knownKeys: [KnownKey] { state.knownKeys }

  /// The value of every key asked for so far, with its origin, in the order asked.
  public var effectiveValues: [EffectiveValue] { state.effectiveValues }

  /// Ends the reading.
  ///
  /// - Throws: `configuration.invalid` with every problem, one a line, when there is any.
  public func finish() throws(ConfigurationError) {
    let problems = problems
    if problems.isEmpty { return }
    throw ConfigurationError(
      code: "configuration.invalid", message: problems.map(\.description).joined(separator: "\n"),
      remedy: "Correct the \(problems.count == 1 ? "place" : "\(problems.count) places") named.", problems: problems)
  }

  private func items<Item>(
    _ key: String, shape: ValueKind<YAMLNode>.Shape, shorthand: String?, doc: String,
    _ body: (String, ConfigurationReader) -> Item
  ) -> [Item] {
    let kind = ValueKind<YAMLNode>.items(shape: shape)
    state.declare(key, in: scope, kind: kind, fallback: kind.render(kind.placeholder), isRequired: false, doc: doc)
    _ = body("", ConfigurationReader(state: state, scope: scope.phantomItem(of: key)))

    guard let (node, origin) = state.read(key, in: scope, kind: kind), let node else {
      state.record(key, in: scope, value: kind.render(kind.placeholder), origin: .builtIn)
      return []
    }
    let named: [(name: String, label: String, node: YAMLNode)] =
      switch node.content {
      case .list(let nodes): nodes.enumerated().map { ("", String($0.offset), $0.element) }
      case .map(let entries): entries.map { ($0.key, $0.key, $0.value) }
      case .scalar: []
      }
    if named.isEmpty { state.record(key, in: scope, value: kind.render(node), origin: origin) }
    state.origins[scope.concrete(key)] = origin
    return named.compactMap { name, label, node in
      var node = node
      if let shorthand, case .scalar = node.content {
        node = YAMLNode(.map([YAMLNode.Entry(key: shorthand, mark: node.mark, value: node)]), at: node.mark)
      }
      let item = scope.item(of: key, label: label, node: node, origin: origin.moved(to: node.mark))
      guard case .map = node.content else {
        state.report(item.origin, item.path, "must be a map of keys, not \(node.summary)")
        return nil
      }
      state.items.append(item)
      return body(name, ConfigurationReader(state: state, scope: item))
    }
  }
}

extension ConfigurationOrigin {
  /// The same origin at another place of its file.
  func moved(to mark: YAMLNode.Mark?) -> ConfigurationOrigin {
    guard case .file(let name, _, _) = self, let mark else { return self }
    return .file(name: name, line: mark.line, column: mark.column)
  }
}

extension ValueKind where Value == YAMLNode {
  /// A list of maps, or a map of maps, kept as nodes for item readers.
  static func items(shape: Shape) -> ValueKind {
    let name = shape == .list ? "a list of maps" : "a map of maps"
    return ValueKind(
      name: name, shape: shape, placeholder: YAMLNode(shape == .list ? .list([]) : .map([])),
      parse: { node throws(InvalidValue) in
        switch (shape, node.content) {
        case (.list, .list), (.map, .map): return node
        default: throw InvalidValue("must be \(name), not \(node.summary)")
        }
      }, render: { _ in shape == .list ? "[]" : "{}" })
  }
}
