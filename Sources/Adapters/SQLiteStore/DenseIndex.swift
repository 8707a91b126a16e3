import CKernels
import Concurrency
import Core
import SQLite

/// The vectors of one revision, in memory as binary16.
final class Segment: Sendable {
  let revision: Int64
  /// Key of its first chunk; the others follow without a gap.
  let firstChunk: Int64
  let count: Int
  /// `count` rows of the identity's dimension.
  let vectors: [UInt16]

  init(revision: Int64, firstChunk: Int64, count: Int, vectors: [UInt16]) {
    self.revision = revision
    self.firstChunk = firstChunk
    self.count = count
    self.vectors = vectors
  }
}

/// The active space's vectors, shared by all readers and kept up with the change log.
///
/// One immutable segment for each revision: a commit adds one, a deletion removes one, a filter passes over some, and
/// a reader that is scanning keeps the segments that it began with.
final class DenseIndex: Sendable {
  private struct State {
    var version: Int64
    var space: Int64
    /// By first chunk.
    var segments: [Segment]
  }

  private let state = Locked<State?>(nil)

  /// The segments of `space` at `version`, which is the version of the transaction that `connection` is in; nil when
  /// another reader has gone further already: begin a new transaction then.
  func segments(of space: Space, version: Int64, _ connection: Connection) throws -> [Segment]? {
    // Loading holds the lock: a second reader would only do the same work again. These are private threads.
    try state.withLock { state in
      if var known = state, known.space == space.key {
        if known.version > version { return nil }
        if known.version < version {
          try Self.follow(&known, to: version, space, connection)
          state = known
        }
        return known.segments
      }
      if let known = state, known.version > version { return nil }
      let segments = try Self.load(space, connection)
      state = State(version: version, space: space.key, segments: segments)
      return segments
    }
  }

  /// Forgets everything; the next query loads anew.
  func clear() { state.withLock { $0 = nil } }

  private static func follow(
    _ state: inout State, to version: Int64, _ space: Space, _ connection: Connection
  ) throws {
    // Old changes are trimmed; a reader that slept through more than is left starts over.
    let first = try connection.first("SELECT min(version) FROM changes") { $0.optionalInteger(0) }
    guard let first = first ?? nil, first <= state.version + 1 else {
      state.segments = try load(space, connection)
      state.version = version
      return
    }
    let changed = try connection.map(
      "SELECT DISTINCT revision FROM changes WHERE version > ? AND space = ? AND revision IS NOT NULL", state.version,
      space.key
    ) { $0.integer(0) }
    if !changed.isEmpty {
      let gone = Set(changed)
      state.segments.removeAll { gone.contains($0.revision) }
      for revision in changed {
        let segment = try connection.first(
          "SELECT first_chunk, chunk_count FROM revisions WHERE key = ? AND space = ?", revision, space.key
        ) { try load(revision, from: $0.integer(0), count: $0.int(1), space, connection) }
        if let segment, segment.count > 0 { state.segments.append(segment) }
      }
      state.segments.sort { $0.firstChunk < $1.firstChunk }
    }
    state.version = version
  }

  private static func load(_ space: Space, _ connection: Connection) throws -> [Segment] {
    try connection.map(
      "SELECT key, first_chunk, chunk_count FROM revisions WHERE space = ? AND chunk_count > 0 ORDER BY first_chunk",
      space.key
    ) { try load($0.integer(0), from: $0.integer(1), count: $0.int(2), space, connection) }
  }

