import Core
import FoundationEssentials
import QuarryTesting
import SQLite
import SQLiteStore
import Testing

@Suite struct LexicalSearchTests {
  private static let vocabulary =
    "pump water basin gate valve turbine dam tunnel shaft crane wheel sluice weir canal lock pier jetty mole quay dock"
    .split(separator: " ").map(String.init)

  /// Texts of words drawn so that the n-th of the vocabulary is in about 1 of n.
  private func texts(_ count: Int, _ random: inout SampleRandom) -> [String] {
    (0..<count).map { _ in
      let length = Int.random(in: 4..<40, using: &random)
      return (0..<length).map { _ in
        let rank = Int(Double(Self.vocabulary.count).squareRoot() * Double.random(in: 0..<1, using: &random) * 4.4)
        return Self.vocabulary[min(rank * rank / 20, Self.vocabulary.count - 1)]
      }.joined(separator: " ")
    }
  }

  private func found(
    _ index: SQLiteDocumentIndex, _ question: String, filter: SearchFilter = .init(), depth: Int = 10
  ) async throws -> [(chunk: ChunkID, score: Double)] {
    try await index.candidates(
      for: CandidateRequest(
        embedding: nil, identity: nil, lexicalText: question, trigramText: nil, filter: filter, depth: depth)
    ).legs[.lexical]?.map { ($0.chunk, $0.score) } ?? []
  }

  /// FTS5's own ranking of chunks with any of `words`.
  private func expected(
    _ database: SQLiteDatabase, _ words: [String], collection: CollectionName? = nil, depth: Int = 10
  ) async throws -> [(chunk: ChunkID, score: Double)] {
    let query = words.joined(separator: " OR ")
    return try await database.read { connection in
      try connection.map(
        """
        SELECT c.id, -bm25(words_1) AS score FROM words_1 JOIN chunks c ON c.key = words_1.rowid
        JOIN revisions r ON r.key = c.revision JOIN documents d ON d.key = r.document
        JOIN collections l ON l.key = d.collection
        WHERE words_1 MATCH ? AND (?2 IS NULL OR l.name = ?2) ORDER BY score DESC, c.key LIMIT ?3
        """, query, collection?.rawValue, depth
      ) { (ChunkID(rawValue: $0.text(0)), $0.double(1)) }
    }
  }

  private func expectEqual(
    _ found: [(chunk: ChunkID, score: Double)], _ expected: [(chunk: ChunkID, score: Double)],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(found.map(\.chunk) == expected.map(\.chunk), sourceLocation: sourceLocation)
    for (found, expected) in zip(found, expected) {
      #expect(abs(found.score - expected.score) < 1e-9 * max(1, expected.score), sourceLocation: sourceLocation)
    }
  }

  @Test func scoresAsFTS5Does_asDocumentsComeAndGo() async throws {
    try await withDatabase { database in
      let index = SQLiteDocumentIndex(database)
      let law = CollectionName(rawValue: "law")
      var random = SampleRandom(state: 3)
      for number in 0..<12 {
        try await index.commit(
          Sample.indexed(
            Sample.document("\(number).pdf", collection: number % 3 == 0 ? law : .default), texts: texts(40, &random)))
      }
      for round in 0..<6 {
        for question in [["pump", "quay"], ["water", "basin", "mole", "dock"], ["gate"], ["weir", "canal", "lock"]] {
          expectEqual(
            try await found(index, question.joined(separator: " ")), try await expected(database, question))
          expectEqual(
            try await found(
              index, question.joined(separator: " "), filter: SearchFilter(collections: [law]), depth: 7),
            try await expected(database, question, collection: law, depth: 7))
        }
        if round % 2 == 0 {
          let id = Sample.document("\(round).pdf", collection: round % 3 == 0 ? law : .default).id
          try await index.delete(id, tombstone: false, now: Sample.date)
        } else {
          try await index.commit(
            Sample.indexed(
              Sample.document("\(round).pdf", collection: .default, content: "next"),
              texts: texts(55, &random)))
        }
      }
    }
  }

  @Test func searchesRareWords_andOrdersWhatTheyFindByAll() async throws {
    try await withDatabase { database in
      // Of the rows with the rare word some have the frequent one too, in texts of several lengths.
      let texts = (0..<400).map { number in
        let rare = number % 20 == 7 ? " beside the dock" : ""
        return (number % 3 == 0 ? "pumps pump of hall \(number)" : "hall \(number) of stone and glass") + rare
          + String(repeating: " brick", count: number % 7)
      }
      try await SQLiteDocumentIndex(database).commit(Sample.indexed(texts: texts))
      let index = SQLiteDocumentIndex(database, lexicalBudget: 100)
      for _ in 0..<2 {
        // The second time it is known how frequent the word is. That is an estimate here: the order must be right.
        let found = try await found(index, "pump dock", depth: 20)
        let all = try await expected(database, ["pump", "dock"], depth: 20)
        #expect(found.map(\.chunk) == all.map(\.chunk))
        for (found, expected) in zip(found, all) { #expect(abs(found.score - expected.score) < 0.05) }
      }
      // Too few rows: the frequent word is searched all the same, and all is exact.
      expectEqual(
        try await found(index, "pump dock", depth: 140), try await expected(database, ["pump", "dock"], depth: 140))
      expectEqual(try await found(index, "pump", depth: 5), try await expected(database, ["pump"], depth: 5))
    }
  }

  @Test func ranksNGrams_asFTS5Does() async throws {
    try await withDatabase { database in
      let index = SQLiteDocumentIndex(database)
      let texts = ["水泵将下水库的水送到上水库。", "水库的水", "所得税申报表", "plain text", "上水库和下水库都是水库"]
      try await index.commit(Sample.indexed(texts: texts))
      let result = try await index.candidates(
        for: CandidateRequest(
          embedding: nil, identity: nil, lexicalText: nil, trigramText: "下水库", filter: .init(), depth: 5))
      let terms = LexicalQuery.grams("下水库").joined(separator: " OR ")
      let expected = try await database.read { connection in
        try connection.map(
          "SELECT rowid, -bm25(grams_1) AS score FROM grams_1 WHERE grams_1 MATCH ? ORDER BY score DESC, rowid", terms
        ) { $0.double(1) }
      }
      let scores = result.legs[.trigram]?.map(\.score) ?? []
      #expect(!scores.isEmpty && scores.count == expected.count)
      for (score, expected) in zip(scores, expected) { #expect(abs(score - expected) < 1e-9) }
    }
  }
}
