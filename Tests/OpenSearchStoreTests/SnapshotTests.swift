import Concurrency
import Core
import FoundationEssentials
import OpenSearchStore
import QuarryTesting
import Testing

@Suite(.enabled(if: OpenSearchNode.absence == nil, "needs ../shared/opensearch"))
struct SnapshotTests {
  /// A document is replaced again and again, with other numbers of chunks, while two searchers ask for all of it and a
  /// third makes the cluster show whatever was written so far, as another worker would.
  @Test func noSearchSeesHalfAVersion_whileADocumentIsReplaced() async throws {
    let swaps = 60
    try await withCluster({ $0.grace = .seconds(2) }) { cluster in
      let index = OpenSearchDocumentIndex(cluster)
      func version(_ number: Int) -> IndexedDocument {
        Sample.indexed(
          Sample.document(content: "bytes \(number)"),
          texts: (0..<(20 + number % 7)).map { "water round\(number) basin \($0)" })
      }
      try await index.commit(version(0))
      let isOver = Locked(false)
      let searches = Locked(0)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          defer { isOver.withLock { $0 = true } }
          for number in 1...swaps { try await index.commit(version(number)) }
        }
        for _ in 0..<2 {
          group.addTask {
            while !isOver.withLock({ $0 }) {
              let found = try await index.candidates(
                for: CandidateRequest(
                  embedding: FakeEmbedder().embedding(of: "water"), identity: Sample.identity, lexicalText: "water",
                  trigramText: nil, filter: .init(), depth: 100))
              searches.withLock { $0 += 1 }
              let words = found.legs[.lexical] ?? []
              let near = found.legs[.dense] ?? []
              #expect(Set(words.map(\.chunk)) == Set(near.map(\.chunk)))
              #expect((20..<27).contains(words.count))
              let texts = try await index.chunks(words.map(\.chunk)).values.map(\.chunk.text)
              // All of one version, or of none when it was replaced between the two requests.
              let rounds = Set(texts.compactMap { $0.split(separator: " ").first { $0.hasPrefix("round") } })
              #expect(rounds.count <= 1 && (texts.isEmpty || texts.count == words.count))
            }
          }
        }
        group.addTask {
          while !isOver.withLock({ $0 }) {
            try await cluster.refresh()
            try await Task.sleep(for: .milliseconds(20))
          }
        }
        try await group.waitForAll()
      }
      #expect(searches.withLock { $0 } > swaps)
      #expect(try await index.totals(pipeline: Sample.current, identity: Sample.identity).documents == 1)
    }
  }

  /// A worker that died left its writing half done: the old version answers, and the rest is cleared away later.
  @Test func clearsAway_whatADeadWriterLeft() async throws {
    try await withCluster({ $0.grace = .seconds(1) }) { cluster in
      let index = OpenSearchDocumentIndex(cluster)
      try await index.commit(Sample.indexed(texts: ["water", "sand"]))
      try await index.abandon(Sample.indexed(Sample.document(content: "two"), texts: ["gravel", "clay", "silt"]))
      let found = try await index.candidates(
        for: CandidateRequest(
          embedding: nil, identity: nil, lexicalText: "gravel clay silt water", trigramText: nil, filter: .init(),
          depth: 9))
      #expect(found.legs[.lexical]?.count == 1)
      let upkeep = OpenSearchStoreUpkeep(cluster, cache: OpenSearchEmbeddingCache(cluster))
      let report = try await upkeep.tidy(rules: Sample.rules, isDryRun: false) { _ in }
      #expect(report.actions.map(\.code) == ["version.leftover"])
      #expect(try await OpenSearchStoreInspection(cluster).inspect(rules: Sample.rules) { _ in }.findings == [])
    }
  }

  @Test func findsDamage_andMendsWhatItCan() async throws {
    try await withCluster({ $0.grace = .seconds(1) }) { cluster in
      let index = OpenSearchDocumentIndex(cluster)
      let document = Sample.document()
      try await index.commit(Sample.indexed(document, texts: ["water", "sand"]))
      let chunks = try #require(try await cluster.activeChunks())
      let names = cluster.client.configuration.index
      func codes() async throws -> Set<String> {
        let found = try await OpenSearchStoreInspection(cluster).inspect(rules: Sample.rules) { _ in }.counts.keys
        // Versions wait to be cleared away on a machine that is slow.
        return Set(found).subtracting(["version.leftover"])
      }
      // Another program's hands.
      try await cluster.tamper(
        "POST", "/\(chunks)/_update_by_query?refresh=true",
        #"{"query":{"term":{"ordinal":0}},"script":"ctx._source.hash='x'"}"#)
      #expect(try await codes() == ["chunk.wrong_hash"])
      try await cluster.tamper("POST", "/\(chunks)/_delete_by_query?refresh=true", #"{"query":{"term":{"ordinal":0}}}"#)
      #expect(try await codes() == ["chunk.missing"])
      try await cluster.tamper(
        "POST", "/\(names)-pages/_delete_by_query?refresh=true", #"{"query":{"term":{"number":1}}}"#)
      #expect(try await codes() == ["chunk.missing", "page.missing"])
      try await index.commit(Sample.indexed(document, texts: ["water", "sand"]))
      try await cluster.tamper("PUT", "/\(names)-pages/_doc/0-1?refresh=true", #"{"vn":0,"number":1}"#)
      try await cluster.tamper("POST", "/\(names)-places/_delete_by_query?refresh=true", #"{"query":{"match_all":{}}}"#)
      try await cluster.tamper(
        "POST", "/_aliases", #"{"actions":[{"remove":{"index":"\#(chunks)","alias":"\#(names)"}}]}"#)
      #expect(try await codes() == ["page.orphan", "place.missing", "alias.wrong"])
      let upkeep = OpenSearchStoreUpkeep(cluster, cache: OpenSearchEmbeddingCache(cluster))
      _ = try await upkeep.tidy(rules: Sample.rules, isDryRun: false) { _ in }
      #expect(try await codes() == [])
    }
  }
}
