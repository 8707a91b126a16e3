import Core
import HTTPClient
import QuarryTesting
import Testing

@testable import AWS

@Suite(.enabled(if: ContractServer.python != nil, "botocore is not installed (make setup-check)"))
struct RerankTests {
  private func reranker(_ server: ContractServer, model: String = "cohere.rerank-v3-5:0") throws -> BedrockReranker {
    BedrockReranker(
      client: try AWSClient(
        environment: AWSEnvironment(variables: [
          "HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "AKIDCONTRACT", "AWS_SECRET_ACCESS_KEY": "contract-secret",
          "AWS_ENDPOINT_URL": server.url,
        ]), region: "eu-central-1", http: HTTPClient(),
        policy: RetryPolicy(maximumAttempts: 3, baseDelay: .milliseconds(2))), model: model)
  }

  private let passages: [Passage] = {
    let document = Sample.document("manual.pdf")
    let texts = ["Dogs on leads.", "The weir is old.", "", "The upper weir is high.", "Weir gates."]
    let reference = DocumentReference(
      id: document.id, name: "manual.pdf", uri: document.uri, version: document.version, collection: .default)
    return texts.enumerated().map { place, text in
      var chunk = Sample.indexed(document, texts: ["x"], embedder: FakeEmbedder()).chunks[0].chunk
      chunk.text = text
      chunk.embeddedText = text
      return Passage(
        rank: place + 1, chunk: chunk, document: reference, similarity: 0.5, score: 1 / Double(place + 1), legs: [:])
    }
  }()

  @Test(
    arguments: [
      "cohere.rerank-v3-5:0", "amazon.rerank-v1:0",
      "arn:aws:bedrock:us-west-2::foundation-model/cohere.rerank-v3-5:0",
    ])
  func ordersByTheModelsScore_andKeepsTheFusedOne(model: String) async throws {
    let server = try await ContractServer()
    let ordered = try await reranker(server, model: model).rerank(passages, for: "upper weir high", limit: 3)
    #expect(ordered.map(\.chunk.text) == ["The upper weir is high.", "The weir is old.", "Weir gates."])
    #expect(ordered.map(\.rank) == [1, 2, 3])
    #expect(ordered[0].rerankScore == 1 && ordered[0].score == 0.25)
    #expect(abs((ordered[1].rerankScore ?? 0) - 1 / 3) < 1e-6)
    #expect(try await server.record().calls == ["Rerank"])
  }

  @Test func readsEveryPage_andTriesAgain() async throws {
    let server = try await ContractServer()
    let throttle = #"{"status":429,"code":"ThrottlingException"}"#
    try await server.setFaults("[\(throttle),{\"pages\":true},{\"pages\":true},{\"pages\":true}]")
    let ordered = try await reranker(server).rerank(passages, for: "upper weir high", limit: 5)
    #expect(ordered.count == 5 && Set(ordered.map(\.chunk.text)).count == 5)
    #expect(try await server.record().calls.count == 3)
  }

  @Test func cutsTextsToTheServicesLimit() async throws {
    let server = try await ContractServer()
    var long = passages[0]
    long.chunk.embeddedText = String(repeating: "é weir ", count: 6_000)
    #expect(try await reranker(server).rerank([long], for: "weir", limit: 5).count == 1)
    #expect(try await server.record().texts.map { $0.unicodeScalars.count } == [32_000])
  }

  @Test func saysWhatIsWrong() async throws {
    let server = try await ContractServer()
    let unknown = await #expect(throws: AWSError.self) {
      _ = try await reranker(server, model: "cohere.embed-v4:0").rerank(passages, for: "weir", limit: 2)
    }
    #expect(unknown?.code == "aws.not_found" && unknown?.message.contains("cohere.embed-v4:0") == true)
    try await server.setFaults(#"[{"strange":true}]"#)
    let strange = await #expect(throws: AWSError.self) {
      _ = try await reranker(server).rerank(passages, for: "weir", limit: 2)
    }
    #expect(strange?.code == "aws.answer_malformed")
  }
}
