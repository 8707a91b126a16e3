import Core
import FoundationEssentials
import LocalModels
import Testing

@Suite(Fixture.needsModel)
struct LocalEmbedderTests {
  private func cosine(_ embedding: Embedding, _ reference: [Float]) -> Double {
    zip(embedding.vector, reference).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  @Test(arguments: KernelTests.paths)
  func agreesWithTheReference_onAThousandTexts(path: KernelPath) async throws {
    // All texts on the path that this machine uses; on slower ones every eighth, unless all tests are wanted.
    let isThorough = path == .chosen || ProcessInfo.processInfo.environment["QUARRY_LONG_TESTS"] != nil
    let chosen = stride(from: 0, to: Fixture.vectorCount, by: isThorough ? 1 : 8)
    let texts = try Fixture.texts()
    let reference = try Fixture.vectors()
    let embedder = try LocalEmbedder(files: Fixture.modelFiles, kernels: path)
    let embeddings = try await embedder.embed(chosen.map { texts[$0] }, as: .document)
    #expect(embeddings.count == Array(chosen).count)
    var least = 1.0
    for (index, embedding) in zip(chosen, embeddings) {
      least = min(least, cosine(embedding, reference[index]))
    }
    #expect(least >= 0.9999, "least cosine on \(path): \(least)")
  }

  @Test func givesEachTextTheSameVector_whateverItsNeighboursAndThreads() async throws {
    let texts = Array(try Fixture.texts().prefix(40))
    let together = try await LocalEmbedder(files: Fixture.modelFiles, threads: 3).embed(texts, as: .document)
    let reversed = try await LocalEmbedder(files: Fixture.modelFiles, threads: 1)
      .embed(texts.reversed(), as: .document)
    #expect(together == reversed.reversed())
    let embedder = try LocalEmbedder(files: Fixture.modelFiles)
    let alone = try await embedder.embed([texts[7]], as: .query)
    #expect(alone == [together[7]])
  }

  @Test func cutsAtTheTokenLimit() async throws {
    let embedder = try LocalEmbedder(files: Fixture.modelFiles)
    let words = Array(repeating: "tide", count: 254)
    let full = try await embedder.embed([words.joined(separator: " ")], as: .document)
    let longer = try await embedder.embed([(words + ["engine", "smoke"]).joined(separator: " ")], as: .document)
    #expect(full == longer)
    guard case .tokens(let limit, let counter) = embedder.limit else {
      Issue.record("the limit is not in tokens")
      return
    }
    #expect(limit == 256)
    #expect(counter.count(words.joined(separator: " ")) + counter.specialTokens == limit)
  }

  @Test func declaresItsIdentity() throws {
    let identity = try LocalEmbedder(files: Fixture.modelFiles).identity
    #expect(identity.model == "all-MiniLM-L6-v2")
    #expect(identity.revision == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
    #expect(identity.dimension == Fixture.dimension)
    #expect(identity.pooling == "mean")
    #expect(identity.truncation == "256 tokens")
    #expect(identity.numericScheme == "fp32")
    // The CPU's instructions must not show: stores move between machines.
    for path in KernelTests.paths {
      #expect(try LocalEmbedder(files: Fixture.modelFiles, kernels: path).identity == identity)
    }
  }

  @Test func returnsUnitVectors_evenOfAnEmptyText() async throws {
    let embedder = try LocalEmbedder(files: Fixture.modelFiles)
    #expect(try await embedder.embed([], as: .document).isEmpty)
    for embedding in try await embedder.embed(["", "tide", "\u{0}"], as: .document) {
      let length = embedding.vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(length - 1) < 1e-6)
      #expect(embedding.norm > 0)
    }
  }

  @Test func stops_whenItsTaskIsCancelled() async throws {
    let embedder = try LocalEmbedder(files: Fixture.modelFiles)
    let task = Task {
      try await embedder.embed(Array(repeating: "tide and gate", count: 20_000), as: .document)
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
