import CCrypto

/// Whether two byte strings are equal, in a time that depends on their length only.
///
/// For everything an attacker may guess at: keys, authentication codes, their hashes.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}

/// Whether two digests are equal, in constant time.
public func constantTimeEqual(_ left: SHA256.Digest, _ right: SHA256.Digest) -> Bool {
  left.withUnsafeBytes { left in
    right.withUnsafeBytes { right in CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0 }
  }
}

/// Unpredictable bytes, fit for keys.
///
/// Ends the process if the system has none to give: everything done with weak ones would be worse.
public func secureRandomBytes(count: Int) -> [UInt8] {
  [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
    let status = RAND_priv_bytes(buffer.baseAddress, Int32(count))
    precondition(count == 0 || status == 1, "the system has no random bytes")
    initialized = count
  }
}
