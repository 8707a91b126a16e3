import Core
import Ingestion
import Insight
import QuarryTesting
import Testing

@Suite struct BEIRTests {
  private let folder = TemporaryFolder()

  private func dataset() throws -> BEIRDataset {
    try folder.write(
      "queries.jsonl",
      """
      {"_id": "1", "text": "pumps move water"}
      {"_id": "2", "text": "not judged"}
      {"_id": 3, "text": "gates hold tides"}
      """)
    try folder.write(
      "corpus.jsonl",
      """
      {"_id": "d/1", "title": "Pumps", "text": "Pumps move water from the basin."}
      {"_id": "d2", "title": "", "text": "Gates hold the tides back."}
      {"_id": "d3", "text": "Birds nest in May.", "metadata": {}}
      {"_id": "d4", "title": "", "text": ""}
      """)
    try folder.write("qrels/test.tsv", "query-id\tcorpus-id\tscore\n1\td/1\t2\n1\td2\t1\n1\td3\t0\n3\td2\t1\n")
    return try BEIRDataset(folder: folder.path + "/")
  }

  @Test func readsJudgedQueries_withGrades() throws {
    #expect(!BEIRDataset.isDataset(folder.path))
    let set = try dataset().questions
    #expect(BEIRDataset.isDataset(folder.path))
    #expect(set.questions.map(\.id) == ["1", "3"])
    #expect(
      set.questions[0].evidence == [
        .init(document: "d%2F1", page: nil, grade: 2), .init(document: "d2", page: nil, grade: 1),
      ])
  }

  @Test func namesFileAndLine_ofAMalformedJudgement() throws {
    _ = try dataset()
    try folder.write("qrels/test.tsv", "query-id\tcorpus-id\tscore\n1\td2\n")
    let error = #expect(throws: InsightError.self) { try BEIRDataset(folder: folder.path) }
    #expect(error?.message.contains("qrels/test.tsv:2: ") == true)
  }

  @Test func indexesEachDocument_asOnePageUnderItsID() async throws {
    let dataset = try dataset()
    let index = InMemoryDocumentIndex()
    let embedder = FakeEmbedder()
    let count = try await BEIRIndexing(
      chunker: SentenceChunker(limit: embedder.limit), embedder: embedder, index: index
    ).index(dataset)
    #expect(count == 4)
    let entries = try await index.catalogue(collections: nil, state: nil, limit: 10, after: nil).entries
    #expect(Set(entries.map(\.document.name)) == ["d%2F1", "d2", "d3", "d4"])
    let pumps = try #require(entries.first { $0.document.name == "d%2F1" })
    let page = try #require(try await index.page(1, of: pumps.document.id))
    #expect(page.text == "Pumps\nPumps move water from the basin.")
    #expect(page.boxes.count == page.text.unicodeScalars.count)
    #expect(entries.first { $0.document.name == "d4" }?.state == .unreadable)
    let candidates = try await index.candidates(
      for: CandidateRequest(
        embedding: embedder.embedding(of: "gates hold tides"), identity: embedder.identity, lexicalText: nil,
        trigramText: nil, filter: .init(), depth: 1))
    let best = try #require(candidates.legs[.dense]?.first)
    #expect(best.document == entries.first { $0.document.name == "d2" }?.document.id)
  }
}
