/// What BERT's text normalisation does to each Unicode scalar, in two stages: a page for each 256 scalars, most
/// of them shared. The data is the reference implementation's behaviour, not Unicode's current tables: see
/// `scripts/generate-tokenizer-tables.py`, which also explains the kinds.
package struct WordPieceTable: Sendable {
  /// What happens to a scalar. The numbers are the generator's.
  package enum Kind: UInt8 {
    /// Part of a word, as it is.
    case word = 0
    /// A word by itself, as it is: punctuation and ideographs.
    case isolated
    /// Vanishes; marks around it are still ordered as one run.
    case dropped
    /// Vanishes, and ends a run of marks.
    case droppedStarter
    /// Separates words.
    case space
    /// Another scalar, part of a word.
    case mapped
    /// Another scalar, a word by itself.
    case mappedIsolated
    /// Several scalars, part of a word.
    case sequence
    /// A combining mark that stays: runs of marks are sorted by rank.
    case mark
    /// A Hangul syllable, which decomposes by arithmetic.
    case hangul
  }

  /// What happens to one scalar, and the value that goes with it: the other scalar, the place in `sequences`, or
  /// the rank of a mark.
  package struct Entry: Sendable {
    fileprivate let bits: UInt32

    fileprivate init(_ kind: Kind, _ value: UInt32) {
      bits = UInt32(kind.rawValue) << 24 | value
    }

    /// What happens.
    package var kind: Kind { Kind(rawValue: UInt8(truncatingIfNeeded: bits >> 24)) ?? .word }
    /// The value that goes with it.
    package var value: UInt32 { bits & 0xff_ffff }
  }

  /// The scalars of each `sequence`, whose entry is (first << 4 | count).
  private(set) var sequences: [UInt32] = []
  private var pages: [UInt16]
  private var entries: [Entry]

  /// Decodes the generated data, in well under a millisecond.
  package init() {
    let pageCount = 0x110000 >> 8
    pages = Array(repeating: 0, count: pageCount)
    entries = Array(repeating: Entry(.word, 0), count: 256)
    var shared: [UInt32: UInt16] = [:]
    var reader = Reader(bytes: Self.encoded)
    var first = 0
    while !reader.isAtEnd {
      first += reader.number()
      let kindAndStep = reader.number()
      let count = reader.number()
      let step = kindAndStep & 1 + 1
      guard let kind = Kind(rawValue: UInt8(kindAndStep >> 1)) else { preconditionFailure("damaged table") }
      let value = readValue(of: kind, at: first, from: &reader)
      let moves = kind == .mapped || kind == .mappedIsolated
      var index = 0
      while index < count {
        let scalar = first + index * step
        if !moves, step == 1, scalar & 255 == 0, count - index >= 256 {
          // A whole page of one entry: private use, ideographs, Hangul.
          let entry = Entry(kind, UInt32(value))
          let page = shared[entry.bits] ?? appendPage(of: entry)
          shared[entry.bits] = page
          pages[scalar >> 8] = page
          index += 256
          continue
        }
        if pages[scalar >> 8] == 0 { pages[scalar >> 8] = appendPage(of: Entry(.word, 0)) }
        entries[Int(pages[scalar >> 8]) << 8 | scalar & 255] = Entry(kind, UInt32(moves ? scalar + value : value))
        index += 1
      }
    }
  }

  /// What happens to `scalar`, which must be below 0x110000.
  @inline(__always)
  package subscript(scalar: UInt32) -> Entry {
    entries[Int(pages[Int(scalar >> 8)]) << 8 | Int(scalar & 255)]
  }

  private mutating func appendPage(of entry: Entry) -> UInt16 {
    entries.append(contentsOf: repeatElement(entry, count: 256))
    return UInt16(entries.count / 256 - 1)
  }

  private mutating func readValue(of kind: Kind, at first: Int, from reader: inout Reader) -> Int {
    switch kind {
    case .mapped, .mappedIsolated:
      return reader.signedNumber()
    case .mark:
      return reader.number()
    case .sequence:
      let count = reader.number()
      let start = sequences.count
      for _ in 0..<count { sequences.append(UInt32(first + reader.signedNumber())) }
      return start << 4 | count
    case .word, .isolated, .dropped, .droppedStarter, .space, .hangul:
      return 0
    }
  }

  /// Reads numbers of five bits a character, lowest first; the sixth bit says that more follow.
  private struct Reader {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    init(bytes: StaticString) {
      self.bytes = UnsafeBufferPointer(start: bytes.utf8Start, count: bytes.utf8CodeUnitCount)
      skipLineEnds()
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skipLineEnds() {
      while position < bytes.count, bytes[position] < 48 { position += 1 }
    }

    mutating func number() -> Int {
      var result = 0
      var shift = 0
      while true {
        let digit = Int(bytes[position]) - 48
        position += 1
        skipLineEnds()
        result |= (digit & 31) << shift
        shift += 5
        if digit < 32 { return result }
      }
    }

    mutating func signedNumber() -> Int {
      let number = number()
      return number & 1 == 0 ? number / 2 : -(number + 1) / 2
    }
  }
}
