import Core
import FoundationEssentials
import QuarryTesting
import SQLite
import SQLiteStore
import Testing

/// SplitMix64: the same numbers everywhere.
struct SampleRandom: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func unitVector(_ dimension: Int) -> Embedding {
    let values = (0..<dimension).map { _ in Float.random(in: -1...1, using: &self) }
    return Embedding(normalising: values) ?? Embedding(unit: values)
  }
}

/// Documents with vectors around some topics, as those of texts lie, and the exact search over them.
struct CodedCorpus {
  static let dimension = 192
  static let embedder = FakeEmbedder(model: "topics", dimension: dimension)
  private(set) var vectors: [ChunkID: (document: DocumentID, vector: [Float])] = [:]
  private var random = SampleRandom(state: 11)
  private let topics: [[Float]]

  init() {
    var random = SampleRandom(state: 5)
    topics = (0..<40).map { _ in random.unitVector(Self.dimension).vector }
  }

  /// A vector near one of the topics.
  mutating func vector() -> Embedding {
    let topic = topics[Int.random(in: 0..<topics.count, using: &random)]
    let noise = random.unitVector(Self.dimension).vector
    return Embedding(normalising: zip(topic, noise).map { 0.4 + 4 * $0 + 5 * $1 }) ?? Embedding(unit: topic)
  }

  mutating func document(
    _ name: String, collection: CollectionName = .default, chunks: Int, attributes: [String: String] = [:],
    content: String? = nil
  ) -> IndexedDocument {
    let document = Sample.document(name, collection: collection, content: content)
    var indexed = Sample.indexed(document, texts: ["p"], attributes: attributes, embedder: Self.embedder)
    let page = indexed.pages[0]
    var template = Sample.embedded(Sample.chunk(of: page, document: document, ordinal: 0), by: Self.embedder)
    indexed.chunks = (0..<chunks).map { ordinal in
      template.chunk = Sample.chunk(of: page, document: document, ordinal: ordinal)
      template.embedding = vector()
      return template
    }
    add(indexed)
    return indexed
  }

  mutating func add(_ indexed: IndexedDocument) {
    forget(indexed.document.id)
    for chunk in indexed.chunks { vectors[chunk.chunk.id] = (indexed.document.id, chunk.embedding.vector) }
  }

  mutating func forget(_ document: DocumentID) { vectors = vectors.filter { $0.value.document != document } }

