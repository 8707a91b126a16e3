import SQLite

/// Something that an integrity check found.
public struct StoreProblem: Sendable, Hashable {
  /// A stable dotted code, such as `store.check.vectors`.
  public let code: String
  /// What is wrong, in one sentence.
  public let message: String
}

extension SQLiteDatabase {
  /// Checks the file's pages and that documents, pages, chunks, vectors and full-text tables agree; reads the whole
  /// file. Empty when all is well.
  public func check() async throws -> [StoreProblem] {
    try await snapshot { connection in
      var problems = try connection.quickCheck().map { StoreProblem(code: "store.check.pages", message: $0) }
      // Nothing read from damaged pages would be worth reporting.
      if !problems.isEmpty { return problems }
      problems += try Self.counts.flatMap { code, sql in
        try connection.map(sql) { StoreProblem(code: "store.check.\(code)", message: $0.text(0)) }
      }
      let spaces = try connection.map("SELECT key FROM spaces") { $0.integer(0) }
      for space in spaces {
        let chunks = "(SELECT sum(chunk_count) FROM revisions WHERE space = \(space))"
        let message = try connection.first(
          """
          SELECT 'space \(space) has ' || coalesce(\(chunks), 0) || ' chunks but ' || count(*) || ' rows of words'
          FROM words_\(space)_docsize HAVING count(*) <> coalesce(\(chunks), 0)
          """
        ) { $0.text(0) }
        if let message { problems.append(StoreProblem(code: "store.check.words", message: message)) }
      }
      return problems
    }
  }

  /// Queries that return a sentence for each disagreement.
  private static let counts: [(code: String, sql: String)] = [
    (
      "references",
      "SELECT 'a row of ' || \"table\" || ' refers to a missing row of ' || parent FROM pragma_foreign_key_check LIMIT 20"
    ),
    (
      "revisions",
      """
      SELECT 'document ' || d.id || ' has no revision' FROM documents d
      WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.document = d.key) LIMIT 20
      """
    ),
    (
      "chunks",
      """
      SELECT 'document ' || d.id || ' has ' || count(c.key) || ' chunks of ' || r.chunk_count
      FROM revisions r JOIN documents d ON d.key = r.document LEFT JOIN chunks c ON c.revision = r.key
        AND c.key BETWEEN r.first_chunk AND r.first_chunk + r.chunk_count - 1
      GROUP BY r.key HAVING count(c.key) <> r.chunk_count LIMIT 20
      """
    ),
    (
      "vectors",
      """
      SELECT 'chunk ' || c.id || ' has no vector of the right size' FROM chunks c
      JOIN revisions r ON r.key = c.revision JOIN spaces s ON s.key = r.space LEFT JOIN vectors v ON v.chunk = c.key
      WHERE v.chunk IS NULL OR length(v.vector) <> 2 * s.dimension LIMIT 20
      """
    ),
    (
      "text",
      """
      SELECT 'version ' || t.version || ' has ' || count(p.key) || ' pages of ' || t.page_count
      FROM texts t LEFT JOIN pages p ON p.text = t.key GROUP BY t.key HAVING count(p.key) <> t.page_count LIMIT 20
      """
    ),
  ]
}
