/// A writing system, as far as retrieval must tell them apart.
public enum Script: String, Sendable, Codable, CaseIterable {
  /// Latin letters.
  case latin
  /// Cyrillic letters.
  case cyrillic
  /// Greek letters.
  case greek
  /// Arabic letters.
  case arabic
  /// Hebrew letters.
  case hebrew
  /// Chinese characters.
  case han
  /// Hiragana and katakana.
  case kana
  /// Korean syllables and letters.
  case hangul
  /// Thai, Lao, Khmer and Burmese letters: written without spaces.
  case southEastAsian
  /// Devanagari and other Indic letters.
  case indic
  /// Any other letters.
  case other

  /// Whether words of the script are not separated by spaces, so that only trigrams can find them.
  public var lacksWordSpaces: Bool { self == .han || self == .kana || self == .southEastAsian }

  /// The script of a letter; nil for digits, punctuation, symbols and marks.
  /// Ranges: Unicode code charts, https://www.unicode.org/charts/
  public init?(of scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0x41...0x5A, 0x61...0x7A, 0xAA, 0xBA, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x24F, 0x1E00...0x1EFF,
      0x2C60...0x2C7F, 0xA722...0xA7FF, 0xFB00...0xFB06, 0xFF21...0xFF3A, 0xFF41...0xFF5A:
      self = .latin
    case 0x370...0x373, 0x376...0x37D, 0x37F...0x3FF, 0x1F00...0x1FFF: self = .greek
    case 0x400...0x481, 0x48A...0x52F, 0x1C80...0x1C88, 0x2DE0...0x2DFF, 0xA640...0xA69F: self = .cyrillic
    case 0x5D0...0x5EA, 0xFB1D...0xFB4F: self = .hebrew
    case 0x620...0x64A, 0x66E...0x6D3, 0x6FA...0x6FF, 0x750...0x77F, 0x8A0...0x8C9, 0xFB50...0xFDFF, 0xFE70...0xFEFC:
      self = .arabic
    case 0x900...0xDFF: self = .indic
    case 0xE01...0xEDF, 0x1000...0x109F, 0x1780...0x17DC: self = .southEastAsian
    case 0x1100...0x11FF, 0x3130...0x318F, 0xA960...0xA97F, 0xAC00...0xD7FB: self = .hangul
    case 0x3041...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF9F: self = .kana
    case 0x3005...0x3007, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF: self = .han
    default:
      guard scalar.properties.isAlphabetic else { return nil }
      self = .other
    }
  }

  /// The scripts of a text's letters, with how many letters each has.
  public static func counts(in text: String) -> [Script: Int] {
    var counts: [Script: Int] = [:]
    for scalar in text.unicodeScalars {
      if let script = Script(of: scalar) { counts[script, default: 0] += 1 }
    }
    return counts
  }
}
