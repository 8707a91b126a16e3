import Answering
import Core
import QuarryTesting
import Testing

struct ReciprocalRankFusionTests {
  private func candidates(_ names: String...) -> [Candidate] {
    names.map {
      Candidate(chunk: ChunkID(rawValue: $0), document: DocumentID(rawValue: "d"), score: 1)
    }
  }

  @Test func scoresAreSumsOfReciprocalRanks() throws {
    let fused = ReciprocalRankFusion(k: 60).fuse([.dense: candidates("a", "b"), .lexical: candidates("b", "c")])
    #expect(fused.map(\.chunk.rawValue) == ["b", "a", "c"])
    #expect(abs(fused[0].score - (1.0 / 62 + 1.0 / 61)) < 1e-12)
    #expect(fused[0].legs[.dense]?.rank == 2 && fused[0].legs[.lexical]?.rank == 1)
  }

  @Test func aHeavierLegWins() {
    let fused = ReciprocalRankFusion(weights: [.lexical: 3]).fuse([
      .dense: candidates("a", "b"), .lexical: candidates("b", "a"),
    ])
    #expect(fused.first?.chunk.rawValue == "b")
  }

  @Test func aLegOfWeightZeroHasNoSay() {
    let fused = ReciprocalRankFusion(weights: [.dense: 0]).fuse([
      .dense: candidates("a"), .lexical: candidates("b"),
    ])
    #expect(fused.map(\.chunk.rawValue) == ["b"])
  }

  @Test func equalScoresAreOrderedByChunk() {
    let fused = ReciprocalRankFusion().fuse([.dense: candidates("z"), .lexical: candidates("a")])
    #expect(fused.map(\.chunk.rawValue) == ["a", "z"])
  }
}

struct ConvexFusionTests {
  private func candidate(_ name: String, _ score: Double) -> Candidate {
    Candidate(chunk: ChunkID(rawValue: name), document: DocumentID(rawValue: "d"), score: score)
  }

  @Test func scoresAreWeightedShares_ofTheQuestionsBest() {
    let fused = ConvexFusion(weights: [.dense: 0.6, .lexical: 0.4]).fuse(
      Candidates(
        legs: [
          .dense: [candidate("a", 0.8), candidate("b", 0.4)], .lexical: [candidate("c", 10), candidate("b", 5)],
        ],
        similarities: [ChunkID(rawValue: "a"): 0.8, ChunkID(rawValue: "b"): 0.4, ChunkID(rawValue: "c"): 0.2],
        version: StoreVersion(1)))
    #expect(fused.map(\.chunk.rawValue) == ["a", "c", "b"])
    // a: .6 × .8/.8; c, which only the words found: .6 × .2/.8 + .4 × 10/10; b: .6 × .4/.8 + .4 × 5/10.
    for (hit, expected) in zip(fused, [0.6, 0.55, 0.5]) { #expect(abs(hit.score - expected) < 1e-6) }
    #expect(fused[2].legs[.dense]?.rank == 2 && fused[2].legs[.lexical]?.rank == 2)
  }

  @Test func cosinesHaveNoSay_whenTheDenseLegWasLeftOut() {
    let fused = ConvexFusion().fuse(
      Candidates(
        legs: [.lexical: [candidate("a", 2), candidate("b", 1)]],
        similarities: [ChunkID(rawValue: "a"): 0.1, ChunkID(rawValue: "b"): 0.9], version: StoreVersion(1)))
    #expect(fused.map(\.chunk.rawValue) == ["a", "b"])
  }
}

/// Reads Latin text only, as the built-in model does.
private struct LatinEmbedder: Embedder {
  let base = FakeEmbedder()
  var identity: EmbeddingIdentity { base.identity }
  var limit: EmbeddingLimit { base.limit }
  var batchSize: Int { base.batchSize }
  func reads(_ script: Script) -> Bool { script == .latin }
  func embed(_ texts: [String], as input: EmbeddingInput) async throws -> [Embedding] {
    try await base.embed(texts, as: input)
  }
}

struct LegPlanTests {
  private func plan(_ question: String) -> LegPlan { LegPlan(question: question, embedder: LatinEmbedder()) }

  @Test func latinQuestionsUseDenseAndLexical() {
    let plan = plan("How high is the weir?")
    #expect(plan.dense && plan.lexical && !plan.trigram && plan.unreadScript == nil)
  }

