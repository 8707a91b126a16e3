import Core
import SQLite

/// Which revisions pass a filter.
struct RevisionFilter: Sendable {
  /// Keys of collections; nil for all.
  var collections: Set<Int64>?
  /// Keys of revisions, ascending; nil for all.
  var revisions: [Int64]?

  /// nil when the filter lets everything pass.
  init?(_ filter: SearchFilter, space: Space, _ connection: Connection) throws {
    if filter.isEmpty { return nil }
    if let names = filter.collections {
      collections = Set(
        try connection.map(
          "SELECT key FROM collections WHERE name IN (SELECT value FROM json_each(?))",
          Stored.json(names.map(\.rawValue))
        ) { $0.integer(0) })
    }
    if let documents = filter.documents {
      restrict(
        to: try connection.map(
          """
          SELECT r.key FROM json_each(?1) wanted JOIN documents d ON d.id = wanted.value
          JOIN revisions r ON r.document = d.key AND r.space = ?2
          """, Stored.json(documents.map(\.rawValue)), space.key
        ) { $0.integer(0) }.sorted())
    }
    for (name, value) in filter.attributes {
      restrict(
        to: try connection.map(
          "SELECT revision FROM attributes WHERE name = ? AND value = ? ORDER BY revision", name, value
        ) { $0.integer(0) })
    }
  }

  private mutating func restrict(to keys: [Int64]) {
    guard let known = revisions else {
      revisions = keys
      return
    }
    let set = Set(known)
    revisions = keys.filter(set.contains)
  }
}

/// The rows of one block that a search looks at.
struct BlockSelection: Sendable {
  let block: Int
  /// Ascending, not empty, without neighbours that touch.
  var ranges: [Range<Int>]
  let isWhole: Bool

  /// A bit for each row, eight rows a byte.
  var mask: [UInt8] {
    var mask = [UInt8](repeating: 0, count: RowBlock.capacity / 8)
    for range in ranges {
      var row = range.lowerBound
      while row < range.upperBound {
        if row % 8 == 0, range.upperBound - row >= 8 {
          mask[row / 8] = 0xff
          row += 8
        } else {
          mask[row / 8] |= 1 << UInt8(row % 8)
          row += 1
        }
      }
    }
    return mask
  }
}

/// The rows that pass a filter.
struct RowSelection: Sendable {
  private(set) var blocks: [BlockSelection] = []
  private(set) var count = 0

  /// Rows of `rows` that pass; all of them without a filter.
  init(of rows: ResidentRows, filter: RevisionFilter?) {
    guard let filter else {
      count = rows.count
      blocks = rows.blocks.indices.map { index in
        BlockSelection(block: index, ranges: [0..<rows.blocks[index].count], isWhole: true)
      }
      return
    }
    guard let revisions = filter.revisions else {
      for index in rows.blocks.indices { add(index, rows.blocks[index].runs[...], rows, filter.collections) }
      return
    }
    // Both ascend, so what lies between two wanted revisions is passed over.
    var next = 0
    var index = 0
    while next < revisions.count {
      let wanted = revisions[next]
      if index < rows.blocks.count, (rows.blocks[index].runs.last?.revision ?? 0) < wanted {
        index = rows.firstBlock { ($0.runs.last?.revision ?? 0) >= wanted }
      }
      guard index < rows.blocks.count else { return }
      let runs = rows.blocks[index].runs
      var key = next
      var chosen: [RowBlock.Run] = []
      for run in runs {
        while key < revisions.count, revisions[key] < run.revision { key += 1 }
        if key < revisions.count, revisions[key] == run.revision { chosen.append(run) }
      }
      add(index, chosen[...], rows, filter.collections)
      // The block's last revision may go on in the next block.
      let last = runs.last?.revision ?? .max
      while next < revisions.count, revisions[next] < last { next += 1 }
      index += 1
    }
  }

  private mutating func add(
    _ index: Int, _ runs: ArraySlice<RowBlock.Run>, _ rows: ResidentRows, _ collections: Set<Int64>?
  ) {
    var ranges: [Range<Int>] = []
    for run in runs where collections?.contains(run.collection) ?? true {
      if let last = ranges.last, last.upperBound == run.start {
        ranges[ranges.count - 1] = last.lowerBound..<run.start + run.count
      } else {
        ranges.append(run.range)
      }
    }
    if ranges.isEmpty { return }
    let chosen = ranges.reduce(0) { $0 + $1.count }
    count += chosen
    blocks.append(BlockSelection(block: index, ranges: ranges, isWhole: chosen == rows.blocks[index].count))
  }
}
