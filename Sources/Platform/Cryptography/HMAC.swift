import CCrypto

/// Message authentication with SHA-256 and a secret key (RFC 2104, FIPS 198-1).
public enum HMACSHA256 {
  /// The authentication code of a message. Compare it with `constantTimeEqual`.
  /// - Parameter key: any length; RFC 2104 advises 32 bytes or more.
  public static func authenticationCode(for message: [UInt8], key: [UInt8]) -> SHA256.Digest {
    // One spare byte each, because an empty array may have no address, and to OpenSSL a null key is no key at all.
    let paddedKey = key + [0]
    let paddedMessage = message.isEmpty ? [0] : message
    return SHA256.Digest { digest in
      var written = 0
      let result = EVP_Q_mac(
        nil, "HMAC", nil, "SHA256", nil, paddedKey, key.count, paddedMessage, message.count, digest,
        SHA256.Digest.byteCount, &written)
      precondition(result != nil && written == SHA256.Digest.byteCount, "HMAC-SHA-256 failed")
    }
  }

  /// The authentication code of a text's UTF-8 bytes.
  public static func authenticationCode(for text: String, key: [UInt8]) -> SHA256.Digest {
    authenticationCode(for: Array(text.utf8), key: key)
  }
}
