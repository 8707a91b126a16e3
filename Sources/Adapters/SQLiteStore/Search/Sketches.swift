import CKernels
import Core
import SQLite

/// What a search holds in memory of a revision: codes of its vectors once its space has a centre, and how many tokens
/// of each chunk the full-text tables have. All of it follows from `vectors` and those tables; it is stored, in the
/// transaction of the revision, so that opening reads little.
struct Sketch: Sendable, Equatable {
  /// The signs of each chunk, then the sizes of each, then the weights (binary32), little-endian; nil without a centre.
  var codes: [UInt8]?
  var wordCounts: [UInt32]
  /// Empty when no chunk has n-grams.
  var gramCounts: [UInt32]

  init(codes: [UInt8]?, wordCounts: [UInt32], gramCounts: [UInt32]) {
    self.codes = codes
    self.wordCounts = wordCounts
    self.gramCounts = gramCounts
  }

  /// Makes it from what is stored.
  init(chunks: Range<Int64>, of space: Space, centre: [Float]?, _ connection: Connection) throws {
    let codes = try centre.map { centre in
      let vectors = try StoredVectors.read(chunks, dimension: centre.count, connection)
      return Self.codes(of: vectors, centre: centre)
    }
    try self.init(codes: codes, counting: chunks, of: space, connection)
  }

  /// Makes it with the codes given.
  init(codes: [UInt8]?, counting chunks: Range<Int64>, of space: Space, _ connection: Connection) throws {
    self.codes = codes
    wordCounts = try FullTextTable(kind: .words, space: space.key).tokenCounts(of: chunks, connection)
    let grams = try FullTextTable(kind: .grams, space: space.key).tokenCounts(of: chunks, connection)
    gramCounts = grams.contains { $0 > 0 } ? grams : []
  }

  /// Signs, sizes and weights of rows of binary16.
  static func codes(of vectors: [UInt16], centre: [Float]) -> [UInt8] {
    let dimension = centre.count
    let count = vectors.count / max(1, dimension)
    let words = RowShape(dimension: dimension, isCoded: true).words
    var signs = [UInt64](repeating: 0, count: count * words)
    var sizes = signs
    var weights = [Float](repeating: 0, count: count)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, dimension)) { residual in
      qk_codes_from_f16(vectors, centre, count, dimension, residual.baseAddress, &signs, &sizes, &weights)
    }
    // Every CPU that Quarry runs on is little-endian.
    return signs.withUnsafeBytes { [UInt8]($0) } + sizes.withUnsafeBytes { [UInt8]($0) }
      + weights.withUnsafeBytes { [UInt8]($0) }
  }

  func store(_ revision: Int64, _ connection: Connection) throws {
    try connection.run(
      "INSERT OR REPLACE INTO sketches (revision, codes, word_counts, gram_counts) VALUES (?, ?, ?, ?)", revision,
      codes, Self.bytes(wordCounts), gramCounts.isEmpty ? nil : Self.bytes(gramCounts))
  }

  private static func bytes(_ counts: [UInt32]) -> [UInt8] { counts.withUnsafeBytes { [UInt8]($0) } }

  static func counts(_ bytes: UnsafeRawBufferPointer) -> [UInt32] {
    (0..<bytes.count / 4).map {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
    }
  }
}

/// A revision with its sketch, as a row of a query.
struct SketchRow {
  let row: Row
  /// How the columns of ``columns`` are read.
  var revision: Int64 { row.integer(0) }
  var collection: Int64 { row.integer(1) }
  var chunks: Range<Int64> { row.integer(2)..<row.integer(2) + max(0, row.integer(3)) }

  private static func query(_ condition: String, isCoded: Bool) -> String {
    """
    SELECT r.key, d.collection, r.first_chunk, r.chunk_count, \(isCoded ? "s.codes" : "NULL"), s.word_counts,
      s.gram_counts FROM revisions r JOIN documents d ON d.key = r.document LEFT JOIN sketches s ON s.revision = r.key
    WHERE r.space = ?1 AND r.chunk_count > 0 AND \(condition) ORDER BY r.key
    """
  }

  /// Calls `body` for each revision of a space that has chunks, by key.
  static func forEach(
    of space: Space, isCoded: Bool, _ connection: Connection, _ body: (SketchRow) throws -> Void
  ) throws {
    try connection.forEach(query("TRUE", isCoded: isCoded), space.key) { try body(SketchRow(row: $0)) }
  }

  /// One revision; nil when it is not there or has no chunks.
  static func first<Result>(
    _ revision: Int64, of space: Space, _ connection: Connection, _ body: (SketchRow) throws -> Result
  ) throws -> Result? {
    try connection.first(query("r.key = ?2", isCoded: space.isCoded), space.key, revision) {
      try body(SketchRow(row: $0))
    }
  }

