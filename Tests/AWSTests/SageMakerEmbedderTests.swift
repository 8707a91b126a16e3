import Core
import Foundation
import HTTPClient
import Testing

@testable import AWS

@Suite(.serialized, .enabled(if: ContractServer.python != nil, "botocore is not installed (make setup-check)"))
struct SageMakerEmbedderTests {
  /// One for all tests, which take turns with it.
  private static let shared = Task { try await ContractServer() }

  private static func server() async throws -> ContractServer {
    let server = try await shared.value
    try await server.setFaults()
    return server
  }

  private static let custom = #"{"model": "m-{{texts}}", "note": "{{text}}: \"quoted\"", "input": "{{texts}}"}"#

  private static func custom(_ path: String) throws -> SageMakerEmbeddingDialect {
    .custom(try CustomEmbeddingDialect(template: custom, responsePath: path))
  }

  private func embedder(
    _ server: ContractServer, _ name: String, _ dialect: SageMakerEmbeddingDialect, dimension: Int? = 48,
    pooling: TokenPooling = .mean, batchSize: Int? = nil, component: String? = nil, attempts: Int = 5,
    pace: RequestPace = RequestPace(), width: Int = 4
  ) throws -> SageMakerEmbedder {
    try SageMakerEmbedder(
      client: server.client(attempts: attempts),
      endpoint: SageMakerEndpoint(name: name, inferenceComponent: component, acceptsEULA: name.hasSuffix("-eula")),
      dialect: dialect, dimension: dialect.dimension ?? dimension, pooling: pooling, batchSize: batchSize, pace: pace,
      width: width)
  }

  @Test(arguments: [
    ("gptj", SageMakerEmbeddingDialect.gptJ, 8), ("gptj", .gptJText, 1), ("hf-1", .huggingFace, 1),
    ("hf-2", .huggingFace, 1),
    ("hf-3", .huggingFace, 1), ("hf-4", .huggingFace, 1), ("tei", .tei, 32), ("tei-eula", .tei, 32),
    ("tei-component", .tei, 32),
    ("custom-embed", .custom(try! .init(template: custom, responsePath: "data[*].embedding")), 16),
  ])
  func embedsInOrder_inEveryDialect(name: String, dialect: SageMakerEmbeddingDialect, batch: Int) async throws {
    let server = try await Self.server()
    let embedder = try embedder(server, name, dialect, component: name.hasSuffix("component") ? "component-1" : nil)
    let texts = (0..<70).map { "text \"\($0)\" — of {{seventy}} \\ {{text}}" }
    let vectors = try await embedder.embed(texts, as: .document)
    #expect(vectors.count == 70)
    #expect(vectors.allSatisfy { $0.vector.count == embedder.identity.dimension })
    let again = try await embedder.embed([texts[37]], as: .query)
    #expect(again[0].cosine(to: vectors[37]) > 0.9999)
    #expect(again[0].cosine(to: vectors[38]) < 0.9999)
    let record = try await server.record()
    #expect(Set(record.texts) == Set(texts))
    #expect(record.calls.count == (70 + batch - 1) / batch + 1)
    #expect(Set(record.calls) == ["InvokeEndpoint"])
  }

  @Test(arguments: ["hf-2", "hf-3", "hf-4"])
  func poolsTokens_byTheirMeanOrTheFirst(name: String) async throws {
    let server = try await Self.server()
    let mean = try embedder(server, name, .huggingFace)
    let cls = try embedder(server, name, .huggingFace, pooling: .cls)
    // The container's first token says only how many words there are.
    let means = try await mean.embed(["red house", "blue garden"], as: .document)
    let firsts = try await cls.embed(["red house", "blue garden"], as: .document)
    #expect(means[0].cosine(to: means[1]) < 0.9)
    #expect(firsts[0].cosine(to: firsts[1]) > 0.9999)
    #expect(mean.identity != cls.identity)
  }

  @Test(arguments: ["hf-2", "hf-3", "hf-4"])
  func takesSeveralTextsOfNestedLists_whenAsked(name: String) async throws {
    let server = try await Self.server()
    let vectors = try await embedder(server, name, .huggingFace, batchSize: 3)
      .embed(["a b", "c d e", "f", "g h i j"], as: .document)
    #expect(vectors.count == 4)
  }

  @Test func itsIdentityHasEndpointDialectPoolingAndDimension_orTheModelsName() async throws {
    let server = try await Self.server()
    let tei = try embedder(server, "one", .tei).identity
    let others = [
      try embedder(server, "two", .tei), try embedder(server, "one", .huggingFace),
      try embedder(server, "one", .tei, dimension: 96), try embedder(server, "one", .tei, component: "c"),
      try embedder(server, "one", Self.custom("data[*].embedding")), try embedder(server, "one", Self.custom("x[*]")),
    ].map(\.identity)
    #expect(Set(others + [tei]).count == 7)
    let client = try server.client()
    let named = try ["one", "two"].map { name in
      try SageMakerEmbedder(
        client: client, endpoint: SageMakerEndpoint(name: name), dialect: .tei, model: "bge-m3", dimension: 48,
        pace: RequestPace()
      ).identity
    }
    #expect(named[0] == named[1])
    #expect(named[0].model == "bge-m3")
  }

