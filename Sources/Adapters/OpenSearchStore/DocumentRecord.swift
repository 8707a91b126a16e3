import Core
import FoundationEssentials

/// What the index of documents holds of one: its manifest, with one revision for each version that is written, shown
/// or not yet cleared away. Which of them readers see, the store's state says.
struct DocumentRecord: Codable, Sendable {
  /// One version of the document in one embedding space.
  struct Revision: Codable, Sendable {
    /// What chunks and pages of it carry.
    var vn: Int
    var space: String
    var uri: String
    var version: String
    var stamp: String
    var pipeline: String
    var metadata: DocumentMetadata
    var pageCount: Int
    var coverage: [PageCoverage: Int]
    var state: DocumentState
    var reason: String?
    var byteCount: Int
    var chunkCount: Int
    /// Left out where it is not asked for.
    var outline: [OutlineEntry]?
    var damage: String?
    var indexed: Date
  }

  var id: String
  var collection: String
  var generation: Int
  var revisions: [Revision]

  init(_ document: Document) {
    id = document.id.rawValue
    collection = document.collection.rawValue
    generation = document.generation
    revisions = []
  }

  /// Revisions that readers may see, the newest last.
  func visible(_ state: StoreState) -> [Revision] {
    revisions.filter { state.shows($0.vn, space: $0.space) }.sorted { $0.vn < $1.vn }
  }

  /// The revision that readers see: of the active space, else the newest.
  func shown(_ state: StoreState) -> Revision? {
    let visible = visible(state)
    return visible.last { $0.space == state.active } ?? visible.last
  }

  func document(_ revision: Revision) -> Document {
    Document(
      id: DocumentID(rawValue: id), collection: CollectionName(rawValue: collection),
      uri: SourceURI(rawValue: revision.uri), generation: generation,
      version: ContentVersion(rawValue: revision.version))
  }

  /// The record's body in its index: what is searched, and all of it.
  func body() throws -> [UInt8] {
    let record = try StoredJSON.encode(self)
    return JSON.object([
      ("id", .string(id)), ("collection", .string(collection)),
      ("uri", .strings(Set(revisions.map(\.uri)).sorted())),
      ("content", .strings(Set(revisions.map(\.version)).sorted())),
      ("space", .strings(Set(revisions.map(\.space)).sorted())), ("record", .raw(record)),
    ]).bytes
  }
}

/// What is known of a place where documents are or were.
struct PlaceRecord: Codable, Sendable {
  /// A document that was deleted while its file stayed.
  struct Tombstone: Codable, Sendable {
    var document: String
    var generation: Int
    var version: String
    var stamp: String
    var pipeline: String
    var identity: EmbeddingIdentity
    var deleted: Date
  }

  var collection: String
  var uri: String
  /// Documents that are there, or were, or are about to be: which of them, their own records say.
  var claims: [String] = []
  var nextGeneration = 0
  var tombstone: Tombstone?

  init(_ uri: SourceURI, _ collection: CollectionName) {
    self.uri = uri.rawValue
    self.collection = collection.rawValue
  }

  func body() throws -> [UInt8] {
    let record = try StoredJSON.encode(self)
    return JSON.object(
      [("collection", .string(collection)), ("uri", .string(uri))]
        + (tombstone.map { [("tombstone", .string($0.document))] } ?? [])
        + [("record", .raw(record))]
    ).bytes
  }
}

/// JSON of records: times are seconds since 1970.
enum StoredJSON {
  static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .secondsSince1970
    return [UInt8](try encoder.encode(value))
  }

  static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .secondsSince1970
    return try bytes.withUnsafeBytes { try decoder.decode(type, from: Data($0)) }
  }
}
