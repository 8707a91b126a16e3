import Core
import Cryptography

/// A versioned prompt: a file with its name and version, whose hash is recorded with every answer.
///
/// A file begins with its name and version between two lines `---`. Sections follow, each under a line `## NAME`; a
/// value is put in where `{{NAME}}` stands. Which sections and values there are is said by ``Purpose``.
public struct PromptTemplate: Sendable, Hashable {
  /// What a template is for, and so what it must have.
  public enum Purpose: String, Sendable, CaseIterable {
    /// Answers a question from passages.
    case answer
    /// Makes a question stand alone.
    case rewrite
  }

  /// Largest file, bytes.
  public static let largestFile = 64 << 10

  /// The name, such as `answer`.
  public let name: String
  /// The version, such as `1`.
  public let version: String
  /// SHA-256 of the file, 64 hex digits.
  public let hash: String
  /// What it is for.
  public let purpose: Purpose
  /// The system text, white space around it removed. It has no values, so that providers can cache it.
  public let system: String
  private let sections: [String: [Piece]]

  private enum Piece: Hashable, Sendable {
    case text(String)
    case value(String)
  }

  /// Reads a template.
  /// - Parameters:
  ///   - file: The bytes of the file.
  ///   - purpose: What it is for.
  ///   - source: What messages call it, such as its path.
  /// - Throws: `prompt.template_too_large`, `prompt.template_malformed` or `prompt.template_placeholder`.
  public init(_ file: [UInt8], for purpose: Purpose, source: String) throws {
    guard file.count <= Self.largestFile else {
      throw CoreError(
        code: "prompt.template_too_large", category: .invalidConfiguration,
        message: "the prompt template \(source) has \(file.count) bytes; the limit is \(Self.largestFile)",
        remedy: "Shorten it: a prompt's room is for passages.")
    }
    guard let text = String(validating: file, as: UTF8.self) else {
      throw Self.malformed(source, "is not UTF-8")
    }
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
    let header = try Self.header(&lines, source: source)
    self.name = try Self.field("name", of: header, source: source)
    self.version = try Self.field("version", of: header, source: source)
    self.purpose = purpose
    self.hash = SHA256.hash(file).hexadecimal

    let rules = Self.rules(of: purpose)
    let texts = try Self.texts(lines, rules: rules, source: source)
    // First of all: the values of a section whose heading is misspelt would be faults of the one before.
    if let missing = rules.keys.filter({ texts[$0]?.isEmpty ?? true }).min() {
      throw Self.malformed(source, "has no section '## \(missing)', or nothing in it")
    }
    var sections: [String: [Piece]] = [:]
    for (section, rule) in rules {
      sections[section] = try Self.pieces(of: texts[section] ?? "", section: section, rule: rule, source: source)
    }
    self.sections = sections
    self.system = texts["system"] ?? ""
  }

  /// Checks that the template leaves at least half of a prompt's tokens to question and passages.
  /// - Throws: `prompt.template_too_large`.
  public func check(budget: Int, countTokens: (String) -> Int) throws {
    let tokens = sections.keys.reduce(0) { $0 + countTokens(render($1, [:])) }
    guard tokens * 2 > budget else { return }
    throw CoreError(
      code: "prompt.template_too_large", category: .invalidConfiguration,
      message: "the prompt template '\(name)', version \(version), takes \(tokens) of a prompt's \(budget) tokens",
      remedy: "Shorten it, or raise answering.promptTokens and generation.contextTokens.")
  }

  /// A section with values put in. What a value says is never looked at for further values.
  func render(_ section: String, _ values: [String: String]) -> String {
    var text = ""
    for piece in sections[section] ?? [] {
      switch piece {
      case .text(let words): text += words
      case .value(let name): text += values[name] ?? ""
      }
    }
    return text
  }

  // MARK: - What a template must have

  private struct Rule {
    var required: Set<String> = []
    var optional: Set<String> = []
  }

  private static func rules(of purpose: Purpose) -> [String: Rule] {
    switch purpose {
    case .answer:
      [
        "system": Rule(),
        "passage": Rule(required: ["mark", "number", "text"], optional: ["document", "pages", "section"]),
        "user": Rule(required: ["mark", "passages", "question"]),
      ]
    case .rewrite:
      [
        "system": Rule(), "turn": Rule(required: ["mark", "role", "text"]),
        "user": Rule(required: ["mark", "turns", "question"]),
      ]
    }
  }

