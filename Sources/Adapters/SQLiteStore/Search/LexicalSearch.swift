import Concurrency
import Core
import Glibc
import SQLite

/// BM25 over a full-text table, with FTS5's formula and values, in bounded time.
///
/// FTS5's own ranking walks the postings of every term twice, reads each row's length from the file and sorts all rows.
/// Here lengths are in memory, and the rarest terms come first. Once ``budget`` postings were walked and there are rows
/// enough, the other terms only order what was found: they are counted in the texts of the best rows.
struct LexicalSearch {
  let table: FullTextTable
  let phrases: [String]
  let rows: ResidentRows
  let selection: RowSelection
  let isFiltered: Bool
  let frequencies: TermFrequencies
  let connection: Connection
  /// Postings walked in terms that could be left out.
  let budget: Int

  static let defaultBudget = 40_000

  /// FTS5's constants. Source: https://www.sqlite.org/fts5.html, section 5.1.1.
  private static let k1 = 1.2
  private static let b = 0.75

  /// The `depth` best chunks, best first; of equal ones the earlier.
  func best(_ depth: Int) throws -> [ScoredChunk] {
    guard depth > 0, selection.count > 0 else { return [] }
    return try connection.withFullText(table.name, phrases: phrases) { try rank($0, depth) } ?? []
  }

  // MARK: Choosing terms

  private struct Term {
    var phrase: Int
    var count: Int
    var postings: Postings?
  }

  private func rank(_ reader: FullTextReader, _ depth: Int) throws -> [ScoredChunk] {
    let rowCount = Double(try reader.rowCount())
    let averageLength = Double(try reader.tokenCount()) / max(1, rowCount)
    var terms = try (0..<reader.phraseCount).map { try term($0, reader) }
    terms.sort { $0.count == $1.count ? $0.phrase < $1.phrase : $0.count < $1.count }
    let pool = max(Self.leastRescored, 2 * depth)
    var used: [WeighedPostings] = []
    var rest: ArraySlice<Term> = []
    var walked = 0
    var found: [ScoredChunk] = []
    for index in terms.indices {
      let isWithin = walked + terms[index].count <= budget
      if !isWithin, !used.isEmpty {
        // Of what is left, one by one, only as much as it takes to have rows enough.
        found = score(used, pool, averageLength)
        if found.count >= depth {
          rest = terms[index...]
          break
        }
      }
      guard let postings = try terms[index].postings ?? complete(terms[index].phrase, reader) else { continue }
      terms[index].postings = nil
      walked += postings.rows.count
      if postings.rows.isEmpty { continue }
      used.append(WeighedPostings(postings, rowCount: rowCount))
      found = []
    }
    if rest.isEmpty { return score(used, depth, averageLength) }
    return try rescore(found, by: Array(rest), reader, rowCount, averageLength, depth)
  }

  /// At least so many rows are ordered by all terms when some were left out of the search for them.
  private static let leastRescored = 100

  /// Adds what the terms left out give the rows found.
  private func rescore(
    _ found: [ScoredChunk], by terms: [Term], _ reader: FullTextReader, _ rowCount: Double, _ averageLength: Double,
    _ depth: Int
  ) throws -> [ScoredChunk] {
    let wanted = try terms.map { term -> [[UInt8]] in
      guard term.phrase < phrases.count else { return [] }
      return try reader.tokens(of: SQLText.unquotedFullTextTerm(phrases[term.phrase]))
    }
    let weights = terms.map { Self.weight(Double($0.count), rowCount) }
    var place = RowCursor(rows: rows, selection: selection, isFiltered: isFiltered, kind: table.kind)
    var best = TopScores(capacity: depth)
    try connection.withStatement("SELECT prefix, coalesce(embedded, content) FROM chunks WHERE key = ?") { statement in
      for chunk in found.sorted(by: { $0.chunk < $1.chunk }) {
        statement.reset()
        try statement.bind(chunk.chunk, at: 1)
        guard try statement.step() else { continue }
        let parts = table.indexedTexts(prefix: statement.row.text(0), body: statement.row.text(1))
        let norm = norm(length: place.length(of: chunk.chunk) ?? 0, averageLength)
        var counts = [UInt32](repeating: 0, count: wanted.count)
        for part in parts {
          for (index, count) in try reader.occurrences(of: wanted, in: part).enumerated() { counts[index] += count }
        }
        var score = chunk.score
        for (count, weight) in zip(counts, weights) where count > 0 {
          score += weight * (Double(count) * (Self.k1 + 1) / (Double(count) + norm))
        }
        best.offer(score, chunk.chunk)
      }
    }
    return best.sorted()
  }

  /// A term with its postings, or with how many it had when last looked at.
  private func term(_ phrase: Int, _ reader: FullTextReader) throws -> Term {
    let text = phrase < phrases.count ? phrases[phrase] : ""
    if let known = frequencies.count(of: text, in: table), known > budget {
      return Term(phrase: phrase, count: known, postings: nil)
    }
    let postings = try reader.postings(of: phrase, limit: budget + 1)
    if postings.isComplete { return Term(phrase: phrase, count: postings.rows.count, postings: postings) }
    // Rows stand by key: of how far these reach follows how many there are.
    let first = rows.blocks.first?.runs.first?.firstChunk ?? 0
    let end = rows.blocks.last?.runs.last.map { $0.firstChunk + Int64($0.count) } ?? 0
    let reached = max(1, (postings.rows.last ?? 0) - first + 1)
    let count = max(budget + 1, Int(Double(postings.rows.count) * Double(end - first) / Double(reached)))
    frequencies.set(count, of: text, in: table)
    return Term(phrase: phrase, count: count, postings: nil)
  }

