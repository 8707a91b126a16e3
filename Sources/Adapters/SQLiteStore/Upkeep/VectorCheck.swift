import Core
import SQLite

/// Lengths of stored vectors.
enum VectorCheck {
  /// Rounding to binary16 changes a unit vector's length by at most .0005; anything beyond .01 is damage.
  static func isUnit(_ length: Double) -> Bool { length.isFinite && abs(length - 1) <= 0.01 }

  /// The length of a vector of binary16, little-endian; not finite when a component is not.
  static func lengthOfHalves(_ bytes: UnsafeRawBufferPointer) -> Double {
    var sum = 0.0
    for index in 0..<bytes.count / 2 {
      let value = single(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
      sum += Double(value) * Double(value)
    }
    return sum.squareRoot()
  }

  /// The length of a vector of binary32, little-endian.
  static func lengthOfSingles(_ bytes: UnsafeRawBufferPointer) -> Double {
    var sum = 0.0
    for index in 0..<bytes.count / 4 {
      let pattern = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
      let value = Double(Float(bitPattern: pattern))
      sum += value * value
    }
    return sum.squareRoot()
  }

  /// A binary16 as a binary32. Source: IEEE 754-2019, section 3.4. (`Float16` is not there on every CPU.)
  private static func single(_ half: UInt16) -> Float {
    let sign: Float = half & 0x8000 == 0 ? 1 : -1
    let exponent = Int(half >> 10 & 0x1f)
    let fraction = Float(half & 0x3ff)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
    }
  }
}

/// The cache's copy of a chunk's vector, from which a lost one can be made again.
enum CachedVector {
  static func exists(hash: String, canonical: String, _ connection: Connection) throws -> Bool {
    try connection.first(
      """
      SELECT 1 FROM embedding_cache e JOIN cached_identities i ON i.key = e.identity
      WHERE i.canonical = ? AND e.text_hash = ?
      """, canonical, hash
    ) { _ in true } ?? false
  }
}
