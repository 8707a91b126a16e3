/// Text folded for comparison of quotes: white space runs are one space, quotation marks, dashes and case are
/// made alike. Each folded scalar knows where it came from.
struct FoldedText {
  private(set) var scalars: [Unicode.Scalar] = []
  /// For each folded scalar, the index of the scalar it came from.
  private(set) var origins: [Int] = []

  init(_ text: some Sequence<Unicode.Scalar>) {
    var pendingSpace = false
    for (index, scalar) in text.enumerated() {
      if scalar.properties.isWhitespace {
        pendingSpace = !scalars.isEmpty
        continue
      }
      guard let folded = Self.fold(scalar) else { continue }
      if pendingSpace {
        scalars.append(" ")
        origins.append(index)
        pendingSpace = false
      }
      for piece in folded.unicodeScalars {
        scalars.append(piece)
        origins.append(index)
      }
    }
  }

  private static func fold(_ scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0xAD, 0x200B...0x200F, 0xFEFF: nil
    case 0x2018, 0x2019, 0x201A, 0x201B, 0x2032: "'"
    case 0x201C, 0x201D, 0x201E, 0x201F, 0x2033, 0xAB, 0xBB: "\""
    case 0x2010...0x2015, 0x2212: "-"
    case 0x2026: "..."
    case 0xFB00: "ff"
    case 0xFB01: "fi"
    case 0xFB02: "fl"
    case 0xFB03: "ffi"
    case 0xFB04: "ffl"
    default: scalar.properties.lowercaseMapping
    }
  }

  /// The half-open range, in the original's scalars, of the first occurrence of `other`; nil when there is none
  /// or `other` is empty.
  func range(of other: FoldedText) -> Range<Int>? {
    let needle = other.scalars
    guard let first = needle.first, needle.count <= scalars.count else { return nil }
    for start in 0...(scalars.count - needle.count) where scalars[start] == first {
      if scalars[start..<(start + needle.count)].elementsEqual(needle) {
        return origins[start]..<(origins[start + needle.count - 1] + 1)
      }
    }
    return nil
  }
}
