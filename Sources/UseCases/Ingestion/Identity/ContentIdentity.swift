public import Core
import Cryptography

/// Hashes fields so that no two lists of fields give the same bytes: each field's UTF-8 length as eight
/// big-endian bytes, then the field.
enum FieldHash {
  /// SHA-256 over the length-prefixed fields.
  static func digest(_ fields: [String]) -> SHA256.Digest {
    var bytes: [UInt8] = []
    for field in fields {
      let length = UInt64(field.utf8.count)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(shift)))
      }
      bytes += field.utf8
    }
    return SHA256.hash(bytes)
  }

  /// The first 16 bytes of the digest as 32 hex digits: the form of all ids.
  static func identifier(_ fields: [String]) -> String { digest(fields).prefix(16).hexadecimal }
}

extension DocumentID {
  /// The id of the document that began at `uri`, the `generation`-th to do so (from 0).
  public init(collection: CollectionName, firstURI uri: SourceURI, generation: Int) {
    self.init(rawValue: FieldHash.identifier([collection.rawValue, uri.rawValue, String(generation)]))
  }
}

extension ChunkID {
  /// The id of chunk `ordinal` (from 0) of a version of a document under a pipeline version.
  public init(document: DocumentID, version: ContentVersion, pipeline: PipelineVersion, ordinal: Int) {
    self.init(
      rawValue: FieldHash.identifier([document.rawValue, version.rawValue, pipeline.rawValue, String(ordinal)]))
  }
}

extension TextHash {
  /// SHA-256 of the UTF-8 of `text`.
  public init(of text: String) { self.init(rawValue: SHA256.hash(text).hexadecimal) }
}

extension IdentityRules {
  /// The rules that ingestion makes ids by.
  public static let standard = IdentityRules(
    documentID: { DocumentID(collection: $0, firstURI: $1, generation: $2) },
    chunkID: { ChunkID(document: $0, version: $1, pipeline: $2, ordinal: $3) }, textHash: { TextHash(of: $0) })
}
