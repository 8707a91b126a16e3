import IndexEncoding
import SQLite

/// One of a space's full-text tables.
///
/// They keep no copy of the text (`content=''`): it stands in `chunks` already. SQLite 3.40 has no contentless delete,
/// so rows are taken out by giving their text again.
struct FullTextTable: Sendable, Hashable {
  enum Kind: String, Sendable, CaseIterable {
    /// Columns `prefix` (title and headings) and `body`.
    case words
    /// Column `grams`: n-grams of scripts without spaces.
    case grams
  }

  /// What a table holds of a chunk.
  struct Entry: Sendable {
    var chunk: Int64
    var prefix: String
    var body: String
  }

  let kind: Kind
  let space: Int64
  var name: String { "\(kind.rawValue)_\(space)" }
  /// The table of FTS5's own with a row for each of this table's.
  var sizes: String { "\(name)_docsize" }

  func create(_ connection: Connection) throws {
    switch kind {
    case .words:
      try connection.execute(
        """
        CREATE VIRTUAL TABLE \(name) USING fts5(
          prefix, body, content='', tokenize='porter unicode61 remove_diacritics 2')
        """)
    case .grams:
      try connection.execute(
        """
        CREATE VIRTUAL TABLE \(name) USING fts5(
          grams, content='', tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* Co'")
        """)
    }
  }

  /// Adds a chunk; without n-grams it has no row among them.
  func insert(_ entry: Entry, _ connection: Connection) throws {
    switch kind {
    case .words:
      try connection.run(
        "INSERT INTO \(name) (rowid, prefix, body) VALUES (?, ?, ?)", entry.chunk, entry.prefix, entry.body)
    case .grams:
      let grams = ScriptGrams.indexed(of: entry.prefix + entry.body)
      if grams.isEmpty { return }
      try connection.run("INSERT INTO \(name) (rowid, grams) VALUES (?, ?)", entry.chunk, grams)
    }
  }

  /// What the table's columns hold of a chunk of these texts.
  func indexedTexts(prefix: String, body: String) -> [String] {
    switch kind {
    case .words: [prefix, body]
    case .grams: [ScriptGrams.indexed(of: prefix + body)]
    }
  }

  /// The tokens of each of `chunks`, over all columns, as FTS5 counts them for BM25; 0 for one without a row.
  func tokenCounts(of chunks: Range<Int64>, _ connection: Connection) throws -> [UInt32] {
    var counts = [UInt32](repeating: 0, count: chunks.count)
    try connection.forEach(
      "SELECT id, sz FROM \(sizes) WHERE id BETWEEN ? AND ?", chunks.lowerBound, chunks.upperBound - 1
    ) { row in
      counts[Int(row.integer(0) - chunks.lowerBound)] = row.withBytes(1, Self.sum)
    }
    return counts
  }

  /// The sum of SQLite's variable-length integers. Source: https://www.sqlite.org/fileformat.html, section 1.6.
  private static func sum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum: UInt32 = 0
    var value: UInt32 = 0
    for byte in bytes {
      value = value << 7 | UInt32(byte & 0x7f)
      if byte < 0x80 {
        sum &+= value
        value = 0
      }
    }
    return sum
  }

  /// Whether a chunk of these texts has a row.
  func holds(prefix: String, body: String) -> Bool {
    kind == .words || !ScriptGrams.indexed(of: prefix + body).isEmpty
  }

  func exists(_ connection: Connection) throws -> Bool {
    try connection.first("SELECT 1 FROM sqlite_schema WHERE name = ?", name) { _ in true } ?? false
  }
}
