import Answering
import Core
import QuarryTesting
import Telemetry
import Testing

struct RerankingTests {
  private let fixture = Fixture()
  private let question = Question(text: "How high is the upper weir in metres?", topK: 2)

  private func retriever(_ reranker: any Reranker, settings: RetrievalSettings = .init()) -> HybridRetriever {
    HybridRetriever(
      index: fixture.index, embedder: fixture.embedder, settings: settings, relevance: Fixture.byCoverage,
      reranker: reranker)
  }

  @Test func theRerankersOrderIsTakenBeforeTheTopK() async throws {
    _ = try await fixture.add()
    let fused = try await fixture.retriever().retrieve(question, context: .init())
    let reranked = try await retriever(Reverse()).retrieve(question, context: .init())
    // What stood last of the candidates, beyond the top-k, is first now.
    #expect(reranked.passages.count == 2 && fused.passages.count == 2)
    #expect(!fused.passages.map(\.chunk.id).contains(reranked.passages[0].chunk.id))
    #expect(reranked.passages.map(\.rank) == [1, 2] && reranked.passages.map(\.rerankScore) == [1, 0.5])
    #expect(reranked.reranker == "reverse" && reranked.rerankFailure == nil && reranked.rerankSeconds != nil)
    // Whether it answers is judged by the search, not by the reranker's order.
    #expect(reranked.confidence == fused.confidence)
  }

  @Test(arguments: [false, true]) func aFailureLeavesTheFusedOrder(stalls: Bool) async throws {
    _ = try await fixture.add()
    let reranker = Broken(stalls: stalls)
    let retrieval = try await retriever(reranker, settings: .init(rerankTimeout: .milliseconds(stalls ? 50 : 60_000)))
      .retrieve(question, context: .init())
    let fused = try await fixture.retriever().retrieve(question, context: .init())
    #expect(retrieval.passages == fused.passages)
    let code = stalls ? "rerank.timed_out" : "aws.throttled"
    #expect(retrieval.rerankFailure == code)
    #expect(retrieval.warnings.contains { $0.code == "retrieval.not_reranked" && $0.message.contains(code) })
  }

  @Test func scoreAndFailureAreRecorded() async throws {
    _ = try await fixture.add()
    let kept = KeptPoints()
    let recorder = TelemetryRecorder(
      identity: .init(app: "a", environment: "e", quarryVersion: "0"), eventLog: fixture.events, exporters: [kept])
    for reranker in [Reverse(), Broken(stalls: false)] as [any Reranker] {
      let answering = QuestionAnswering(
        retriever: retriever(reranker), answerer: ExtractiveAnswerer(embedder: fixture.embedder, index: fixture.index),
        index: fixture.index, conversations: fixture.conversations, recorder: recorder)
      let answer = try await answering.answer(question, context: .init(app: "a", environment: "e"))
      #expect(answer.outcome == .extractive && answer.timings.reranking != nil)
    }
    recorder.finish()
    await recorder.run()
    let records = fixture.events.all.compactMap { event in
      if case .answer(let answer) = event.payload { answer } else { nil }
    }
    #expect(records.map { $0.passages.map(\.rerankScore) } == [[1, 0.5], [nil, nil]])
    #expect(records.map { $0.retrievalParameters["reranker"] } == ["reverse", "broken"])
    let fallbacks = kept.all.filter { $0.name == MetricName.fallbacks }
    #expect(
      fallbacks.map(\.dimensions) == [
        ["app": "a", "environment": "e", "stage": "reranking", "code": "aws.throttled"]
      ])
    #expect(kept.all.filter { $0.name == MetricName.topScore }.map(\.value).first == 1)
  }
}

private struct Reverse: Reranker {
  let name = "reverse"
  func rerank(_ passages: [Passage], for question: String, limit: Int) async throws -> [Passage] {
    passages.reversed().prefix(limit).enumerated().map { place, passage in
      var passage = passage
      passage.rank = place + 1
      passage.rerankScore = 1 / Double(place + 1)
      return passage
    }
  }
}

private struct Broken: Reranker {
  let name = "broken"
  let stalls: Bool
  func rerank(_ passages: [Passage], for question: String, limit: Int) async throws -> [Passage] {
    if stalls { try await Task.sleep(for: .seconds(600)) }
    throw CoreError(code: "aws.throttled", category: .rateLimited, message: "too many")
  }
}
