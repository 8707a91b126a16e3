public import Core
import Cryptography
public import FoundationEssentials

/// The secret that the holder of a key sends: `qk_`, the key's id (12 hex digits), `_`, and 32 random bytes in hex.
public enum KeySecret {
  /// Makes a key; its secret is returned here, once, and stored nowhere.
  /// - Parameters:
  ///   - label: What the key is for.
  ///   - collections: What it is good for; nil for everything.
  ///   - permission: What it allows there.
  public static func makeKey(
    label: String, collections: Set<CollectionName>?, permission: KeyPermission = .write, now: Date
  ) -> (key: APIKey, secret: String) {
    let id = secureRandomBytes(count: 6).hexadecimal
    let secret = "qk_\(id)_\(secureRandomBytes(count: 32).hexadecimal)"
    let key = APIKey(
      id: id, label: label, hash: hash(secret), allowedCollections: collections, permission: permission,
      created: now)
    return (key, secret)
  }

  /// The id within a secret; nil when the text is no secret.
  static func id(in secret: String) -> String? {
    let parts = secret.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "qk", parts[1].utf8.count == 12, parts[2].utf8.count == 64 else { return nil }
    return String(parts[1])
  }

  /// Whether `secret` is that of `key`, in a time that does not tell how near it is. A missing key is compared too.
  static func matches(_ secret: String, _ key: APIKey?) -> Bool {
    let isEqual = constantTimeEqual(Array(hash(secret).utf8), Array((key?.hash ?? hash("")).utf8))
    return isEqual && key != nil
  }

  private static func hash(_ secret: String) -> String { SHA256.hash(Array(secret.utf8)).hexadecimal }
}