  @Test func cyrillicQuestionsDropTheDenseLeg() {
    let plan = plan("Какова высота плотины?")
    #expect(!plan.dense && plan.lexical && !plan.trigram && plan.unreadScript == .cyrillic)
  }

  @Test func chineseQuestionsUseTrigramsOnly() {
    let plan = plan("水坝有多高")
    #expect(!plan.dense && !plan.lexical && plan.trigram && plan.unreadScript == .han)
  }

  @Test func aNameInALatinQuestionKeepsTheDenseLeg() {
    #expect(plan("Who was Толстой, the author of the long report?").dense)
  }
}

struct HybridRetrieverTests {
  @Test func theBestPassageComesFirstWithItsCosine() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let found = try await fixture.retriever().retrieve(
      Question(text: "When was turbine two overhauled?"), context: RequestContext())
    #expect(found.passages.first?.chunk.pages.first?.page == 2)
    let question = fixture.embedder.embedding(of: "When was turbine two overhauled?")
    for passage in found.passages {
      let chunk = fixture.embedder.embedding(of: passage.chunk.embeddedText)
      #expect(abs(passage.similarity - chunk.cosine(to: question)) < 1e-5)
    }
    #expect(found.passages.map(\.rank) == Array(1...found.passages.count))
  }

  @Test func returnsNothing_whenIndexIsEmpty() async throws {
    let found = try await Fixture().retriever().retrieve(Question(text: "anything"), context: RequestContext())
    #expect(found.passages.isEmpty && found.confidence == 0)
  }

  @Test func equalPassagesAreShownOnceAndNameEveryDocument() async throws {
    let fixture = Fixture()
    _ = try await fixture.add(["The weir is twelve metres high."], name: "a.pdf")
    _ = try await fixture.add(["The weir is twelve metres high."], name: "b.pdf")
    let found = try await fixture.retriever().retrieve(Question(text: "How high is the weir?"), context: .init())
    #expect(found.passages.count == 1)
    #expect(
      Set([found.passages[0].document.name] + found.passages[0].alsoIn.map(\.name)) == ["a.pdf", "b.pdf"])
  }

  @Test func aPhraseOfTheQuestionCountsByItsWeight() async throws {
    let fixture = Fixture()
    _ = try await fixture.add(["The air gap of the rotor is wide.", "A gap lets the air of the rotor out."])
    let question = Question(text: "How wide is the air gap?")
    func scores(_ weight: Double) async throws -> [Int: Double] {
      let found = try await fixture.retriever(.init(phraseWeight: weight)).retrieve(question, context: .init())
      return Dictionary(uniqueKeysWithValues: found.passages.map { ($0.chunk.pages[0].page, $0.score) })
    }
    let (with, without) = (try await scores(1), try await scores(0))
    // The phrases are "wide air" and "air gap": page 1 has the second, page 2 has none.
    #expect(abs(try #require(with[1]) - (try #require(without[1])) - 0.5) < 1e-9)
    #expect(with[2] == without[2])
  }

  @Test func topKLimitsPassages() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let found = try await fixture.retriever().retrieve(Question(text: "the weir", topK: 1), context: .init())
    #expect(found.passages.count == 1)
  }

  @Test(arguments: [0, 101, -3]) func aTopKOutOfRangeIsRefused(_ topK: Int) async throws {
    await #expect {
      _ = try await Fixture().retriever().retrieve(Question(text: "x", topK: topK), context: .init())
    } throws: { ($0 as? CoreError)?.code == "question.top_k" }
  }

  @Test func passagesBelowTheLowestCosineAreLeftOut() async throws {
    let fixture = Fixture()
    _ = try await fixture.add()
    let question = Question(text: "When was turbine two overhauled?", minimumSimilarity: 0.999)
    #expect(try await fixture.retriever().retrieve(question, context: .init()).passages.isEmpty)
  }

  @Test func unreadablePagesAreWarnedOf() async throws {
    let fixture = Fixture()
    let document = Sample.document()
    var indexed = Sample.indexed(document, texts: Fixture.texts, embedder: fixture.embedder)
    indexed.pages.append(Sample.page(4, text: "", coverage: .imageOnly, reason: "a scan"))
    indexed.pageCount = 4
    try await fixture.index.commit(indexed)
    let found = try await fixture.retriever().retrieve(Question(text: "How high is the weir?"), context: .init())
    #expect(found.warnings.map(\.code) == ["coverage.unreadable_pages"])
  }
}