  /// Lends the revision's rows. What no sketch has (a process of an earlier version committed it) is made on the way.
  func withRows(
    space: Space, centre: [Float]?, _ connection: Connection, _ body: (RevisionRows) -> Void
  ) throws {
    let chunks = chunks
    let shape = RowShape(dimension: space.identity.dimension, isCoded: centre != nil)
    var made: Sketch?
    func sketch() throws -> Sketch {
      let sketch = try made ?? Sketch(chunks: chunks, of: space, centre: centre, connection)
      made = sketch
      return sketch
    }
    func counts(_ column: Int, _ path: KeyPath<Sketch, [UInt32]>) throws -> [UInt32] {
      // A sketch without n-grams is one of chunks that have none.
      if row.isNull(column), !row.isNull(5) { return [UInt32](repeating: 0, count: chunks.count) }
      let stored = row.withBytes(column, Sketch.counts)
      if stored.count == chunks.count { return stored }
      let made = try sketch()[keyPath: path]
      return made.isEmpty ? [UInt32](repeating: 0, count: chunks.count) : made
    }
    let words = try counts(5, \.wordCounts)
    let grams = try counts(6, \.gramCounts)
    func lend(_ content: UnsafeRawBufferPointer) {
      body(
        RevisionRows(
          revision: revision, collection: collection, firstChunk: chunks.lowerBound, count: chunks.count,
          content: content, wordCounts: words, gramCounts: grams))
    }
    guard let centre else {
      return try StoredVectors.read(chunks, dimension: shape.dimension, connection).withUnsafeBytes(lend)
    }
    let isThere = row.withBytes(4) { bytes in
      if bytes.count == chunks.count * shape.sketchBytes { lend(bytes) }
      return bytes.count == chunks.count * shape.sketchBytes
    }
    if isThere { return }
    let codes =
      try made?.codes
      ?? Sketch.codes(of: StoredVectors.read(chunks, dimension: shape.dimension, connection), centre: centre)
    codes.withUnsafeBytes(lend)
  }
}

/// Exact vectors of the `vectors` table.
enum StoredVectors {
  /// The rows of consecutive chunks.
  /// - Throws: `store.corrupt` when one is missing or of another size.
  static func read(_ chunks: Range<Int64>, dimension: Int, _ connection: Connection) throws -> [UInt16] {
    let count = chunks.count
    return try [UInt16](unsafeUninitializedCapacity: count * dimension) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      let size = dimension * 2
      var filled = 0
      let sql = "SELECT chunk, vector FROM vectors WHERE chunk BETWEEN ? AND ? ORDER BY chunk"
      try connection.forEach(sql, chunks.lowerBound, chunks.upperBound - 1) { row in
        try row.withBytes(1) { bytes in
          guard row.integer(0) == chunks.lowerBound + Int64(filled), bytes.count == size, filled < count else {
            throw StoreError.damaged("vectors of chunks \(chunks) are missing or have another size")
          }
          UnsafeMutableRawBufferPointer(rebasing: raw[(filled * size)..<((filled + 1) * size)]).copyMemory(from: bytes)
        }
        filled += 1
      }
      guard filled == count else { throw StoreError.damaged("chunks \(chunks) have \(filled) vectors of \(count)") }
      initialized = filled * dimension
    }
  }

  /// The products of `query` with the vectors of `chunks`, in their order; quickest when they ascend.
  /// - Throws: `store.corrupt` when one is missing or of another size.
  static func products(
    of query: [Float], with chunks: [Int64], _ connection: Connection
  ) throws -> [Float] {
    var scores = [Float](repeating: 0, count: chunks.count)
    let size = 2 * query.count
    try withUnsafeTemporaryAllocation(of: UInt16.self, capacity: max(1, query.count)) { vector in
      let raw = UnsafeMutableRawBufferPointer(vector)
      try connection.withStatement("SELECT vector FROM vectors WHERE chunk = ?") { statement in
        for (index, chunk) in chunks.enumerated() {
          statement.reset()
          try statement.bind(chunk, at: 1)
          guard try statement.step() else { throw StoreError.damaged("chunk \(chunk) has no vector") }
          try statement.row.withBytes(0) { bytes in
            guard bytes.count == size else {
              throw StoreError.damaged("the vector of chunk \(chunk) has \(bytes.count) bytes, not \(size)")
            }
            // SQLite gives a blob any alignment.
            raw.copyMemory(from: bytes)
          }
          qk_dot_f16(query, vector.baseAddress, 1, query.count, &scores[index], QK_PATH_AUTO)
        }
      }
    }
    return scores
  }
}
