/// Why a text is not a value of its kind: "must be …".
public struct InvalidValue: Error, Sendable {
  /// What the value must be, with nothing before it: `must be an integer from 1 to 100`.
  public let message: String
  /// The place of the part that is wrong, when it is not the whole value.
  public let mark: YAMLNode.Mark?

  /// Creates a reason.
  public init(_ message: String, mark: YAMLNode.Mark? = nil) {
    self.message = message
    self.mark = mark
  }
}

/// How a node becomes a typed value, what the type is called, and how a value is written back.
public struct ValueKind<Value: Sendable>: Sendable {
  /// What a value looks like; decides how the text of a variable or flag is read.
  public enum Shape: Sendable {
    /// One text, taken as it is.
    case scalar
    /// `a, b, c`, or a YAML list in brackets.
    case list
    /// `a=1, b=2`, or a YAML map in braces.
    case map
  }

  /// What the type is called in documentation and messages, with its article: `an integer from 1 to 100`.
  public let name: String
  /// What a value looks like.
  public let shape: Shape
  /// Whether messages must not quote the value.
  public let isSecret: Bool
  /// What a required key that is missing or wrong reads as until `finish()` throws.
  public let placeholder: Value
  /// Reads a node.
  public let parse: @Sendable (YAMLNode) throws(InvalidValue) -> Value
  /// Writes a value as YAML on one line, secrets masked.
  public let render: @Sendable (Value) -> String

  /// Creates a kind; see the properties.
  public init(
    name: String, shape: Shape = .scalar, isSecret: Bool = false, placeholder: Value,
    parse: @escaping @Sendable (YAMLNode) throws(InvalidValue) -> Value,
    render: @escaping @Sendable (Value) -> String
  ) {
    self.name = name
    self.shape = shape
    self.isSecret = isSecret
    self.placeholder = placeholder
    self.parse = parse
    self.render = render
  }

  /// Creates a kind written as one text, such as an address: `parse` returns nil for a text that is none.
  public static func text(
    _ name: String, placeholder: Value, parse: @escaping @Sendable (String) -> Value?,
    render: @escaping @Sendable (Value) -> String
  ) -> ValueKind {
    ValueKind(
      name: name, placeholder: placeholder,
      parse: { node throws(InvalidValue) in
        guard case .scalar(let text, _) = node.content, let value = parse(text) else {
          throw InvalidValue("must be \(name), not \(node.summary)")
        }
        return value
      }, render: { yamlScalar(render($0)) })
  }

  /// Creates a kind written without quotes, as numbers and truth values are.
  static func plain(
    _ name: String, placeholder: Value, parse: @escaping @Sendable (String) -> Value?,
    render: @escaping @Sendable (Value) -> String
  ) -> ValueKind {
    ValueKind(
      name: name, placeholder: placeholder,
      parse: { node throws(InvalidValue) in
        guard case .scalar(let text, let isPlain) = node.content else {
          throw InvalidValue("must be \(name), not \(node.summary)")
        }
        guard isPlain else { throw InvalidValue("must be \(name), not text in quotes") }
        guard let value = parse(text) else { throw InvalidValue("must be \(name), not \(node.summary)") }
        return value
      }, render: render)
  }
}

extension ValueKind where Value == String {
  /// Text; a number or truth value is taken as it is written.
  public static var string: ValueKind { .text("text", placeholder: "", parse: { $0 }, render: { $0 }) }

  /// Text of at least one character.
  public static var nonEmptyString: ValueKind {
    .text("text that is not empty", placeholder: "", parse: { $0.isEmpty ? nil : $0 }, render: { $0 })
  }
}

extension ValueKind where Value == Bool {
  /// `true` or `false`.
  public static var bool: ValueKind {
    .plain("true or false", placeholder: false, parse: { Bool($0) }, render: { String($0) })
  }
}

extension ValueKind where Value == Int {
  /// An integer in a range.
  public static func int(in range: ClosedRange<Int> = Int.min...Int.max) -> ValueKind {
    let place = described(range, lowest: Int.min, highest: Int.max)
    return .plain(
      "an integer\(place)", placeholder: max(range.lowerBound, min(0, range.upperBound)),
      parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } }, render: { String($0) })
  }

  /// A number of bytes in a range, written with a unit: `512 MiB`, `1.5 GB`, `4096`.
  public static func byteSize(in range: ClosedRange<Int> = 0...Int.max) -> ValueKind {
    let place =
      range.upperBound == Int.max
      ? (range.lowerBound > 0 ? " of at least \(renderedByteSize(range.lowerBound))" : "")
      : " from \(renderedByteSize(range.lowerBound)) to \(renderedByteSize(range.upperBound))"
    return .plain(
      "a size such as '512 MiB'\(place)", placeholder: range.lowerBound,
      parse: { parsedByteSize($0).flatMap { range.contains($0) ? $0 : nil } }, render: renderedByteSize)
  }
}

extension ValueKind where Value == Double {
  /// A finite number in a range.
  public static func double(
    in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
  ) -> ValueKind {
    let limit = Double.greatestFiniteMagnitude
    let place = described(range, lowest: -limit, highest: limit)
    return .plain(
      "a number\(place)", placeholder: max(range.lowerBound, min(0, range.upperBound)),
      parse: { parsedDecimal($0).flatMap { range.contains($0) ? $0 : nil } }, render: { "\($0)" })
  }
}

