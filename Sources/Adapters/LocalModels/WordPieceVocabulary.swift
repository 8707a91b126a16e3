/// A WordPiece vocabulary as a byte trie, so that the longest piece that begins a text is found in one walk.
struct WordPieceVocabulary: Sendable {
  /// Where walks begin: words, and pieces inside a word (written with `##` in the vocabulary).
  enum Start: UInt32 {
    case word = 0
    case inside = 1
  }

  /// Number of pieces; ids are 0 ..< count.
  private(set) var count = 0
  /// The ids of `[UNK]`, `[CLS]` and `[SEP]`.
  private(set) var unknown: Int32 = 0, classification: Int32 = 0, separator: Int32 = 0

  // Edges of the trie in an open-addressing table: key = node << 8 | byte, plus one so that zero is empty.
  private var keys: [UInt64]
  private var targets: [UInt32]
  private var shift: UInt64
  private var ids: [Int32] = [-1, -1]

  /// Reads `vocab.txt`: one piece a line, whose number is its id.
  /// - Throws: ``LocalModelsError`` when a special token is missing, or the file is empty or not plausible.
  init(lines bytes: UnsafeBufferPointer<UInt8>) throws(LocalModelsError) {
    // Twice as many slots as edges at most: an edge needs a byte of the file.
    let bits = max(4, Int.bitWidth - max(1, bytes.count).leadingZeroBitCount)
    guard bits <= 30 else { throw .unreadable("vocab.txt is \(bytes.count) bytes long") }
    keys = Array(repeating: 0, count: 1 << bits)
    targets = Array(repeating: 0, count: 1 << bits)
    shift = UInt64(64 - bits)
    var special: [String: Int32] = [:]
    var id: Int32 = 0
    var start = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
      let next = end + 1
      if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
      let piece = UnsafeBufferPointer(rebasing: bytes[start..<end])
      if piece.first == UInt8(ascii: "["), piece.last == UInt8(ascii: "]") {
        special[String(decoding: piece, as: UTF8.self)] = id
      }
      insert(piece, id: id)
      id += 1
      start = next
    }
    count = Int(id)
    guard let unknown = special["[UNK]"], let classification = special["[CLS]"], let separator = special["[SEP]"]
    else { throw .unreadable("vocab.txt lacks [UNK], [CLS] or [SEP]") }
    self.unknown = unknown
    self.classification = classification
    self.separator = separator
  }

  /// The longest piece that begins `text`, and how many bytes it takes; nil when there is none.
  @inline(__always)
  func longestPiece(_ text: UnsafeBufferPointer<UInt8>, from first: Int, start: Start) -> (id: Int32, end: Int)? {
    var node = start.rawValue
    var best: (id: Int32, end: Int)?
    var position = first
    while position < text.count, let next = child(of: node, by: text[position]) {
      node = next
      position += 1
      let id = ids[Int(node)]
      if id >= 0 { best = (id, position) }
    }
    return best
  }

  private mutating func insert(_ piece: UnsafeBufferPointer<UInt8>, id: Int32) {
    let marker = UInt8(ascii: "#")
    let isInside = piece.count > 2 && piece[0] == marker && piece[1] == marker
    var node = isInside ? Start.inside.rawValue : Start.word.rawValue
    guard !piece.isEmpty else { return }
    for byte in piece[(isInside ? 2 : 0)...] {
      if let next = child(of: node, by: byte) {
        node = next
        continue
      }
      let next = UInt32(ids.count)
      ids.append(-1)
      let slot = slot(of: Self.key(node, byte))
      keys[slot] = Self.key(node, byte)
      targets[slot] = next
      node = next
    }
    ids[Int(node)] = id
  }

  @inline(__always)
  private static func key(_ node: UInt32, _ byte: UInt8) -> UInt64 { (UInt64(node) << 8 | UInt64(byte)) &+ 1 }

  /// The slot that holds `key`, or the empty one where it belongs.
  @inline(__always)
  private func slot(of key: UInt64) -> Int {
    var slot = Int((key &* 0x9e37_79b9_7f4a_7c15) >> shift)
    while keys[slot] != key, keys[slot] != 0 { slot = (slot + 1) & (keys.count - 1) }
    return slot
  }

  @inline(__always)
  private func child(of node: UInt32, by byte: UInt8) -> UInt32? {
    let key = Self.key(node, byte)
    let slot = slot(of: key)
    return keys[slot] == key ? targets[slot] : nil
  }
}