  private static func load(
    _ revision: Int64, from first: Int64, count: Int, _ space: Space, _ connection: Connection
  ) throws -> Segment {
    let dimension = space.identity.dimension
    var filled = 0
    let vectors = try [UInt16](unsafeUninitializedCapacity: count * dimension) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      let size = dimension * 2
      let sql = "SELECT chunk, vector FROM vectors WHERE chunk BETWEEN ? AND ? ORDER BY chunk"
      try connection.forEach(sql, first, first + Int64(count) - 1) { row in
        try row.withBytes(1) { bytes in
          guard row.integer(0) == first + Int64(filled), bytes.count == size, filled < count else {
            throw StoreError.damaged("vectors of revision \(revision) are missing or have another size")
          }
          UnsafeMutableRawBufferPointer(rebasing: raw[(filled * size)..<((filled + 1) * size)]).copyMemory(from: bytes)
        }
        filled += 1
      }
      initialized = filled * dimension
    }
    guard filled == count else { throw StoreError.damaged("revision \(revision) has \(filled) vectors of \(count)") }
    return Segment(revision: revision, firstChunk: first, count: count, vectors: vectors)
  }
}

/// The arithmetic of exact search.
enum DenseSearch {
  /// The `depth` nearest chunks of `segments`, best first; of equal ones the earlier.
  static func nearest(to query: [Float], in segments: [Segment], depth: Int) -> [(chunk: Int64, score: Float)] {
    var best = TopScores(capacity: depth)
    let largest = segments.reduce(0) { max($0, $1.count) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, largest)) { scores in
      guard let base = scores.baseAddress else { return }
      for segment in segments {
        query.withUnsafeBufferPointer { query in
          segment.vectors.withUnsafeBufferPointer { rows in
            qk_dot_f16(query.baseAddress, rows.baseAddress, segment.count, query.count, base, QK_PATH_AUTO)
          }
        }
        for index in 0..<segment.count { best.offer(scores[index], segment.firstChunk + Int64(index)) }
      }
    }
    return best.sorted()
  }

  /// The cosine of one chunk; nil when no segment has it. `segments` are by first chunk.
  static func cosine(of chunk: Int64, to query: [Float], in segments: [Segment]) -> Float? {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].firstChunk <= chunk { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let segment = segments[low - 1]
    let row = Int(chunk - segment.firstChunk)
    guard row < segment.count else { return nil }
    var score: Float = 0
    query.withUnsafeBufferPointer { query in
      segment.vectors.withUnsafeBufferPointer { rows in
        guard let base = rows.baseAddress else { return }
        qk_dot_f16(query.baseAddress, base + row * query.count, 1, query.count, &score, QK_PATH_AUTO)
      }
    }
    return score
  }

  /// Rounds unit vectors to binary16: an error of at most 2⁻¹¹ of each component, so of at most .0005 of a cosine.
  static func halves(_ vector: [Float]) -> [UInt16] {
    [UInt16](unsafeUninitializedCapacity: vector.count) { buffer, count in
      qk_f16_from_f32(vector, buffer.baseAddress, vector.count, QK_PATH_AUTO)
      count = vector.count
    }
  }
}

/// The highest scores of a stream: a heap with the worst on top, so most offers cost one comparison.
struct TopScores {
  private var heap: [(score: Float, chunk: Int64)] = []
  private let capacity: Int

  init(capacity: Int) {
    self.capacity = max(0, capacity)
    heap.reserveCapacity(self.capacity)
  }

  private static func isWorse(_ a: (score: Float, chunk: Int64), _ b: (score: Float, chunk: Int64)) -> Bool {
    a.score == b.score ? a.chunk > b.chunk : a.score < b.score
  }

  mutating func offer(_ score: Float, _ chunk: Int64) {
    if heap.count == capacity {
      guard let worst = heap.first, Self.isWorse(worst, (score, chunk)) else { return }
      heap[0] = (score, chunk)
      sink()
      return
    }
    heap.append((score, chunk))
    var child = heap.count - 1
    while child > 0, Self.isWorse(heap[child], heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var worst = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && Self.isWorse(heap[child], heap[worst]) {
        worst = child
      }
      if worst == parent { return }
      heap.swapAt(parent, worst)
      parent = worst
    }
  }

  /// Best first.
  func sorted() -> [(chunk: Int64, score: Float)] {
    heap.sorted { Self.isWorse($1, $0) }.map { ($0.chunk, $0.score) }
  }
}
