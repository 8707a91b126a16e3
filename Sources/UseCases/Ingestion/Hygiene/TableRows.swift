import Core

/// Recognises rows of tables: neighbouring rows of several cells whose edges agree.
enum TableRows {
  /// The rows of a column that belong to tables.
  static func indexes(in rows: [TextLine]) -> Set<Int> {
    let edges = rows.map(cellEdges)
    var result: Set<Int> = []
    for index in rows.indices.dropLast() where edges[index].count > 1 {
      // One row of a single cell (a group's title, a cell that wraps) may stand between.
      for other in [index + 1, index + 2] where other < rows.count && edges[other].count > 1 {
        guard rows[other].box.midY - rows[index].box.midY < 5 * rows[index].size * Float(other - index),
          agree(edges[index], edges[other])
        else { continue }
        result.formUnion(index...other)
        break
      }
    }
    return result
  }

  /// Left and right edges of the cells of a row; a list marker is no cell, and the wide space that old typography
  /// sets between sentences parts none.
  private static func cellEdges(_ row: TextLine) -> [(left: Float, right: Float)] {
    var cells: [(left: Float, right: Float)] = []
    var current: (left: Float, right: Float)?
    var start = 0
    for (index, scalar) in row.scalars.enumerated() {
      if scalar == "\t" {
        let isMarker = cells.isEmpty && isMarker(row.scalars[start..<index])
        if let cell = current, let next = row.boxes[(index + 1)...].first(where: { $0 != nil }) ?? nil,
          next.left - cell.right < 2.2 * row.size, LineMarks.endsSentence(Array(row.scalars[start..<index])),
          index - start > 12
        {
          continue
        }
        if let cell = current, !isMarker { cells.append(cell) }
        current = nil
        start = index + 1
      } else if let box = row.boxes[index] {
        current = (min(current?.left ?? box.left, box.left), max(current?.right ?? box.right, box.right))
      }
    }
    if let cell = current { cells.append(cell) }
    return cells
  }

  private static func isMarker(_ cell: ArraySlice<Unicode.Scalar>) -> Bool {
    let scalars = Array(cell) + [" ", "x"]
    return LineMarks.hasBullet(scalars) || LineMarks.hasNumber(scalars)
  }

  /// Whether a cell beyond the first begins or ends where one of the other row does.
  private static func agree(_ one: [(left: Float, right: Float)], _ other: [(left: Float, right: Float)]) -> Bool {
    one.dropFirst().contains { cell in
      other.dropFirst().contains { abs($0.left - cell.left) < 4 || abs($0.right - cell.right) < 4 }
    }
  }
}
