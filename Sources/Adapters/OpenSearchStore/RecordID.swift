import Core
import Cryptography

/// Ids of records that follow from what they are of, so that a repeated write is the same write.
enum RecordID {
  /// SHA-256 over the fields, each with its length before it, in hexadecimal.
  static func of(_ fields: String...) -> String {
    var bytes: [UInt8] = []
    for field in fields {
      let count = UInt64(field.utf8.count)
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: count >> UInt64(shift)))
      }
      bytes.append(contentsOf: field.utf8)
    }
    return SHA256.hash(bytes).hexadecimal
  }

  static func place(_ uri: SourceURI, _ collection: CollectionName) -> String { of(collection.rawValue, uri.rawValue) }
}
