import CKernels
import Core
import SQLite

/// What the codes of an embedding space are signs about: the mean of its first vectors, chosen once and then kept, so
/// that codes never change. A space has none, and is searched exactly, while it has few vectors.
enum Centre {
  /// Vectors that a space needs for codes, and those of the mean.
  static let sample = 10_000

  /// The space's centre; nil when it has none.
  /// - Throws: `store.corrupt` when it has another size than the space's vectors.
  static func read(_ space: Space, _ connection: Connection) throws -> [Float]? {
    guard space.isCoded else { return nil }
    let centre = try connection.first("SELECT centre FROM spaces WHERE key = ?", space.key) { row in
      row.withBytes(0, Stored.floats)
    }
    guard let centre, centre.count == space.identity.dimension, centre.allSatisfy(\.isFinite) else {
      throw StoreError.damaged("the centre of embedding space \(space.key) cannot be read")
    }
    return centre
  }

  /// Chooses the centre if there are vectors enough. Returns whether it did.
  static func choose(for space: Space, _ connection: Connection) throws -> Bool {
    // Adds up to few rows: as long as there is no centre there are few chunks.
    let count = try connection.first("SELECT sum(chunk_count) FROM revisions WHERE space = ?", space.key) { $0.int(0) }
    guard let count, count >= sample else { return false }
    let dimension = space.identity.dimension
    var sums = [Double](repeating: 0, count: dimension)
    var counted = 0.0
    var single = [Float](repeating: 0, count: dimension)
    var halves = [UInt16](repeating: 0, count: dimension)
    try connection.forEach(
      """
      SELECT v.vector FROM revisions r JOIN vectors v ON v.chunk BETWEEN r.first_chunk AND r.first_chunk + r.chunk_count - 1
      WHERE r.space = ? ORDER BY r.key LIMIT ?
      """, space.key, sample
    ) { row in
      let isSound = row.withBytes(0) { bytes in
        guard bytes.count == 2 * dimension else { return false }
        halves.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
        return true
      }
      guard isSound else { return }
      qk_f32_from_f16(halves, &single, dimension, QK_PATH_AUTO)
      // Damage of one vector must not become that of all codes.
      guard single.allSatisfy(\.isFinite) else { return }
      for index in 0..<dimension { sums[index] += Double(single[index]) }
      counted += 1
    }
    guard counted > 0 else { return false }
    let centre = sums.map { Float($0 / counted) }
    try connection.run("UPDATE spaces SET centre = ? WHERE key = ?", Stored.bytes(centre), space.key)
    return true
  }
}

/// Sketches for revisions that have none: those of a store of an earlier version, and those from before their space had
/// a centre.
enum SketchBacklog {
  /// Chunks of one transaction, some hundredths of a second.
  private static let width = 4_000

  /// Chooses the space's centre once it has vectors enough, and makes the codes of what is there.
  ///
  /// In the transaction of the commit that brought the vector. More than one transaction should hold (the commit was of
  /// a program of an earlier version) is left to the next opening; searches make what they need of that.
  static func begin(_ space: Space, _ connection: Connection) throws {
    guard try Centre.choose(for: space, connection) else { return }
    var coded = space
    coded.isCoded = true
    let before = try connection.first("SELECT sketched FROM spaces WHERE key = ?", space.key) { $0.optionalInteger(0) }
    if before ?? nil == nil { try connection.run("UPDATE spaces SET sketched = 0 WHERE key = ?", space.key) }
    for _ in 0..<2 * Centre.sample / width where try advance(coded, connection).left == 0 { return }
  }

  /// Makes the next sketches in the open transaction. Returns the chunks looked at and those left, nil when nothing was
  /// to be done in any space.
  static func step(_ connection: Connection) throws -> (done: Int, left: Int)? {
    let space = try connection.first(
      "SELECT key, identity, centre IS NOT NULL FROM spaces WHERE sketched IS NOT NULL ORDER BY key LIMIT 1",
      row: Space.init(row:))
    guard var space else { return nil }
    if !space.isCoded { space.isCoded = try Centre.choose(for: space, connection) }
    return try advance(space, connection)
  }

  /// Whether there is anything to do.
  static func isPending(_ connection: Connection) throws -> Bool {
    try connection.first("SELECT 1 FROM spaces WHERE sketched IS NOT NULL LIMIT 1") { _ in true } ?? false
  }

  private static func advance(_ space: Space, _ connection: Connection) throws -> (done: Int, left: Int) {
    let centre = try Centre.read(space, connection)
    let revisions = try connection.map(
      """
      SELECT r.key, r.first_chunk, r.chunk_count, s.word_counts IS NOT NULL AND (s.codes IS NOT NULL OR ?2)
      FROM revisions r LEFT JOIN sketches s ON s.revision = r.key
      WHERE r.space = ?1 AND r.key > (SELECT sketched FROM spaces WHERE key = ?1) ORDER BY r.key LIMIT ?3
      """, space.key, !space.isCoded, width
    ) { (key: $0.integer(0), first: $0.integer(1), count: $0.integer(2), isDone: $0.bool(3)) }
    var done = 0
    var last: Int64?
    for revision in revisions where done < width {
      if !revision.isDone, revision.count > 0 {
        let chunks = revision.first..<revision.first + revision.count
        try Sketch(chunks: chunks, of: space, centre: centre, connection).store(revision.key, connection)
      }
      done += Int(revision.count)
      last = revision.key
    }
    let isAll = last == revisions.last?.key && revisions.count < width
    try connection.run("UPDATE spaces SET sketched = ? WHERE key = ?", isAll ? nil : last, space.key)
    let left =
      isAll
      ? 0
      : try connection.first(
        "SELECT sum(chunk_count) FROM revisions WHERE space = ? AND key > ?", space.key, last
      ) { $0.int(0) } ?? 0
    return (done, left)
  }
}
