import CKernels
import Concurrency
import Core
import Dispatch
import SQLite

/// A chunk with the score that it was found by; higher is better.
struct ScoredChunk: Sendable, Hashable {
  var chunk: Int64
  var score: Double
}

/// How many rows each stage of a search over codes hands on. Chosen from the recall measured on real embeddings:
/// docs/decisions/0013-one-bit-codes.md.
struct SearchWidths: Sendable, Hashable {
  /// Rows that the scan keeps.
  var scanned: Int
  /// Those of them with the best estimates, whose exact vectors are read.
  var rescored: Int

  /// Up to so many qualifying rows are all scored exactly.
  static let exact = 1_000

  /// - Parameters:
  ///   - depth: Rows wanted.
  ///   - count: Rows that qualify.
  init(depth: Int, of count: Int) {
    rescored = (count <= 250_000 ? 60 : 120) + 3 * depth
    scanned = (count <= 250_000 ? 1_500 : 3_500) + 15 * depth
  }

  init(scanned: Int, rescored: Int) {
    self.scanned = scanned
    self.rescored = rescored
  }
}

/// The nearest chunks of one query.
struct DenseSearch {
  let query: [Float]
  let rows: ResidentRows
  let selection: RowSelection
  let connection: Connection
  /// The most threads that scan for it.
  var width = 1
  /// Other widths than those chosen by size, for measurements.
  var widths: SearchWidths?

  /// The `depth` nearest chunks, best first; of equal ones the earlier.
  func nearest(_ depth: Int) throws -> [ScoredChunk] {
    guard depth > 0, selection.count > 0 else { return [] }
    var best = TopScores(capacity: depth)
    if rows.centre == nil {
      scanVectors(into: &best)
    } else if selection.count <= max(SearchWidths.exact, depth) {
      try scoreAll(into: &best)
    } else {
      let widths = widths ?? SearchWidths(depth: depth, of: selection.count)
      let chunks = estimate(scan(keeping: widths.scanned), keeping: widths.rescored).sorted()
      let scores = try StoredVectors.products(of: query, with: chunks, connection)
      for (chunk, score) in zip(chunks, scores) { best.offer(Double(score), chunk) }
    }
    return best.sorted()
  }

  // MARK: Exact

  /// Every vector in memory.
  private func scanVectors(into best: inout TopScores) {
    let dimension = rows.shape.dimension
    withUnsafeTemporaryAllocation(of: Float.self, capacity: RowBlock.capacity) { scores in
      for selected in selection.blocks {
        let block = rows.blocks[selected.block]
        for range in selected.ranges {
          block.vectors.withUnsafeBufferPointer { vectors in
            guard let base = vectors.baseAddress else { return }
            qk_dot_f16(
              query, base + range.lowerBound * dimension, range.count, dimension, scores.baseAddress, QK_PATH_AUTO)
          }
          for row in range { best.offer(Double(scores[row - range.lowerBound]), block.chunk(of: row)) }
        }
      }
    }
  }

  /// Every vector, from the store: few rows qualify.
  private func scoreAll(into best: inout TopScores) throws {
    for selected in selection.blocks {
      let block = rows.blocks[selected.block]
      var row = 0
      for range in selected.ranges {
        row = range.lowerBound
        while row < range.upperBound {
          let run = block.run(of: row)
          let end = min(range.upperBound, run.start + run.count)
          let first = run.firstChunk + Int64(row - run.start)
          try scoreRun(first..<first + Int64(end - row), into: &best)
          row = end
        }
      }
    }
  }