  @Test(arguments: [
    ("custom-embed", SageMakerEmbeddingDialect.tei, "aws.model_refused"), ("tei", .gptJ, "aws.model_refused"),
    (
      "gptj", .custom(try! .init(template: #"{"text_inputs": "{{texts}}"}"#, responsePath: "vectors")),
      "aws.dialect_mismatch"
    ),
    (
      "hf-3", .custom(try! .init(template: #"{"inputs": "{{text}}"}"#, responsePath: "embedding")),
      "aws.dialect_mismatch"
    ),
    ("missing", .tei, "aws.refused"), ("tei-component", .tei, "aws.refused"),
  ])
  func saysThatTheContainerSpeaksAnotherDialect(
    name: String, dialect: SageMakerEmbeddingDialect, code: String
  ) async throws {
    let server = try await Self.server()
    let error = await #expect(throws: AWSError.self) {
      _ = try await embedder(server, name, dialect).embed(["a b"], as: .query)
    }
    #expect(error?.code == code)
    #expect(error?.message.contains("endpoint \(name)") == true)
    #expect(try await server.record().calls.count <= 1)
    if code == "aws.dialect_mismatch" {
      #expect(error?.remedy?.contains("embedding.dialect") == true)
      #expect(error?.message.contains("it answered: \(name == "gptj" ? #"{"embedding"#: "[[")") == true)
    }
  }

  @Test func refusesAnotherDimension_andTextsThatDoNotFit() async throws {
    let server = try await Self.server()
    let embedder = try embedder(server, "tei", .tei)
    try await server.setFaults(#"[{"dimension":7}]"#)
    let dimension = await #expect(throws: AWSError.self) { _ = try await embedder.embed(["a"], as: .query) }
    #expect(dimension?.code == "aws.dimension")
    #expect(dimension?.message.contains("endpoint tei") == true)
    // Longer than declared: not sent at all. Within the declared length but too long for the model: refused by it, once.
    let long = await #expect(throws: AWSError.self) {
      _ = try await embedder.embed([String(repeating: "ä", count: 1_001)], as: .document)
    }
    #expect(long?.code == "aws.text_too_long")
    #expect(try await server.record().calls.count == 1)
    let dense = await #expect(throws: AWSError.self) {
      _ = try await embedder.embed([String(repeating: "a ", count: 100)], as: .document)
    }
    #expect(dense?.code == "aws.model_refused")
    #expect(dense?.category == .tooLarge)
    #expect(dense?.message.contains("less than 512 tokens") == true)
    #expect(try await server.record().calls.count == 2)
  }

  @Test func triesAgain_throughAStormOfFailures() async throws {
    let server = try await Self.server()
    let faults = (0..<100).map { number in
      switch number % 10 {
      case 1: #"{"status":429,"code":"ThrottlingException"}"#
      case 4: #"{"status":503,"code":"ServiceUnavailable"}"#
      case 6: #"{"status":424,"code":"ModelError"}"#
      case 8: #"{"drop":true}"#
      default: "{}"
      }
    }
    try await server.setFaults("[\(faults.joined(separator: ","))]")
    let texts = (0..<60).map { "text \($0)" }
    let vectors = try await embedder(server, "tei", .tei, batchSize: 1, attempts: 8).embed(texts, as: .document)
    #expect(vectors.count == 60)
    #expect(Set(try await server.record().texts) == Set(texts))
  }

  @Test func sendsFewerAtOneTime_whenThrottled_andWinsBack() async throws {
    let server = try await Self.server()
    let pace = RequestPace(concurrency: 8)
    let embedder = try embedder(server, "tei", .tei, batchSize: 1, pace: pace, width: 16)
    let slow = [String](repeating: #"{"delay":0.1}"#, count: 16).joined(separator: ",")
    try await server.setFaults("[\(slow)]")
    _ = try await embedder.embed((0..<16).map { "a\($0)" }, as: .document)
    let most = try await server.record().most
    #expect((5...8).contains(most), "\(most)")

    try await server.setFaults(#"[{"status":429},{},{"status":429},{},{"status":429}]"#)
    for number in 0..<3 { _ = try await embedder.embed(["b\(number)"], as: .document) }
    #expect(await pace.inFlightLimit <= 2)
    #expect(await pace.share == 0.125)
    try await server.setFaults("[\(slow)]")
    _ = try await embedder.embed((0..<4).map { "c\($0)" }, as: .document)
    #expect(try await server.record().most <= 3)

    try await server.setFaults()
    _ = try await embedder.embed((0..<60).map { "d\($0)" }, as: .document)
    #expect(await pace.inFlightLimit == 8)
  }

  @Test func refusesSettingsThatCannotWork() async throws {
    let server = try await Self.server()
    func code(_ body: () throws -> Void) -> String? { #expect(throws: AWSError.self) { try body() }?.code }
    #expect(code { _ = try embedder(server, "tei", .tei, dimension: nil) } == "aws.dimension")
    #expect(code { _ = try embedder(server, "gptj", .gptJText, batchSize: 2) } == "aws.batch_size")
    for template in ["{", #"{"a": "{{txt}}"}"#, #"{"a": 1}"#] {
      #expect(code { _ = try CustomEmbeddingDialect(template: template, responsePath: "") } == "aws.template_invalid")
    }
    for path in ["a..b", "a[x]", "a[1", ".a", "a[0]b"] {
      #expect(
        code { _ = try CustomEmbeddingDialect(template: #"["{{text}}"]"#, responsePath: path) } == "aws.path_invalid")
    }
  }
}
