import CKernels

/// What the rows of a block hold.
struct RowShape: Sendable, Hashable {
  let dimension: Int
  /// Whether rows are codes; whole vectors otherwise.
  let isCoded: Bool

  /// 64-bit words of a code.
  var words: Int { (dimension + 63) / 64 }
  /// Bytes of a row's signs, sizes and weight, as `sketches` keeps them.
  var sketchBytes: Int { 16 * words + 4 }
}

/// At most ``capacity`` chunks in the order of their keys: codes, or whole vectors while there are few, and the
/// lengths by which BM25 weighs terms.
struct RowBlock: Sendable {
  static let capacity = 4_096

  /// Consecutive chunks of one revision, which may go on in the next block.
  struct Run: Sendable, Hashable {
    var revision: Int64
    var collection: Int64
    var firstChunk: Int64
    var start: Int
    var count: Int
    var range: Range<Int> { start..<start + count }
  }

  let shape: RowShape
  private(set) var runs: [Run] = []
  private(set) var count = 0
  /// Signs in tiles of eight rows; empty when the rows are vectors.
  private(set) var tiles: [UInt64]
  /// The other bits, one row after the other.
  private(set) var sizes: [UInt64] = []
  private(set) var weights: [Float] = []
  /// Binary16; empty when the rows are codes.
  private(set) var vectors: [UInt16] = []
  /// Tokens of each chunk in the table of words, and in that of n-grams.
  private(set) var wordCounts: [UInt32] = []
  private(set) var gramCounts: [UInt32] = []

  init(shape: RowShape) {
    self.shape = shape
    tiles = shape.isCoded ? [UInt64](repeating: 0, count: Self.capacity * shape.words) : []
  }

  var room: Int { Self.capacity - count }

  /// Adds the chunks `part` of a revision.
  mutating func append(_ rows: RevisionRows, _ part: Range<Int>) {
    runs.append(
      Run(
        revision: rows.revision, collection: rows.collection, firstChunk: rows.firstChunk + Int64(part.lowerBound),
        start: count, count: part.count))
    if shape.isCoded {
      let bytes = 8 * shape.words
      guard let base = rows.content.baseAddress else { return }
      qk_tiles_put(&tiles, count, base + part.lowerBound * bytes, part.count, shape.words)
      sizes.append(
        contentsOf: Self.copy(rows.content, from: (rows.count + part.lowerBound) * bytes, part.count * shape.words))
      weights.append(
        contentsOf: Self.copy(rows.content, from: 2 * rows.count * bytes + 4 * part.lowerBound, part.count))
    } else {
      let start = part.lowerBound * shape.dimension
      vectors.append(contentsOf: Self.copy(rows.content, from: 2 * start, part.count * shape.dimension))
    }
    wordCounts.append(contentsOf: rows.wordCounts[part])
    gramCounts.append(contentsOf: rows.gramCounts[part])
    count += part.count
  }