  private func scoreRun(_ chunks: Range<Int64>, into best: inout TopScores) throws {
    let vectors = try StoredVectors.read(chunks, dimension: query.count, connection)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: chunks.count) { scores in
      qk_dot_f16(query, vectors, chunks.count, query.count, scores.baseAddress, QK_PATH_AUTO)
      for (chunk, score) in zip(chunks, scores) { best.offer(Double(score), chunk) }
    }
  }

  // MARK: Codes

  /// Rows by block and place in it, in one number.
  private typealias RowNumber = UInt32

  /// The rows nearest by code, in their order.
  private func scan(keeping wanted: Int) -> [RowNumber] {
    var planes = [UInt64](repeating: 0, count: 3 * rows.shape.words)
    qk_query_planes(query, query.count, &planes)
    let parts = min(width, selection.count / Self.rowsOfAThread)
    if parts <= 1 { return CodeScan(planes: planes, rows: rows, wanted: wanted).run(selection.blocks[...]).rows }
    // Each thread its share of the blocks; what they found is put together in the order of the blocks.
    let blocks = selection.blocks
    let scan = CodeScan(planes: planes, rows: rows, wanted: wanted)
    let results = Locked([CodeScan.Found?](repeating: nil, count: parts))
    DispatchQueue.concurrentPerform(iterations: parts) { part in
      let share = blocks[part * blocks.count / parts..<(part + 1) * blocks.count / parts]
      let found = scan.run(share)
      results.withLock { $0[part] = found }
    }
    var all = CodeScan.Found(rows: [], distances: [])
    for found in results.withLock({ $0 }) {
      all.rows += found?.rows ?? []
      all.distances += found?.distances ?? []
    }
    var limit = UInt32.max
    let kept = qk_keep_nearest(&all.rows, &all.distances, all.rows.count, wanted, &limit)
    return Array(all.rows.prefix(kept))
  }

  /// So many rows are worth waking another thread.
  private static let rowsOfAThread = 200_000

  /// The chunks of the rows that the query with all its digits estimates best.
  private func estimate(_ found: [RowNumber], keeping wanted: Int) -> [Int64] {
    let words = rows.shape.words
    var sums = [Float](repeating: 0, count: 8 * words * 256)
    qk_sign_sums(query, query.count, words, &sums)
    var products = [Float](repeating: 0, count: found.count)
    var best = TopScores(capacity: wanted)
    var start = 0
    while start < found.count {
      let number = Int(found[start]) / RowBlock.capacity
      let end = found[start...].firstIndex { Int($0) / RowBlock.capacity != number } ?? found.count
      let block = rows.blocks[number]
      let places = found[start..<end].map { $0 % RowNumber(RowBlock.capacity) }
      qk_code_products(sums, block.tiles, block.sizes, words, places, places.count, &products)
      for (index, place) in places.enumerated() {
        best.offer(Double(products[index] * block.weights[Int(place)]), Int64(found[start + index]))
      }
      start = end
    }
    return best.sorted().map { hit in
      rows.blocks[Int(hit.chunk) / RowBlock.capacity].chunk(of: Int(hit.chunk) % RowBlock.capacity)
    }
  }
}

/// The scan of some blocks by one thread.
private struct CodeScan: Sendable {
  struct Found: Sendable {
    var rows: [UInt32]
    var distances: [UInt16]
  }

  let planes: [UInt64]
  let rows: ResidentRows
  let wanted: Int

  func run(_ blocks: ArraySlice<BlockSelection>) -> Found {
    let room = 2 * wanted + RowBlock.capacity
    var distances: [UInt16] = []
    let found = [UInt32](unsafeUninitializedCapacity: room) { rowBuffer, kept in
      distances = [UInt16](unsafeUninitializedCapacity: room) { distanceBuffer, count in
        count = scan(blocks, rowBuffer.baseAddress, distanceBuffer.baseAddress)
        kept = count
      }
    }
    return Found(rows: found, distances: distances)
  }

  private func scan(
    _ blocks: ArraySlice<BlockSelection>, _ found: UnsafeMutablePointer<UInt32>?,
    _ distances: UnsafeMutablePointer<UInt16>?
  ) -> Int {
    guard let found, let distances else { return 0 }
    var count = 0
    var limit = UInt32.max
    for selected in blocks {
      let block = rows.blocks[selected.block]
      let mask = selected.isWhole && block.count == RowBlock.capacity ? nil : selected.mask
      let number = UInt32(selected.block * RowBlock.capacity)
      let tiles = (block.count + Int(QK_TILE_ROWS) - 1) / Int(QK_TILE_ROWS)
      func compare(_ mask: UnsafePointer<UInt8>?) -> Int {
        qk_rows_below(
          planes, block.tiles, tiles, rows.shape.words, mask, limit, number, found + count, distances + count,
          QK_PATH_AUTO)
      }
      count += mask?.withUnsafeBufferPointer { compare($0.baseAddress) } ?? compare(nil)
      if count >= 2 * wanted { count = qk_keep_nearest(found, distances, count, wanted, &limit) }
    }
    return qk_keep_nearest(found, distances, count, wanted, &limit)
  }
}

/// Vectors as they are stored.
enum HalfVectors {
  /// Rounds unit vectors to binary16: an error of at most 2⁻¹¹ of each component, so of at most .0005 of a cosine.
  static func halves(_ vector: [Float]) -> [UInt16] {
    [UInt16](unsafeUninitializedCapacity: vector.count) { buffer, count in
      qk_f16_from_f32(vector, buffer.baseAddress, vector.count, QK_PATH_AUTO)
      count = vector.count
    }
  }
}
