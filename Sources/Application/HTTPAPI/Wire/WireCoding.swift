import FoundationEssentials

/// JSON as Quarry writes and reads it: keys as declared, RFC 3339 times, slashes unescaped.
public enum WireCoding {
  /// Encodes a body; `pretty` for people.
  public static func encode(_ body: some Encodable, pretty: Bool = false) throws -> [UInt8] {
    let encoder = JSONEncoder()
    // Sorted, because the encoder's own order changes from one encoding to the next.
    encoder.outputFormatting =
      pretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return [UInt8](try encoder.encode(body))
  }

  /// Decodes a body.
  public static func decode<Body: Decodable>(_ type: Body.Type, from bytes: [UInt8]) throws -> Body {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    return try decoder.decode(type, from: Data(bytes))
  }
}
