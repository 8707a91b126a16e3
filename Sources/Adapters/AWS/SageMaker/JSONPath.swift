import FoundationEssentials

/// Where in a JSON document something stands: `data[*].embedding`, `[0].generated_text`; empty for the whole.
struct JSONPath: Sendable, Hashable {
  enum Step: Sendable, Hashable {
    case key(String)
    case index(Int)
    /// Each member of a list.
    case each
  }

  let steps: [Step]

  /// Nil for what is no path.
  init?(_ text: String) {
    var steps: [Step] = []
    var rest = Substring(text)
    while let first = rest.first {
      if first == "[" {
        guard let end = rest.firstIndex(of: "]") else { return nil }
        let inside = rest[rest.index(after: rest.startIndex)..<end]
        if inside == "*" {
          steps.append(.each)
        } else if let index = Int(inside), index >= 0 {
          steps.append(.index(index))
        } else {
          return nil
        }
        rest = rest[rest.index(after: end)...]
      } else {
        if first == "." {
          guard !steps.isEmpty else { return nil }
          rest = rest.dropFirst()
        } else if !steps.isEmpty {
          return nil
        }
        let key = rest.prefix { $0 != "." && $0 != "[" }
        guard !key.isEmpty else { return nil }
        steps.append(.key(String(key)))
        rest = rest[key.endIndex...]
      }
    }
    self.steps = steps
  }

  /// Whether it leads to several places.
  var isPlural: Bool { steps.contains(.each) }

  /// What stands there, in order.
  /// - Throws: `DecodingError` when the document has no such place or something else stands there.
  func values<Leaf: Decodable & Sendable>(of type: Leaf.Type, in document: [UInt8]) throws -> [Leaf] {
    let decoder = JSONDecoder()
    decoder.userInfo[Found<Leaf>.steps] = steps
    return try decoder.decode(Found<Leaf>.self, from: Data(document)).leaves
  }

  private struct Found<Leaf: Decodable>: Decodable {
    static var steps: CodingUserInfoKey { CodingUserInfoKey(rawValue: "steps")! }
    var leaves: [Leaf] = []

    init(from decoder: any Decoder) throws {
      try follow((decoder.userInfo[Self.steps] as? [Step] ?? [])[...], decoder)
    }

    private mutating func follow(_ steps: ArraySlice<Step>, _ decoder: any Decoder) throws {
      guard let step = steps.first else { return leaves.append(try Leaf(from: decoder)) }
      switch step {
      case .key(let key):
        try follow(steps.dropFirst(), try decoder.container(keyedBy: AnyKey.self).superDecoder(forKey: AnyKey(key)))
      case .index(let index):
        var list = try decoder.unkeyedContainer()
        for _ in 0..<index { _ = try list.superDecoder() }
        try follow(steps.dropFirst(), try list.superDecoder())
      case .each:
        var list = try decoder.unkeyedContainer()
        while !list.isAtEnd { try follow(steps.dropFirst(), try list.superDecoder()) }
      }
    }
  }
}

/// A key of any name.
struct AnyKey: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