  private func complete(_ phrase: Int, _ reader: FullTextReader) throws -> Postings? {
    let postings = try reader.postings(of: phrase)
    if phrase < phrases.count { frequencies.set(postings.rows.count, of: phrases[phrase], in: table) }
    return postings
  }

  // MARK: Scoring

  private struct WeighedPostings {
    let rows: [Int64]
    let frequencies: [UInt32]
    /// Inverse document frequency.
    let weight: Double
    var next = 0

    init(_ postings: Postings, rowCount: Double) {
      rows = postings.rows
      frequencies = postings.frequencies
      weight = LexicalSearch.weight(Double(rows.count), rowCount)
    }
  }

  /// Inverse document frequency of a term in `count` rows.
  private static func weight(_ count: Double, _ rowCount: Double) -> Double {
    let weight = log((rowCount - count + 0.5) / (count + 0.5))
    // FTS5's floor for terms that most rows have.
    return weight > 0 ? weight : 1e-6
  }

  private func norm(length: UInt32, _ averageLength: Double) -> Double {
    Self.k1 * (1 - Self.b + Self.b * Double(length) / max(averageLength, .leastNormalMagnitude))
  }

  /// Merges the postings, row by row.
  private func score(_ terms: [WeighedPostings], _ depth: Int, _ averageLength: Double) -> [ScoredChunk] {
    var terms = terms
    var best = TopScores(capacity: depth)
    var place = RowCursor(rows: rows, selection: selection, isFiltered: isFiltered, kind: table.kind)
    while true {
      var row = Int64.max
      for term in terms where term.next < term.rows.count { row = min(row, term.rows[term.next]) }
      if row == .max { break }
      let length = place.length(of: row)
      let norm = norm(length: length ?? 0, averageLength)
      var sum = 0.0
      for index in terms.indices where terms[index].next < terms[index].rows.count {
        guard terms[index].rows[terms[index].next] == row else { continue }
        let frequency = Double(terms[index].frequencies[terms[index].next])
        sum += terms[index].weight * (frequency * (Self.k1 + 1) / (frequency + norm))
        terms[index].next += 1
      }
      if length != nil { best.offer(sum, row) }
    }
    return best.sorted()
  }
}

/// Finds rows by ascending keys.
private struct RowCursor {
  let rows: ResidentRows
  let isFiltered: Bool
  let kind: FullTextTable.Kind
  private var masks: [Int: [UInt8]] = [:]
  private var block = 0
  private var blockEnd: Int64 = .min
  private var run = 0

  init(rows: ResidentRows, selection: RowSelection, isFiltered: Bool, kind: FullTextTable.Kind) {
    self.rows = rows
    self.isFiltered = isFiltered
    self.kind = kind
    if isFiltered {
      for selected in selection.blocks { masks[selected.block] = selected.mask }
    }
    blockEnd = Self.end(of: rows.blocks.first)
  }

  private static func end(of block: RowBlock?) -> Int64 {
    block?.runs.last.map { $0.firstChunk + Int64($0.count) } ?? .max
  }

  /// The tokens of the chunk `key`; nil when it is not there or does not pass the filter. Keys must ascend.
  mutating func length(of key: Int64) -> UInt32? {
    while key >= blockEnd, block < rows.blocks.count {
      block += 1
      run = 0
      blockEnd = block < rows.blocks.count ? Self.end(of: rows.blocks[block]) : .max
    }
    guard block < rows.blocks.count else { return nil }
    if isFiltered, masks[block] == nil { return nil }
    let runs = rows.blocks[block].runs
    while run < runs.count, key >= runs[run].firstChunk + Int64(runs[run].count) { run += 1 }
    guard run < runs.count, key >= runs[run].firstChunk else { return nil }
    let row = runs[run].start + Int(key - runs[run].firstChunk)
    if let mask = masks[block], mask[row / 8] & 1 << UInt8(row % 8) == 0 { return nil }
    return kind == .words ? rows.blocks[block].wordCounts[row] : rows.blocks[block].gramCounts[row]
  }
}

/// In how many rows frequent terms are, as far as was seen: which to leave out is known before their postings are
/// walked. May be behind the table.
final class TermFrequencies: Sendable {
  private static let capacity = 20_000
  private let counts = Locked<[String: Int]>([:])

  func count(of phrase: String, in table: FullTextTable) -> Int? { counts.withLock { $0[Self.key(phrase, table)] } }

  func set(_ count: Int, of phrase: String, in table: FullTextTable) {
    counts.withLock { counts in
      if counts.count >= Self.capacity { counts.removeAll() }
      counts[Self.key(phrase, table)] = count
    }
  }

  private static func key(_ phrase: String, _ table: FullTextTable) -> String { "\(table.name) \(phrase)" }
}
