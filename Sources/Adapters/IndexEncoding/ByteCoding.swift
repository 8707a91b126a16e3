/// Writes small integers as LEB128, one byte for each seven bits. Source: DWARF 5, section 7.6.
package struct ByteWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func write(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  package mutating func write(_ value: Int) { write(UInt64(value)) }

  /// Signed values of small size stay small: 0, −1, 1, −2 … become 0, 1, 2, 3 …
  package static func zigzag(_ value: Int) -> UInt64 { UInt64(bitPattern: Int64((value << 1) ^ (value >> 63))) }
  package static func unzigzag(_ value: UInt64) -> Int { Int(Int64(bitPattern: value >> 1)) ^ -Int(value & 1) }
}

/// Reads what ``ByteWriter`` wrote; nil at the end or on nonsense, never a trap: the bytes come from a file.
package struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  package var isAtEnd: Bool { position == bytes.count }

  package mutating func read() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < bytes.count, shift < 64 {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  /// A count or offset, at most `limit`.
  package mutating func readInt(atMost limit: Int = 1 << 40) -> Int? {
    guard let value = read(), value <= UInt64(limit) else { return nil }
    return Int(value)
  }

  /// A signed value within ±2⁴⁰, so that sums of a few cannot overflow.
  package mutating func readSigned() -> Int? {
    guard let value = read(), value < 1 << 41 else { return nil }
    return ByteWriter.unzigzag(value)
  }
}
