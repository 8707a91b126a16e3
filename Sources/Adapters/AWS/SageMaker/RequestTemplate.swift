import Core
import FoundationEssentials

/// A JSON document with places for values: `{"inputs": "{{prompt}}", "parameters": {"max_new_tokens": "{{max_tokens}}"}}`.
///
/// A string that is only a place becomes the value itself, a number or a list included; inside a longer string the value
/// is put as text. Members and elements whose place has no value are left out. Values are put into the parsed document,
/// so that no text can break out of its string or fill another place.
struct RequestTemplate: Sendable, Hashable {
  /// JSON, parsed.
  indirect enum Node: Sendable, Hashable, Codable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([Node])
    case object([String: Node])

    init(from decoder: any Decoder) throws {
      if let object = try? decoder.container(keyedBy: AnyKey.self) {
        var members: [String: Node] = [:]
        for key in object.allKeys { members[key.stringValue] = try object.decode(Node.self, forKey: key) }
        self = .object(members)
        return
      }
      if var list = try? decoder.unkeyedContainer() {
        var elements: [Node] = []
        while !list.isAtEnd { elements.append(try list.decode(Node.self)) }
        self = .list(elements)
        return
      }
      let value = try decoder.singleValueContainer()
      if value.decodeNil() {
        self = .null
      } else if let bool = try? value.decode(Bool.self) {
        self = .bool(bool)
      } else if let integer = try? value.decode(Int.self) {
        self = .integer(integer)
      } else if let number = try? value.decode(Double.self) {
        self = .number(number)
      } else {
        self = .text(try value.decode(String.self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var value = encoder.singleValueContainer()
      switch self {
      case .null: try value.encodeNil()
      case .bool(let bool): try value.encode(bool)
      case .integer(let integer): try value.encode(integer)
      case .number(let number): try value.encode(number)
      case .text(let text): try value.encode(text)
      case .list(let elements): try value.encode(elements)
      case .object(let members): try value.encode(members)
      }
    }
  }

  /// The names of its places.
  let places: Set<String>
  private let root: Node

  /// Parses a template.
  /// - Throws: `aws.template_invalid` for what is no JSON, for places that are unknown, and when none of `required` is there.
  init(_ text: String, key: String, known: [String], required: [String]) throws {
    func invalid(_ problem: String) -> AWSError {
      AWSError(
        "aws.template_invalid", .invalidConfiguration, "\(key) \(problem)",
        remedy: "Write a JSON document with one of \(required.map { "\"{{\($0)}}\"" }.joined(separator: ", ")) in it.")
    }
    guard let root = try? JSONDecoder().decode(Node.self, from: Data(text.utf8)) else { throw invalid("is no JSON") }
    var places: Set<String> = []
    Self.forEachText(root) { for case .place(let name) in Self.pieces($0) { places.insert(name) } }
    if let unknown = places.subtracting(known).min() {
      throw invalid("has a place {{\(unknown)}}; the places are \(known.joined(separator: ", "))")
    }
    guard !places.isDisjoint(with: required) else { throw invalid("has no place for what is asked") }
    self.places = places
    self.root = root
  }

  /// The document with values in its places.
  func body(_ values: [String: Node]) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(Self.filled(root, values) ?? .null))
  }

  private static func filled(_ node: Node, _ values: [String: Node]) -> Node? {
    switch node {
    case .object(let members): return .object(members.compactMapValues { filled($0, values) })
    case .list(let elements): return .list(elements.compactMap { filled($0, values) })
    case .text(let text):
      let pieces = pieces(text)
      if pieces.count == 1, case .place(let name) = pieces[0] { return values[name] }
      return .text(
        pieces.map { piece in
          switch piece {
          case .text(let text): return text
          case .place(let name):
            switch values[name] {
            case .text(let text): return text
            case .integer(let integer): return String(integer)
            case .number(let number): return String(number)
            default: return ""
            }
          }
        }.joined())
    default: return node
    }
  }

  private enum Piece {
    case text(String)
    case place(String)
  }

  private static func pieces(_ text: String) -> [Piece] {
    var pieces: [Piece] = []
    var rest = Substring(text)
    while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
      if open.lowerBound > rest.startIndex { pieces.append(.text(String(rest[..<open.lowerBound]))) }
      pieces.append(.place(rest[open.upperBound..<close.lowerBound].filter { $0 != " " }))
      rest = rest[close.upperBound...]
    }
    if !rest.isEmpty { pieces.append(.text(String(rest))) }
    return pieces
  }

  private static func forEachText(_ node: Node, _ body: (String) -> Void) {
    switch node {
    case .text(let text): body(text)
    case .list(let elements): for element in elements { forEachText(element, body) }
    case .object(let members): for member in members.values { forEachText(member, body) }
    default: break
    }
  }
}
