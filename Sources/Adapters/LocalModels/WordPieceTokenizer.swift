public import Core

/// BERT's uncased WordPiece tokenizer (Devlin et al. 2019, arXiv:1810.04805), equal to the reference
/// implementation on every input: Hugging Face `tokenizers` with special tokens taken as plain text, so that a
/// `[SEP]` written in a document stays text.
public struct WordPieceTokenizer: TokenCounter {
  /// Longer words become `[UNK]`; in Unicode scalars, after normalisation.
  static let longestWord = 100

  private let table: WordPieceTable
  private let vocabulary: WordPieceVocabulary

  /// Creates a tokenizer from the contents of `vocab.txt`: one piece a line, whose number is its id.
  /// - Throws: ``LocalModelsError`` with code `model.unreadable` when that is not a BERT vocabulary.
  public init(vocabulary bytes: UnsafeBufferPointer<UInt8>) throws(LocalModelsError) {
    vocabulary = try WordPieceVocabulary(lines: bytes)
    table = WordPieceTable()
  }

  /// Number of pieces; ids are below it.
  public var vocabularySize: Int { vocabulary.count }

  /// `[CLS]` and `[SEP]`.
  public var specialTokens: Int { 2 }

  /// The tokens of `text`, special tokens not included.
  public func count(_ text: String) -> Int {
    pieces(of: text, limit: .max).count
  }

  /// The ids of `text` between `[CLS]` and `[SEP]`, cut to `limit` ids in all (at least 2).
  public func encode(_ text: String, limit: Int) -> [Int32] {
    var result = pieces(of: text, limit: max(0, limit - 2), leading: vocabulary.classification)
    result.append(vocabulary.separator)
    return result
  }

  private func pieces(of text: String, limit: Int, leading: Int32? = nil) -> [Int32] {
    var text = text
    var words = Words(table: table, vocabulary: vocabulary, limit: limit, leading: leading)
    text.withUTF8 { words.read($0) }
    return words.ids
  }
}

/// One pass over a text: normalises scalar by scalar and cuts each word into pieces when it ends.
private struct Words {
  let table: WordPieceTable
  let vocabulary: WordPieceVocabulary
  /// How many ids may be appended.
  let end: Int
  var ids: [Int32] = []
  /// The current word in UTF-8, and its length in scalars.
  private var word: [UInt8] = []
  private var scalars = 0
  /// The current run of combining marks with their ranks, not yet in `word`.
  private var marks: [(rank: UInt32, scalar: UInt32)] = []

  init(table: WordPieceTable, vocabulary: WordPieceVocabulary, limit: Int, leading: Int32?) {
    self.table = table
    self.vocabulary = vocabulary
    if let leading { ids.append(leading) }
    end = limit == .max ? .max : ids.count + limit
    word.reserveCapacity(128)
  }

  mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) {
    var position = 0
    while position < bytes.count, ids.count < end {
      let byte = bytes[position]
      var scalar = UInt32(byte)
      // Swift strings are valid UTF-8, so lead bytes tell the length and nothing needs checking.
      if byte < 0x80 {
        position += 1
        if byte &- UInt8(ascii: "a") < 26, marks.isEmpty {
          word.append(byte)
          scalars += 1
          continue
        }
      } else if byte < 0xe0 {
        scalar = (scalar & 0x1f) << 6 | UInt32(bytes[position + 1] & 0x3f)
        position += 2
      } else if byte < 0xf0 {
        scalar = (scalar & 0x0f) << 12 | UInt32(bytes[position + 1] & 0x3f) << 6
        scalar |= UInt32(bytes[position + 2] & 0x3f)
        position += 3
      } else {
        scalar = (scalar & 0x07) << 18 | UInt32(bytes[position + 1] & 0x3f) << 12
        scalar |= UInt32(bytes[position + 2] & 0x3f) << 6 | UInt32(bytes[position + 3] & 0x3f)
        position += 4
      }
      take(scalar)
    }
    endWord()
    if ids.count > end { ids.removeLast(ids.count - end) }
  }

  private mutating func take(_ scalar: UInt32) {
    let entry = table[scalar]
    switch entry.kind {
    case .word: append(scalar)
    case .mapped: append(entry.value)
    case .isolated: appendIsolated(scalar)
    case .mappedIsolated: appendIsolated(entry.value)
    case .space: endWord()
    case .dropped: break
    case .droppedStarter: endMarks()
    case .mark: marks.append((entry.value, scalar))
    case .sequence:
      let first = Int(entry.value >> 4)
      for scalar in table.sequences[first..<first + Int(entry.value & 15)] {
        let part = table[scalar]
        if part.kind == .mark { marks.append((part.value, scalar)) } else { append(scalar) }
      }
    case .hangul:
      // The Unicode Standard, section 3.12: decomposition of precomposed syllables into jamo.
      let index = scalar - 0xac00
      append(0x1100 + index / 588)
      append(0x1161 + index % 588 / 28)
      if index % 28 != 0 { append(0x11a7 + index % 28) }
    }
  }

  private mutating func append(_ scalar: UInt32) {
    endMarks()
    appendBytes(of: scalar)
  }

  private mutating func appendIsolated(_ scalar: UInt32) {
    endWord()
    appendBytes(of: scalar)
    endWord()
  }

  private mutating func appendBytes(of scalar: UInt32) {
    scalars += 1
    if scalar < 0x80 {
      word.append(UInt8(scalar))
    } else if scalar < 0x800 {
      word.append(0xc0 | UInt8(scalar >> 6))
      word.append(0x80 | UInt8(scalar & 0x3f))
    } else if scalar < 0x10000 {
      word.append(0xe0 | UInt8(scalar >> 12))
      word.append(0x80 | UInt8(scalar >> 6 & 0x3f))
      word.append(0x80 | UInt8(scalar & 0x3f))
    } else {
      word.append(0xf0 | UInt8(scalar >> 18))
      word.append(0x80 | UInt8(scalar >> 12 & 0x3f))
      word.append(0x80 | UInt8(scalar >> 6 & 0x3f))
      word.append(0x80 | UInt8(scalar & 0x3f))
    }
  }

  /// Canonical ordering (The Unicode Standard, D109): a stable sort of the run by class.
  private mutating func endMarks() {
    guard !marks.isEmpty else { return }
    let run = marks.enumerated().sorted { left, right in
      (left.element.rank, left.offset) < (right.element.rank, right.offset)
    }
    marks.removeAll(keepingCapacity: true)
    for mark in run { appendBytes(of: mark.element.scalar) }
  }

  /// Greedy longest match: pieces until the word is used up, or `[UNK]` alone when some rest has no piece.
  private mutating func endWord() {
    endMarks()
    guard scalars > 0 else { return }
    let first = ids.count
    var isUnknown = scalars > WordPieceTokenizer.longestWord
    if !isUnknown {
      word.withUnsafeBufferPointer { bytes in
        var position = 0
        var start = WordPieceVocabulary.Start.word
        while position < bytes.count {
          guard let piece = vocabulary.longestPiece(bytes, from: position, start: start) else {
            isUnknown = true
            return
          }
          ids.append(piece.id)
          position = piece.end
          start = .inside
        }
      }
    }
    if isUnknown {
      ids.removeLast(ids.count - first)
      ids.append(vocabulary.unknown)
    }
    word.removeAll(keepingCapacity: true)
    scalars = 0
  }
}
