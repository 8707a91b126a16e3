import Concurrency
import Core
import FoundationEssentials
import SQLite

/// Values as the tables keep them.
enum Stored {
  /// JSON with sorted keys, so that equal values are equal texts.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func value<Value: Decodable>(_ type: Value.Type, _ json: String, _ what: String) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(json.utf8))
    } catch {
      throw StoreError.damaged("\(what) cannot be read")
    }
  }

  static func word<Value: RawRepresentable>(_ type: Value.Type, _ text: String, _ what: String) throws -> Value
  where Value.RawValue == String {
    guard let value = Value(rawValue: text) else { throw StoreError.damaged("unknown \(what) '\(text)'") }
    return value
  }

  /// Vectors of 32-bit floats as little-endian bytes: every CPU that Quarry runs on stores them so.
  static func bytes(_ vector: [Float]) -> [UInt8] { vector.withUnsafeBytes { [UInt8]($0) } }

  static func floats(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    [Float](unsafeUninitializedCapacity: bytes.count / 4) { buffer, count in
      count = bytes.count / 4
      UnsafeMutableRawBufferPointer(buffer).copyBytes(from: UnsafeRawBufferPointer(rebasing: bytes[..<(count * 4)]))
    }
  }
}

extension Date {
  /// As the tables keep it.
  var seconds: Double { timeIntervalSince1970 }
}

extension Row {
  func date(_ column: Int) -> Date { Date(timeIntervalSince1970: double(column)) }
  func optionalDate(_ column: Int) -> Date? { isNull(column) ? nil : date(column) }
}

/// An embedding space: one identity's chunks, vectors and full-text tables.
struct Space: Sendable, Hashable {
  var key: Int64
  var identity: EmbeddingIdentity
  /// Whether it has a centre, so that its vectors have codes.
  var isCoded = false

  /// Full-text table of words: columns `prefix` (title and headings) and `body`.
  var words: String { "words_\(key)" }
  /// Full-text table of n-grams of scripts without spaces: column `grams`.
  var grams: String { "grams_\(key)" }
  /// Both.
  var fullTextTables: [FullTextTable] {
    [FullTextTable(kind: .words, space: key), FullTextTable(kind: .grams, space: key)]
  }

  /// The space that is searched; nil while the index is empty.
  static func active(_ connection: Connection) throws -> Space? {
    try read(connection, "WHERE key = (SELECT active_space FROM store)")
  }

  static func of(_ identity: EmbeddingIdentity, _ connection: Connection) throws -> Space? {
    try read(connection, "WHERE canonical = ?1", identity.canonical)
  }

  private static func read(_ connection: Connection, _ condition: String, _ value: String? = nil) throws -> Space? {
    let sql = "SELECT key, identity, centre IS NOT NULL FROM spaces \(condition)"
    guard let value else { return try connection.first(sql, row: Space.init(row:)) }
    return try connection.first(sql, value, row: Space.init(row:))
  }

  /// Identities by their texts: every search reads one, and there are few.
  private static let identities = Locked<[String: EmbeddingIdentity]>([:])

  /// Reads columns `key`, `identity` and whether there is a centre.
  init(row: Row) throws {
    let text = row.text(1)
    let known = Self.identities.withLock { $0[text] }
    let identity = try known ?? Stored.value(EmbeddingIdentity.self, text, "an identity")
    if known == nil {
      Self.identities.withLock {
        $0 = $0.count < 100 ? $0 : [:]; $0[text] = identity
      }
    }
    self.init(key: row.integer(0), identity: identity, isCoded: row.bool(2))
  }

  init(key: Int64, identity: EmbeddingIdentity, isCoded: Bool = false) {
    self.key = key
    self.identity = identity
    self.isCoded = isCoded
  }

  /// The identity's space, made with its full-text tables when it is new.
  static func make(_ identity: EmbeddingIdentity, _ connection: Connection) throws -> Space {
    if let space = try of(identity, connection) { return space }
    try connection.run(
      "INSERT INTO spaces (canonical, identity, dimension, scalar) VALUES (?, ?, ?, 'f16')", identity.canonical,
      Stored.json(identity), identity.dimension)
    let space = Space(key: connection.lastInsertRowID, identity: identity)
    for table in space.fullTextTables { try table.create(connection) }
    return space
  }

  /// Drops the space with everything in it.
  func drop(_ connection: Connection) throws {
    try connection.execute("DROP TABLE \(words); DROP TABLE \(grams)")
    try connection.run("DELETE FROM revisions WHERE space = ?", key)
    try connection.run("DELETE FROM spaces WHERE key = ?", key)
  }
}

extension Connection {
  /// The store's version in this snapshot.
  func storeVersion() throws -> Int64 { try first("SELECT version FROM store") { $0.integer(0) } ?? 0 }
}
