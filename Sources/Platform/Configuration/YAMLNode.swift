/// A value of a YAML document with the place where it begins.
public struct YAMLNode: Sendable, Hashable {
  /// A place in the text; both count from 1, columns in Unicode scalars.
  public struct Mark: Sendable, Hashable {
    /// The line.
    public let line: Int
    /// The column.
    public let column: Int

    /// Creates a place.
    public init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }
  }

  /// A key of a map with its value.
  public struct Entry: Sendable, Hashable {
    /// The key's text.
    public let key: String
    /// Where the key begins.
    public let mark: Mark
    /// The value.
    public let value: YAMLNode

    /// Creates an entry.
    public init(key: String, mark: Mark, value: YAMLNode) {
      self.key = key
      self.mark = mark
      self.value = value
    }
  }

  /// What a node holds.
  public enum Content: Sendable, Hashable {
    /// Text; `isPlain` when it is written without quotes, and so may mean a number, a truth value or null.
    case scalar(String, isPlain: Bool)
    /// A list.
    case list([YAMLNode])
    /// A map, in the order written; keys are unique.
    case map([Entry])
  }

  /// What the node holds.
  public let content: Content
  /// Where the node begins.
  public let mark: Mark

  /// Creates a node.
  public init(_ content: Content, at mark: Mark = Mark(line: 1, column: 1)) {
    self.content = content
    self.mark = mark
  }

  /// Whether nothing is written after the key, which leaves the key to the layer below.
  package var isEmpty: Bool { content == .scalar("", isPlain: true) }

  /// Whether the node is a written null, which unsets the key.
  package var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return text == "~" || text == "null" || text == "Null" || text == "NULL"
  }

  /// The value of a key, when the node is a map that has it.
  package subscript(key: String) -> YAMLNode? {
    guard case .map(let entries) = content else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// What the node is, for messages: `a list`, `a map`, or the text in quotes, shortened.
  package var summary: String {
    switch content {
    case .list: return "a list"
    case .map: return "a map"
    case .scalar(let text, _):
      let line = text.prefix { !$0.isNewline }.prefix(60)
      return line.count == text.count ? "'\(text)'" : "'\(line)…'"
    }
  }
}

/// Writes a text as a YAML scalar on one line: plain where that reads back as the same text, else in double quotes.
package func yamlScalar(_ text: String) -> String {
  let isWordLike = text.unicodeScalars.allSatisfy { scalar in
    scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "._/-+@~".unicodeScalars.contains(scalar)
      || (scalar == ":" && !text.hasSuffix(":"))
  }
  let startsPlainly = text.unicodeScalars.first.map { !"-+~@:.".unicodeScalars.contains($0) } ?? false
  let hasOtherMeaning =
    ["true", "false", "null", "yes", "no", "on", "off"].contains(text.lowercased()) || Double(text) != nil
  if isWordLike, startsPlainly, !hasOtherMeaning { return text }
  var quoted = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": quoted += "\\\""
    case "\\": quoted += "\\\\"
    case "\n": quoted += "\\n"
    case "\t": quoted += "\\t"
    case "\r": quoted += "\\r"
    default:
      if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        quoted += "\\x" + (digits.count == 1 ? "0" : "") + digits
      } else {
        quoted.unicodeScalars.append(scalar)
      }
    }
  }
  return quoted + "\""
}