extension ValueKind where Value == Duration {
  /// A length of time in a range, written with units: `250ms`, `30s`, `5m`, `1h30m`, `7d`, or `0`.
  public static func duration(in range: ClosedRange<Duration> = .zero ... .seconds(Int64.max / 2)) -> ValueKind {
    let place =
      range.upperBound >= .seconds(Int64.max / 2)
      ? (range.lowerBound > .zero ? " of at least \(renderedDuration(range.lowerBound))" : "")
      : " from \(renderedDuration(range.lowerBound)) to \(renderedDuration(range.upperBound))"
    return .plain(
      "a duration such as '30s' or '5m'\(place)", placeholder: range.lowerBound,
      parse: { parsedDuration($0).flatMap { range.contains($0) ? $0 : nil } }, render: renderedDuration)
  }
}

extension ValueKind where Value: CaseIterable & RawRepresentable & Sendable, Value.RawValue == String {
  /// One of an enumeration's raw values; a near miss is named. The enumeration needs a case.
  public static func oneOf(_ type: Value.Type = Value.self) -> ValueKind {
    let names = Value.allCases.map(\.rawValue)
    let name = names.count > 1 ? "one of \(names.joined(separator: ", "))" : names.joined()
    return ValueKind(
      name: name, placeholder: Value.allCases[Value.allCases.startIndex],
      parse: { node throws(InvalidValue) in
        guard case .scalar(let text, _) = node.content else {
          throw InvalidValue("must be \(name), not \(node.summary)")
        }
        if let value = Value(rawValue: text) { return value }
        throw InvalidValue("must be \(name), not \(node.summary)\(suggestion(for: text, in: names))")
      }, render: { yamlScalar($0.rawValue) })
  }
}

extension ValueKind {
  /// A list of values of one kind, with at least `minimum` of them.
  public static func list<Element>(of element: ValueKind<Element>, atLeast minimum: Int = 0) -> ValueKind
  where Value == [Element] {
    let name = "a list\(minimum > 0 ? " of at least \(minimum)" : ""), each \(element.name)"
    return ValueKind(
      name: name, shape: .list, isSecret: element.isSecret, placeholder: [],
      parse: { node throws(InvalidValue) in
        guard case .list(let nodes) = node.content, nodes.count >= minimum else {
          throw InvalidValue("must be \(name)\(element.isSecret ? "" : ", not \(node.summary)")")
        }
        return try elements(of: nodes.map { ("", $0) }, as: element).map(\.1)
      }, render: { "[\($0.map(element.render).joined(separator: ", "))]" })
  }

  /// A map from free names to values of one kind.
  public static func map<Element>(of element: ValueKind<Element>) -> ValueKind where Value == [String: Element] {
    let name = "a map, each value \(element.name)"
    return ValueKind(
      name: name, shape: .map, isSecret: element.isSecret, placeholder: [:],
      parse: { node throws(InvalidValue) in
        guard case .map(let entries) = node.content else {
          throw InvalidValue("must be \(name)\(element.isSecret ? "" : ", not \(node.summary)")")
        }
        let pairs = try elements(of: entries.map { ($0.key, $0.value) }, as: element)
        return Dictionary(uniqueKeysWithValues: pairs)
      },
      render: { map in
        let pairs = map.sorted { $0.key < $1.key }.map { "\(yamlScalar($0.key)): \(element.render($0.value))" }
        return "{\(pairs.joined(separator: ", "))}"
      })
  }

  private static func elements<Element>(
    of nodes: [(String, YAMLNode)], as kind: ValueKind<Element>
  ) throws(InvalidValue) -> [(String, Element)] {
    var values: [(String, Element)] = []
    for (position, (name, node)) in nodes.enumerated() {
      do { values.append((name, try kind.parse(node))) } catch {
        let part = name.isEmpty ? "item \(position + 1)" : "'\(name)'"
        throw InvalidValue("\(part) \(error.message)", mark: error.mark ?? node.mark)
      }
    }
    return values
  }
}

extension ValueKind where Value == SecretSetting {
  /// A secret: a reference such as `env:NAME` or `file:/path` in one of `schemes`, or the text itself
  /// (`literal:…` for a text that begins like a reference). A scheme that looks mistyped is an error.
  public static func secret(schemes: [String] = ["env", "file"]) -> ValueKind {
    let examples = schemes.map { "\($0):…" }.joined(separator: ", ")
    return ValueKind(
      name: "a secret (\(examples), or the text itself)", isSecret: true, placeholder: .literal(Secret("")),
      parse: { node throws(InvalidValue) in
        guard case .scalar(let text, _) = node.content, !text.isEmpty else {
          throw InvalidValue("must be a secret: \(examples), or the text itself")
        }
        guard let colon = text.firstIndex(of: ":") else { return .literal(Secret(text)) }
        let scheme = String(text[..<colon])
        let name = String(text[text.index(after: colon)...])
        if scheme == "literal" { return .literal(Secret(name)) }
        if schemes.contains(scheme) {
          if name.isEmpty { throw InvalidValue("must name the secret after '\(scheme):'") }
          return .reference(SecretReference(scheme: scheme, name: name))
        }
        let hint = suggestion(for: scheme, in: schemes)
        if !hint.isEmpty { throw InvalidValue("has an unknown scheme\(hint)") }
        return .literal(Secret(text))
      }, render: { yamlScalar($0.description) == "\"***\"" ? "***" : $0.description })
  }
}

private func described<Bound: Comparable>(_ range: ClosedRange<Bound>, lowest: Bound, highest: Bound) -> String {
  switch (range.lowerBound == lowest, range.upperBound == highest) {
  case (true, true): ""
  case (false, true): " of at least \(range.lowerBound)"
  case (true, false): " of at most \(range.upperBound)"
  case (false, false): " from \(range.lowerBound) to \(range.upperBound)"
  }
}
