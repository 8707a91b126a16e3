import Concurrency
import Core
import SQLite

/// The active space's rows in memory, shared by all readers and kept up with the change log.
final class ResidentIndex: Sendable {
  fileprivate struct State {
    var version: Int64
    var rows: ResidentRows
  }

  private let state = Locked<State?>(nil)

  /// The rows of `space` at `version`, which is the version of the transaction that `connection` is in; nil when
  /// another reader has gone further already: begin a new transaction then.
  func rows(of space: Space, version: Int64, _ connection: Connection) throws -> ResidentRows? {
    // Loading holds the lock: a second reader would only do the same work again. These are private threads.
    try state.withLock { state -> ResidentRows? in
      if let known = state, known.version > version { return nil }
      if let known = state, known.rows.space == space.key, known.rows.shape.isCoded == space.isCoded {
        if known.version == version { return known.rows }
        do {
          // In place: a copy would copy the rows that change.
          if try state?.follow(to: version, space, connection) == true { return state?.rows }
        } catch {
          state = nil
          throw error
        }
      }
      let rows = try Self.load(space, connection)
      state = State(version: version, rows: rows)
      return rows
    }
  }

  /// The bytes of its rows; 0 while nothing is loaded.
  var byteCount: Int {
    state.withLock { state in
      state?.rows.blocks.reduce(0) { sum, block in
        sum + 8 * (block.tiles.count + block.sizes.count) + 4 * block.weights.count + 2 * block.vectors.count + 4
          * block.wordCounts.count
          + 4 * block.gramCounts.count
      } ?? 0
    }
  }

  private static func load(_ space: Space, _ connection: Connection) throws -> ResidentRows {
    var rows = ResidentRows(
      space: space.key, dimension: space.identity.dimension, centre: try Centre.read(space, connection))
    try SketchRow.forEach(of: space, isCoded: rows.shape.isCoded, connection) { row in
      try row.withRows(space: space, centre: rows.centre, connection) { rows.append($0) }
    }
    return rows
  }
}

extension ResidentIndex.State {
  /// Follows the change log; false when that does not go back far enough, or says of changes in the midst.
  fileprivate mutating func follow(to newest: Int64, _ space: Space, _ connection: Connection) throws -> Bool {
    // Old changes are trimmed; a reader that slept through more than is left starts over.
    let first = try connection.first("SELECT min(version) FROM changes") { $0.optionalInteger(0) }
    guard let first = first ?? nil, first <= version + 1 else { return false }
    let changed = try connection.map(
      "SELECT DISTINCT revision FROM changes WHERE version > ? AND space = ? AND revision IS NOT NULL ORDER BY revision",
      version, space.key
    ) { $0.integer(0) }
    let last = rows.lastRevision ?? 0
    for revision in changed where revision <= last { rows.remove(revision) }
    for revision in changed {
      let found = try SketchRow.first(revision, of: space, connection) { row in
        // Rows stand in the order of keys, so a revision that was mended in place needs all of them again.
        guard revision > last else { return false }
        try row.withRows(space: space, centre: rows.centre, connection) { rows.append($0) }
        return true
      }
      if found == false { return false }
    }
    version = newest
    return true
  }
}
