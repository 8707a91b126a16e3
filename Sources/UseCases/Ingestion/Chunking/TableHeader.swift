/// The header row of a table, which goes into the embedded text of its other rows.
struct TableHeader {
  /// The row as it stands on its page.
  var text: String
  /// Whether the table that it heads began earlier than the rows it is used for.
  var isFromBefore = false

  /// How many cells it has.
  var cellCount: Int { Self.cells(text).count }

  /// Nil when a cell of the row is a figure; years are names of columns.
  init?(row: String) {
    guard !Self.cells(row).contains(where: Self.isFigure) else { return nil }
    text = row
  }

  static func cells(_ row: String) -> [Substring] { row.split(separator: "\t") }

  private static func isFigure(_ cell: Substring) -> Bool {
    if let year = Int(cell), (1800...2200).contains(year) { return false }
    let digits = cell.unicodeScalars.lazy.filter { $0.properties.numericType != nil }.count
    return digits * 2 >= cell.unicodeScalars.lazy.filter { !$0.properties.isWhitespace }.count
  }
}
