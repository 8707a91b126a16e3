import Core
import FoundationEssentials
import IndexEncoding
import QuarryTesting
import SQLite
import SQLiteStore
import Testing

@Suite struct SearchTests {
  @Test func equalsBruteForce_over9500RandomChunks() async throws {
    let dimension = 48
    let embedder = FakeEmbedder(model: "random", dimension: dimension)
    var random = SampleRandom(state: 7)
    try await withDatabase { database in
      let index = SQLiteDocumentIndex(database)
      var rounded: [ChunkID: [Float]] = [:]
      var exact: [ChunkID: Embedding] = [:]
      for number in 0..<19 {
        let document = Sample.document("\(number).pdf")
        var indexed = Sample.indexed(document, texts: ["p"], embedder: embedder)
        let page = indexed.pages[0]
        indexed.chunks = (0..<500).map { ordinal in
          var chunk = Sample.embedded(Sample.chunk(of: page, document: document, ordinal: ordinal), by: embedder)
          chunk.embedding = random.unitVector(dimension)
          return chunk
        }
        for chunk in indexed.chunks {
          exact[chunk.chunk.id] = chunk.embedding
          // An independent rounding: the compiler's.
          rounded[chunk.chunk.id] = chunk.embedding.vector.map { Float(Float16($0)) }
        }
        try await index.commit(indexed)
      }
      #expect(exact.count == 9_500)
      for _ in 0..<5 {
        let query = random.unitVector(dimension)
        let found = try await index.candidates(
          for: CandidateRequest(
            embedding: query, identity: embedder.identity, lexicalText: nil, trigramText: nil, filter: .init(),
            depth: 10))
        let scores = rounded.mapValues { row in
          zip(row, query.vector).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        }
        let tenth = scores.values.sorted(by: >)[9]
        let dense = try #require(found.legs[.dense])
        #expect(dense.count == 10 && Set(dense.map(\.chunk)).count == 10)
        for candidate in dense {
          let score = try #require(scores[candidate.chunk])
          #expect(score >= tenth - 1e-6, "a nearer chunk was left out")
          #expect(abs(candidate.score - score) < 1e-5)
          let cosine = try #require(exact[candidate.chunk]?.cosine(to: query))
          #expect(abs(found.similarities[candidate.chunk, default: 9] - cosine) < 5e-4)
        }
        #expect(dense.map(\.score) == dense.map(\.score).sorted(by: >))
      }
    }
  }

  @Test func ranksRareWord_aboveCommonOnes() async throws {
    try await withDatabase { database in
      let index = SQLiteDocumentIndex(database)
      let texts = (0..<30).map { "water flows through gate \($0)" } + ["water flows through the penstock"]
      let indexed = Sample.indexed(texts: texts)
      try await index.commit(indexed)
      let found = try await index.candidates(
        for: CandidateRequest(
          embedding: nil, identity: nil, lexicalText: "Through which penstocks does the water flow?",
          trigramText: nil, filter: .init(), depth: 5))
      #expect(found.legs[.lexical]?.first?.chunk == indexed.chunks.last?.chunk.id)
      #expect(found.legs[.lexical]?.allSatisfy { $0.score > 0 } == true)
    }
  }

  @Test func findsWords_ofTitleAndHeadingPrefix_afterReplacement() async throws {
    try await withDatabase { database in
      let index = SQLiteDocumentIndex(database)
      func commit(_ content: String, prefix: String) async throws {
        let document = Sample.document(content: content)
        var indexed = Sample.indexed(document, texts: ["the text itself"])
        indexed.chunks[0].chunk.embeddedText = prefix + indexed.chunks[0].chunk.text
        try await index.commit(indexed)
      }
      func count(_ word: String) async throws -> Int? {
        try await index.candidates(
          for: CandidateRequest(
            embedding: nil, identity: nil, lexicalText: word, trigramText: nil, filter: .init(), depth: 5)
        ).legs[.lexical]?.count
      }
      try await commit("one", prefix: "Barrage › 水库\n")
      #expect(try await count("barrage") == 1)
      try await commit("two", prefix: "Lagoon\n")
      #expect(try await count("barrage") == 0)
      #expect(try await count("lagoon") == 1)
      // A full-text row that was taken out with another text than was put in leaves postings behind.
      try await database.write { connection in
        try connection.execute("INSERT INTO words_1 (words_1) VALUES ('integrity-check')")
        try connection.execute("INSERT INTO grams_1 (grams_1) VALUES ('integrity-check')")
      }
      let postings = try await database.read { connection in
        try connection.first("SELECT count(*) FROM grams_1_docsize") { $0.int(0) }
      }
      #expect(postings == 0)
    }
  }

  @Test func quotesTerms_andDropsStopWords() {
    #expect(LexicalQuery.words("What does the pump do?") == ["\"pump\""])
    #expect(LexicalQuery.words("who is it") == ["\"who\"", "\"is\"", "\"it\""])
    #expect(LexicalQuery.words("pump \"OR\" pump*") == ["\"pump\""])
    #expect(LexicalQuery.words("?! …") == [])
  }

  @Test func makesGrams_ofScriptsWithoutSpacesOnly() {
    #expect(ScriptGrams.indexed(of: "plain text, naïve Ελληνικά 한국어") == "")
    #expect(ScriptGrams.indexed(of: "a水泵站b") == "水泵 泵站 水泵站 站")
    #expect(LexicalQuery.grams("水泵") == ["\"水泵\""])
    #expect(LexicalQuery.grams("水") == ["\"水\"*"])
    #expect(LexicalQuery.grams("สูบน้ำ").contains("\"สูบ\""))
    #expect(LexicalQuery.grams("pump") == [])
  }
}
