import Core
import FoundationEssentials
import LocalModels
import Testing

/// What must hold of every numeric scheme, on the real model.
@Suite(Fixture.needsModel)
struct NumericSchemeTests {
  struct Combination: Sendable, CustomTestStringConvertible {
    let scheme: NumericScheme
    let path: KernelPath
    var testDescription: String { "\(scheme) \(path)" }
  }

  static let combinations = NumericScheme.allCases.flatMap { scheme in
    KernelTests.paths.map { Combination(scheme: scheme, path: $0) }
  }

  private func cosine(_ left: [Float], _ right: [Float]) -> Double {
    zip(left, right).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  private func embedder(
    _ scheme: NumericScheme, _ path: KernelPath? = nil, threads: Int? = nil
  ) throws -> LocalEmbedder {
    try LocalEmbedder(files: Fixture.modelFiles, scheme: scheme, threads: threads, kernels: path)
  }

  /// Some texts of the sample, and what is unusual: nothing, one token, only unknown ones, more than the limit.
  private func texts() throws -> [String] {
    let sample = try Fixture.texts()
    return [0, 12, 24, 36, 632, 792].map { sample[$0] } + [
      "", ".", Array(repeating: "\u{2603}", count: 40).joined(separator: " "),
      (0..<400).map { "gate \($0)" }.joined(separator: ", "),
    ]
  }

  // fp32 is in LocalEmbedderTests, on every path.
  @Test(arguments: [NumericScheme.bf16, .int8])
  func agreesWithTheReference_onAThousandTexts(scheme: NumericScheme) async throws {
    let texts = Array(try Fixture.texts().prefix(Fixture.vectorCount))
    let embeddings = try await embedder(scheme).embed(texts, as: .document)
    let reference = try Fixture.vectors()
    let ids = try Fixture.ids()
    var least = 1.0
    var leastOfLittle = 1.0
    for (index, embedding) in embeddings.enumerated() {
      let cosine = cosine(embedding.vector, reference[index])
      // A text of a few pieces that the model knows nothing of averages out little of what int8 rounds.
      if texts[index].unicodeScalars.contains(where: { ("a"..."z").contains($0) }), ids[index].count > 2 {
        least = min(least, cosine)
      } else {
        leastOfLittle = min(leastOfLittle, cosine)
      }
    }
    #expect(least >= (scheme == .int8 ? 0.997 : 0.9999), "least cosine of \(scheme): \(least)")
    #expect(leastOfLittle >= (scheme == .int8 ? 0.995 : 0.9999), "of texts without words: \(leastOfLittle)")
  }

  @Test(arguments: NumericScheme.allCases) func givesTheSameVectors_onEveryPath(scheme: NumericScheme) async throws {
    let texts = try texts()
    let plain = try await embedder(scheme, .plain).embed(texts, as: .document)
    for path in KernelTests.paths where path != .plain {
      let other = try await embedder(scheme, path).embed(texts, as: .document)
      for (index, (one, two)) in zip(plain, other).enumerated() {
        let cosine = cosine(one.vector, two.vector)
        #expect(cosine >= 0.9999, "text \(index) on \(path)")
        // Sums of integers, and floats computed in one order: not only close.
        if scheme == .int8 { #expect(one == two, "text \(index) on \(path): \(cosine)") }
      }
    }
  }

  @Test(arguments: combinations)
  func givesEachTextTheSameVector_whateverItsNeighboursAndThreads(combination: Combination) async throws {
    let texts = try texts()
    let together = try await embedder(combination.scheme, combination.path, threads: 3).embed(texts, as: .document)
    let one = try embedder(combination.scheme, combination.path, threads: 1)
    let reversed = try await one.embed(texts.reversed(), as: .document)
    #expect(together == reversed.reversed())
    for embedding in together {
      #expect(abs(cosine(embedding.vector, embedding.vector) - 1) < 1e-5)
      #expect(embedding.norm > 0)
    }
    for index in [0, 6] {
      let alone = try await one.embed([texts[index]], as: .query)
      #expect(alone == [together[index]])
    }
  }

  @Test(arguments: NumericScheme.allCases) func namesTheSchemeInTheIdentity(scheme: NumericScheme) throws {
    let identity = try embedder(scheme).identity
    #expect(identity.numericScheme == scheme.rawValue)
    // The CPU's instructions must not show: stores move between machines.
    for path in KernelTests.paths { #expect(try embedder(scheme, path).identity == identity) }
    for other in NumericScheme.allCases where other != scheme {
      #expect(try embedder(other).identity.canonical != identity.canonical)
    }
  }
}
