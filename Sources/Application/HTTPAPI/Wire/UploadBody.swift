import Core
public import Ingestion

/// What became of an upload: body of `POST /v1/documents` and `PUT /v1/documents/{id}`.
public struct UploadBody: Codable, Sendable, Hashable {
  /// The document's id.
  public var id: String
  /// Its name.
  public var name: String
  /// Where it is: `upload://`, the collection and the name.
  public var uri: String
  /// Its collection.
  public var collection: String
  /// SHA-256 of the bytes.
  public var version: String
  /// Bytes.
  public var byteCount: Int
  /// `queued`, or `unchanged` when the document has exactly these bytes already.
  public var outcome: String
  /// Where its state can be seen.
  public var statusURL: String

  enum CodingKeys: String, CodingKey {
    case id, name, uri, collection, version, outcome
    case byteCount = "byte_count"
    case statusURL = "status_url"
  }

  /// Creates the body of a receipt.
  public init(_ receipt: UploadIntake.Receipt) {
    id = receipt.document.rawValue
    name = receipt.uri.name
    uri = receipt.uri.rawValue
    collection = receipt.collection.rawValue
    version = receipt.content.version.rawValue
    byteCount = receipt.content.byteCount
    outcome = receipt.outcome == .queued ? "queued" : "unchanged"
    statusURL = "/v1/documents/\(receipt.document.rawValue)"
  }
}
