import Core
import SQLite

/// For each chunk of a full-text table a sum of hashes over the occurrences of its terms: 16 bytes a chunk instead of
/// its text.
struct TermSums: Sendable {
  /// Chunks of the table's space when the check began.
  private var sums: [Int64: UInt64]
  private let lastKey: Int64
  /// Keys that occur but were no chunk's; a few of them.
  private(set) var strangers: Set<Int64> = []

  /// Occurrences read in one transaction, and chunks compared in one.
  private static let scanWidth = 200_000
  private static let compareWidth = 500

  init(of table: FullTextTable, _ connection: Connection) throws {
    let last = try connection.first("SELECT max(key) FROM chunks") { $0.optionalInteger(0) }
    lastKey = (last ?? nil) ?? 0
    sums = [:]
    try connection.forEach(
      "SELECT c.key FROM chunks c JOIN revisions r ON r.key = c.revision WHERE r.space = ?", table.space
    ) { sums[$0.integer(0)] = 0 }
  }

  /// Adds the occurrences of terms from `term` on. Returns the term to go on with, nil at the end; whole terms only.
  mutating func scan(_ table: FullTextTable, from term: String, _ connection: Connection) throws -> (String?, Int) {
    let view = "temp.occurrences_of_\(table.name)"
    try connection.execute(
      "CREATE VIRTUAL TABLE IF NOT EXISTS \(view) USING fts5vocab(main, \(table.name), instance)")
    var current: String?
    var hash: UInt64 = 0
    var count = 0
    var next: String?
    try connection.withStatement("SELECT term, doc, col, offset FROM \(view) WHERE term >= ?") { statement in
      try statement.bind(term)
      while try statement.step() {
        let row = statement.row
        let word = row.text(0)
        if word.utf8.elementsEqual((current ?? "").utf8) == false || current == nil {
          if count >= Self.scanWidth {
            next = word
            return
          }
          current = word
          hash = Self.hash(word)
        }
        count += 1
        let key = row.integer(1)
        let value = Self.hash(hash, column: row.text(2), offset: row.integer(3))
        if sums[key] != nil {
          sums[key, default: 0] &+= value
        } else if key <= lastKey, strangers.count < 1_000 {
          // A later key is a new chunk's.
          strangers.insert(key)
        }
      }
    }
    return (next, count)
  }

  /// Compares the next chunks with their texts, put through the same tokenizer. Returns the last key, nil at the end.
  func compare(_ table: FullTextTable, after: Int64, _ connection: Connection) throws -> (Int64?, IntegrityReport) {
    var report = IntegrityReport()
    let memory = try Connection.inMemory()
    try table.create(memory)
    var names: [Int64: (id: String, document: String, name: String)] = [:]
    var last: Int64?
    try connection.forEach(
      """
      SELECT c.key, c.prefix, coalesce(c.embedded, c.content), c.id, d.id, d.uri, c.ordinal
      FROM chunks c JOIN revisions r ON r.key = c.revision JOIN documents d ON d.key = r.document
      WHERE c.key > ? AND r.space = ? ORDER BY c.key LIMIT ?
      """, after, table.space, Self.compareWidth
    ) { row in
      let key = row.integer(0)
      last = key
      guard sums[key] != nil else { return }
      names[key] = (row.text(3), row.text(4), "chunk \(row.int(6)) of \(row.text(5))")
      try table.insert(FullTextTable.Entry(chunk: key, prefix: row.text(1), body: row.text(2)), memory)
    }
    try memory.execute("CREATE VIRTUAL TABLE occurrences USING fts5vocab(\(table.name), instance)")
    var expected: [Int64: UInt64] = [:]
    try memory.forEach("SELECT term, doc, col, offset FROM occurrences") { row in
      expected[row.integer(1), default: 0] &+= Self.hash(
        Self.hash(row.text(0)), column: row.text(2), offset: row.integer(3))
    }
    for (key, chunk) in names.sorted(by: { $0.key < $1.key }) where sums[key] != expected[key, default: 0] {
      report.add(
        IntegrityFinding(
          "\(table.kind.rawValue).text", .error, "\(table.name) has other terms of \(chunk.name) than its text",
          isRepairable: true, document: DocumentID(rawValue: chunk.document), chunk: ChunkID(rawValue: chunk.id)))
    }
    return (last, report)
  }

  /// FNV-1a, 64 bits. Source: http://www.isthe.com/chongo/tech/comp/fnv/
  private static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }

  /// SplitMix64's last steps over term, column and place. Source: https://prng.di.unimi.it/splitmix64.c
  private static func hash(_ term: UInt64, column: String, offset: Int64) -> UInt64 {
    var z = term &+ UInt64(bitPattern: offset) &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(column.utf8.first ?? 0) << 32
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