  /// Numbers at any alignment, little-endian as every CPU is that Quarry runs on.
  private static func copy<Number: BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, from start: Int, _ count: Int
  ) -> [Number] {
    [Number](unsafeUninitializedCapacity: count) { buffer, initialized in
      let size = count * MemoryLayout<Number>.size
      UnsafeMutableRawBufferPointer(buffer).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + size]))
      initialized = count
    }
  }

  /// Takes a revision's chunks out.
  mutating func remove(_ revision: Int64) {
    guard let index = runs.firstIndex(where: { $0.revision == revision }) else { return }
    let gone = runs.remove(at: index)
    let rest = count - gone.start - gone.count
    if shape.isCoded {
      qk_tiles_move(&tiles, gone.start, gone.start + gone.count, rest, shape.words)
      sizes.removeSubrange(gone.start * shape.words..<(gone.start + gone.count) * shape.words)
      weights.removeSubrange(gone.range)
    } else {
      vectors.removeSubrange(gone.start * shape.dimension..<(gone.start + gone.count) * shape.dimension)
    }
    wordCounts.removeSubrange(gone.range)
    gramCounts.removeSubrange(gone.range)
    for later in index..<runs.count { runs[later].start -= gone.count }
    count -= gone.count
  }

  /// Adds all rows of a block that follows.
  mutating func append(_ other: RowBlock) {
    for run in other.runs {
      var run = run
      run.start += count
      runs.append(run)
    }
    if shape.isCoded {
      let words = shape.words
      func place(_ row: Int, _ word: Int) -> Int { (row / 8 * words + word) * 8 + row % 8 }
      for row in 0..<other.count {
        for word in 0..<words { tiles[place(count + row, word)] = other.tiles[place(row, word)] }
      }
    }
    sizes.append(contentsOf: other.sizes)
    weights.append(contentsOf: other.weights)
    vectors.append(contentsOf: other.vectors)
    wordCounts.append(contentsOf: other.wordCounts)
    gramCounts.append(contentsOf: other.gramCounts)
    count += other.count
  }

  /// The run that `row` belongs to.
  func run(of row: Int) -> Run {
    var low = 0
    var high = runs.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if runs[middle].start <= row { low = middle } else { high = middle }
    }
    return runs[low]
  }

  /// The key of the chunk in `row`.
  func chunk(of row: Int) -> Int64 {
    let run = run(of: row)
    return run.firstChunk + Int64(row - run.start)
  }
}

/// One revision's rows on their way into blocks; `content` is valid only for the call that it is given to.
struct RevisionRows {
  var revision: Int64
  var collection: Int64
  var firstChunk: Int64
  var count: Int
  /// Codes and then weights, as `sketches` has them, or `count` vectors.
  var content: UnsafeRawBufferPointer
  var wordCounts: [UInt32]
  var gramCounts: [UInt32]
}

/// The active space's rows at one version of the store. A value: who searches it keeps what it began with.
struct ResidentRows: Sendable {
  let space: Int64
  let shape: RowShape
  /// What codes are signs about; nil while the rows are vectors.
  let centre: [Float]?
  private(set) var blocks: [RowBlock] = []
  private(set) var count = 0

  init(space: Int64, dimension: Int, centre: [Float]?) {
    self.space = space
    self.centre = centre
    shape = RowShape(dimension: dimension, isCoded: centre != nil)
  }

  var lastRevision: Int64? { blocks.last?.runs.last?.revision }

  /// Adds a revision later than all that are there.
  mutating func append(_ rows: RevisionRows) {
    var next = 0
    while next < rows.count {
      if (blocks.last?.room ?? 0) == 0 { blocks.append(RowBlock(shape: shape)) }
      let part = next..<min(rows.count, next + blocks[blocks.count - 1].room)
      blocks[blocks.count - 1].append(rows, part)
      next = part.upperBound
    }
    count += rows.count
  }

  /// Takes a revision out; nothing happens when it is not there.
  mutating func remove(_ revision: Int64) {
    var index = firstBlock { ($0.runs.last?.revision ?? 0) >= revision }
    while index < blocks.count, (blocks[index].runs.first?.revision ?? .max) <= revision {
      let before = blocks[index].count
      blocks[index].remove(revision)
      count -= before - blocks[index].count
      if blocks[index].count == 0 {
        blocks.remove(at: index)
      } else if index > 0, blocks[index - 1].count + blocks[index].count <= RowBlock.capacity / 2 {
        // Many deletions must not leave many blocks of few rows.
        let rest = blocks.remove(at: index)
        blocks[index - 1].append(rest)
      } else {
        index += 1
      }
    }
  }

  /// The first block for which `condition`, which once true stays true, holds; else their number.
  func firstBlock(where condition: (RowBlock) -> Bool) -> Int {
    var low = 0
    var high = blocks.count
    while low < high {
      let middle = (low + high) / 2
      if condition(blocks[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