  /// The share of the exact search's ten best that `index` finds, over some queries; and whether its cosines are right.
  mutating func recall(
    of index: SQLiteDocumentIndex, queries: Int, filter: SearchFilter = .init(), passes: Set<DocumentID>? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> Double {
    var hits = 0
    var wanted = 0
    for _ in 0..<queries {
      let query = vector()
      let exact = vectors.filter { passes?.contains($0.value.document) ?? true }.mapValues { row in
        row.vector.withUnsafeBufferPointer { row in
          query.vector.withUnsafeBufferPointer { query in
            var sum: Float = 0
            for index in 0..<Self.dimension { sum += row[index] * query[index] }
            return sum
          }
        }
      }
      let best = exact.sorted { $0.value > $1.value }.prefix(10)
      let found = try await index.candidates(
        for: CandidateRequest(
          embedding: query, identity: Self.embedder.identity, lexicalText: nil, trigramText: nil, filter: filter,
          depth: 10))
      let dense = found.legs[.dense] ?? []
      #expect(dense.map(\.score) == dense.map(\.score).sorted(by: >), sourceLocation: sourceLocation)
      for candidate in dense {
        let cosine = exact[candidate.chunk] ?? -9
        #expect(abs(Float(candidate.score) - cosine) < 1e-3, sourceLocation: sourceLocation)
        #expect(abs((found.similarities[candidate.chunk] ?? 9) - cosine) < 1e-3, sourceLocation: sourceLocation)
      }
      wanted += best.count
      hits += Set(best.map(\.key)).intersection(dense.map(\.chunk)).count
    }
    return Double(hits) / Double(max(1, wanted))
  }
}

@Suite(.serialized) struct CodedSearchTests {
  @Test func findsWhatExactSearchFinds_withAndWithoutFilters_asDocumentsComeAndGo() async throws {
    try await withDatabase { database in
      let index = SQLiteDocumentIndex(database)
      let law = CollectionName(rawValue: "law")
      var corpus = CodedCorpus()
      var documents: [IndexedDocument] = []
      for number in 0..<12 {
        let indexed = corpus.document(
          "\(number).pdf", collection: number % 3 == 0 ? law : .default, chunks: 990,
          attributes: ["parity": number % 2 == 0 ? "even" : "odd"])
        documents.append(indexed)
        try await index.commit(indexed)
      }
      let coded = try await database.read { connection in
        try connection.first("SELECT count(*) FROM sketches WHERE codes IS NOT NULL") { $0.int(0) }
      }
      #expect(coded == 12)
      #expect(try await corpus.recall(of: index, queries: 20) >= 0.98)

      func ids(_ wanted: (Int) -> Bool) -> Set<DocumentID> {
        Set(documents.indices.filter(wanted).map { documents[$0].document.id })
      }
      let filters: [(SearchFilter, Set<DocumentID>)] = [
        (SearchFilter(collections: [law]), ids { $0 % 3 == 0 }),
        (SearchFilter(attributes: ["parity": "even"]), ids { $0 % 2 == 0 }),
        (SearchFilter(documents: ids { $0 == 4 || $0 == 9 }), ids { $0 == 4 || $0 == 9 }),
        (SearchFilter(collections: [law], documents: ids { $0 < 7 }, attributes: ["parity": "odd"]), ids { $0 == 3 }),
        (SearchFilter(documents: ids { $0 == 11 }), ids { $0 == 11 }),
      ]
      for (filter, passes) in filters {
        let recall = try await corpus.recall(of: index, queries: 8, filter: filter, passes: passes)
        #expect(recall >= (passes.count == 1 ? 1 : 0.97), "\(filter)")
      }

      // The reader follows what another opening writes.
      let other = try await SQLiteDatabase.open(database.path)
      let writer = SQLiteDocumentIndex(other)
      for round in 0..<40 {
        let place = round * 5 % documents.count
        let document = documents[place].document
        if round % 4 == 3 {
          try await writer.delete(document.id, tombstone: false, now: Sample.date)
          corpus.forget(document.id)
        } else {
          let next = corpus.document(
            "\(place).pdf", collection: document.collection, chunks: 20 + round * 3, content: "round \(round)")
          try await writer.commit(next)
        }
        if round % 8 == 7 { #expect(try await corpus.recall(of: index, queries: 3) >= 0.95, "round \(round)") }
      }
      await other.close()
      #expect(try await corpus.recall(of: index, queries: 10) >= 0.97)
      #expect(try await inspect(database).findings.map(\.code) == [])
    }
  }

  @Test func preparesAStoreOfAnEarlierVersion_goingOnWhereItWasStopped() async throws {
    let folder = TemporaryFolder()
    defer { folder.remove() }
    var corpus = CodedCorpus()
    do {
      let database = try await SQLiteDatabase.open(folder.database)
      let index = SQLiteDocumentIndex(database)
      for number in 0..<3 { try await index.commit(corpus.document("\(number).pdf", chunks: 4_100)) }
      await database.close()
    }
    try Connection(path: folder.database).execute(
      """
      DROP TABLE sketches; DROP INDEX attributes_by_value; ALTER TABLE spaces DROP COLUMN centre;
      ALTER TABLE spaces DROP COLUMN sketched; PRAGMA user_version = 4
      """)
    // Stopped after its first step.
    let path = folder.database
    let stopped = Task {
      try await SQLiteDatabase.open(path) { _ in withUnsafeCurrentTask { $0?.cancel() } }
    }
    await #expect(throws: CancellationError.self) { try await stopped.value }
    #expect(try Connection(path: path).first("SELECT count(*) FROM sketches") { $0.int(0) } == 1)
    let steps = Progress()
    let database = try await SQLiteDatabase.open(path) { await steps.add($0) }
    let last = await steps.all.last
    #expect(last?.total == 8_200 && last?.done == 8_200)
    let index = SQLiteDocumentIndex(database)
    #expect(try await corpus.recall(of: index, queries: 5) >= 0.95)
    #expect(try await inspect(database).findings.map(\.code) == [])
    await database.close()
    let again = try await SQLiteDatabase.open(path) { await steps.add($0) }
    #expect(await steps.all.count == 2)
    await again.close()
  }

  private actor Progress {
    var all: [InspectionProgress] = []
    func add(_ step: InspectionProgress) { all.append(step) }
  }

  @Test func mendsCodes_andSearchesWithoutThem() async throws {
    let folder = TemporaryFolder()
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    let index = SQLiteDocumentIndex(database)
    var corpus = CodedCorpus()
    for number in 0..<3 { try await index.commit(corpus.document("\(number).pdf", chunks: 4_000)) }
    #expect(try await corpus.recall(of: index, queries: 5) >= 0.95)
    // Codes of nothing: what the scan finds is then chance.
    try Connection(path: folder.database).execute(
      """
      UPDATE sketches SET codes = zeroblob(length(codes)) WHERE revision = 1;
      DELETE FROM sketches WHERE revision = 2
      """)
    #expect(try await inspect(database).counts == ["sketch.codes": 1, "sketch.missing": 1])
    let fresh = try await SQLiteDatabase.open(folder.database)
    let reader = SQLiteDocumentIndex(fresh)
    #expect(try await corpus.recall(of: reader, queries: 5) < 0.95)
    let report = try await SQLiteStoreUpkeep(database, cache: SQLiteEmbeddingCache(database)).tidy(
      rules: Sample.rules, isDryRun: false
    ) { _ in }
    #expect(report.actions.contains { $0.count == 2 }, "\(report.actions)")
    #expect(try await inspect(database).findings.map(\.code) == [])
    // A reader that had loaded the damaged ones takes the mended ones.
    #expect(try await corpus.recall(of: reader, queries: 5) >= 0.95)

    try Connection(path: folder.database).execute("UPDATE spaces SET centre = x'00'")
    #expect(try await inspect(database).counts == ["space.centre": 1])
    _ = try await SQLiteStoreUpkeep(database, cache: SQLiteEmbeddingCache(database)).tidy(
      rules: Sample.rules, isDryRun: false
    ) { _ in }
    #expect(try await inspect(database).findings.map(\.code) == [])
    await fresh.close()
    await database.close()
  }
}