  // MARK: - Reading

  private static func malformed(_ source: String, _ what: String) -> CoreError {
    CoreError(
      code: "prompt.template_malformed", category: .invalidConfiguration,
      message: "the prompt template \(source) \(what)", remedy: "Write it like the files in config/prompts.")
  }

  private static func header(_ lines: inout ArraySlice<Substring>, source: String) throws -> [Substring: String] {
    guard lines.popFirst().map(trimmed) == "---" else { throw malformed(source, "does not begin with a line '---'") }
    var fields: [Substring: String] = [:]
    while let line = lines.popFirst() {
      let words = trimmed(line)
      if words == "---" { return fields }
      if words.isEmpty { continue }
      guard let colon = words.firstIndex(of: ":") else {
        throw malformed(source, "has '\(words.prefix(60))' in its head, which is no 'name: value'")
      }
      let name = trimmed(words[..<colon])
      guard name == "name" || name == "version" else {
        throw malformed(source, "has '\(name.prefix(60))' in its head, where only name and version belong")
      }
      fields[name] = String(trimmed(words[words.index(after: colon)...]))
    }
    throw malformed(source, "has a head that does not end with a line '---'")
  }

  private static func field(_ name: Substring, of header: [Substring: String], source: String) throws -> String {
    guard let value = header[name], !value.isEmpty else { throw malformed(source, "has no \(name) in its head") }
    guard value.utf8.count <= 64 else { throw malformed(source, "has a \(name) of more than 64 bytes") }
    return value
  }

  private static func texts(_ lines: ArraySlice<Substring>, rules: [String: Rule], source: String) throws -> [String:
    String]
  {
    var texts: [String: [Substring]] = [:]
    var current: String?
    for line in lines {
      if line.hasPrefix("## "), rules[String(trimmed(line.dropFirst(3)))] != nil {
        let section = String(trimmed(line.dropFirst(3)))
        guard texts[section] == nil else { throw malformed(source, "has the section '## \(section)' twice") }
        texts[section] = []
        current = section
      } else if let current {
        texts[current]?.append(line)
      } else if !trimmed(line).isEmpty {
        throw malformed(source, "has text before its first section: '\(line.prefix(60))'")
      }
    }
    return texts.mapValues { String(trimmed(Substring($0.joined(separator: "\n")))) }
  }

  private static func pieces(of text: String, section: String, rule: Rule, source: String) throws -> [Piece] {
    var pieces: [Piece] = []
    var found: Set<String> = []
    var rest = text[...]
    while let open = rest.firstRange(of: "{{") {
      let inside = rest[open.upperBound...]
      guard let close = inside.firstRange(of: "}}"), !inside[..<close.lowerBound].contains("{") else {
        throw malformed(source, "has '{{' without '}}' in its section '\(section)'")
      }
      let name = String(trimmed(rest[open.upperBound..<close.lowerBound]))
      guard rule.required.contains(name) || rule.optional.contains(name) else {
        let known = rule.required.union(rule.optional).sorted().map { "{{\($0)}}" }.joined(separator: ", ")
        throw CoreError(
          code: "prompt.template_placeholder", category: .invalidConfiguration,
          message: "the prompt template \(source) has {{\(name.prefix(60))}} in its section '\(section)', which is "
            + (known.isEmpty ? "a text without values" : "not one of \(known)"),
          remedy: "Remove it, or correct its name.")
      }
      pieces.append(.text(String(rest[..<open.lowerBound])))
      pieces.append(.value(name))
      found.insert(name)
      rest = rest[close.upperBound...]
    }
    pieces.append(.text(String(rest)))
    if let missing = rule.required.subtracting(found).min() {
      throw CoreError(
        code: "prompt.template_placeholder", category: .invalidConfiguration,
        message: "the prompt template \(source) lacks {{\(missing)}} in its section '\(section)'",
        remedy: "Put it where the value belongs; {{mark}} belongs into every tag, so that no document can forge one.")
    }
    return pieces
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
