import Core

/// A column of a page: rows of text from top to bottom.
struct Column {
  var rows: [TextLine]
  /// Left and right edge of its text, points.
  var left: Float
  var right: Float
  /// Whether its lines begin at the right.
  var isRightToLeft: Bool

  var width: Float { right - left }

  /// How far a row begins from the edge at which lines begin, points.
  func indent(of row: TextLine) -> Float { isRightToLeft ? right - row.box.right : row.box.left - left }

  /// How far a row ends from the edge at which lines end, points.
  func rest(after row: TextLine) -> Float { isRightToLeft ? row.box.left - left : right - row.box.right }

  /// Whether a sentence certainly goes on from `row` to the row below, `next`: a full line that ends none, or one
  /// that ends in a hyphen, and then a lower-case letter that marks no item of a list.
  func continues(_ row: TextLine, in next: TextLine) -> Bool {
    guard let last = row.scalars.last, next.scalars.first?.properties.isLowercase == true,
      !LineMarks.endsSentence(row.scalars), !LineMarks.hasNumber(next.scalars), !row.hasCells, !next.hasCells
    else { return false }
    if last == "-" || last == "\u{2010}" || last == "\u{00AD}" { return true }
    return row.box.width > 0.5 * width
  }
}
