/// Header fields in the order received or set; names compare without case and may occur more than once.
public struct HTTPHeaders: Sendable, Equatable, Sequence, ExpressibleByDictionaryLiteral {
  /// One field, its name spelled as received or set.
  public struct Field: Sendable, Equatable {
    /// The field's name, a token of RFC 9110, section 5.6.2.
    public let name: String
    /// The field's value without surrounding white space.
    public let value: String

    /// Creates a field.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  private var fields: [Field]

  /// Creates headers from `fields`, keeping their order.
  public init(_ fields: [Field] = []) {
    self.fields = fields
  }

  /// Creates headers from a literal such as `["Content-Type": "text/plain"]`; a name may be repeated.
  public init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { Field(name: $0.0, value: $0.1) }
  }

  /// The number of fields.
  public var count: Int { fields.count }

  /// Iterates over the fields in order.
  public func makeIterator() -> IndexingIterator<[Field]> { fields.makeIterator() }

  /// The first value of `name`, or nil; setting replaces all fields of that name, nil removes them.
  public subscript(name: String) -> String? {
    get { fields.first { Self.sameName($0.name, name) }?.value }
    set {
      fields.removeAll { Self.sameName($0.name, name) }
      if let newValue { fields.append(Field(name: name, value: newValue)) }
    }
  }

  /// All values of `name` in order.
  public func values(of name: String) -> [String] {
    fields.compactMap { Self.sameName($0.name, name) ? $0.value : nil }
  }

  /// Adds a field, keeping those of the same name.
  public mutating func add(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  /// Whether the comma-separated values of `name` contain `token`, without case (RFC 9110, section 5.6.1).
  public func contains(_ token: String, in name: String) -> Bool {
    values(of: name).contains { value in
      value.utf8.split(separator: UInt8(ascii: ",")).contains { part in
        Self.sameName(String(Substring(part)).trimmedBlanks, token)
      }
    }
  }

  /// ASCII case-insensitive equality; no allocation, because every lookup compares with every name.
  package static func sameName(_ left: String, _ right: String) -> Bool {
    let (left, right) = (left.utf8, right.utf8)
    return left.count == right.count && zip(left, right).allSatisfy { $0.lowered == $1.lowered }
  }
}

extension UInt8 {
  /// The byte with ASCII capitals made small.
  var lowered: UInt8 { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self }
}

extension String {
  /// The text without spaces and tabs at its ends.
  var trimmedBlanks: String {
    let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    guard let first = utf8.first, let last = utf8.last, isBlank(first) || isBlank(last) else { return self }
    let kept = utf8.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
    return String(decoding: Array(kept), as: UTF8.self)
  }
}
