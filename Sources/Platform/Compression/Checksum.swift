import CZlib

/// The CRC-32 of gzip, zip and PNG (RFC 1952, section 8). Finds accidents, not attacks.
/// - Parameter previous: the checksum of what came before `bytes`, to go on from; 0 at the start.
public func crc32(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
  // A null pointer would mean "give the initial value".
  if bytes.isEmpty { return previous }
  return UInt32(crc32_z(UInt(previous), bytes.baseAddress!.assumingMemoryBound(to: Bytef.self), bytes.count))
}

/// The CRC-32 of gzip, zip and PNG (RFC 1952, section 8).
public func crc32(_ bytes: [UInt8], continuing previous: UInt32 = 0) -> UInt32 {
  bytes.withUnsafeBytes { crc32($0, continuing: previous) }
}
