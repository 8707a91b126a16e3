import Core
import Insight
import QuarryTesting
import Testing

@Suite struct RetrievalEvaluationTests {
  private func run(
    _ items: [(EvaluationQuestion, Retrieval)], documents: [String] = ["a.pdf", "b.pdf", "c.pdf"],
    threshold: Double = 0.5, width: Int = 2
  ) async throws -> (report: RetrievalReport, retriever: ScriptedRetriever) {
    let retriever = ScriptedRetriever(
      Dictionary(items.map { ($0.0.text, $0.1) }, uniquingKeysWith: { first, _ in first }))
    let evaluation = RetrievalEvaluation(
      retriever: retriever, index: try await Make.index(documents),
      settings: .init(topK: 30, width: width, refusalThreshold: threshold))
    let report = try await evaluation.run(
      QuestionSet(name: "set", questions: items.map(\.0)), context: RequestContext(app: "tested"))
    return (report, retriever)
  }

  @Test func ranksAPage_byItsBestChunk_andListsItOnce() async throws {
    let passages = [
      Make.passage("a.pdf", pages: [1], rank: 1), Make.passage("a.pdf", pages: [1], rank: 2),
      Make.passage("a.pdf", pages: [2], rank: 3), Make.passage("b.pdf", pages: [2], rank: 4),
    ]
    let report = try await run([(Make.question("q", [("b.pdf", 2)]), Make.retrieval(passages))]).report
    #expect(report.results[0].rank == 3)
  }

  @Test func creditsEachPageOfAChunk_atItsOneRank() async throws {
    let passages = [
      Make.passage("a.pdf", pages: [1, 2], rank: 1), Make.passage("a.pdf", pages: [2, 3], rank: 2),
      Make.passage("a.pdf", pages: [4], rank: 3),
    ]
    let report = try await run([
      (Make.question("two", [("a.pdf", 2)]), Make.retrieval(passages)),
      (Make.question("three", [("a.pdf", 3)]), Make.retrieval(passages)),
      (Make.question("four", [("a.pdf", 4)]), Make.retrieval(passages)),
      (Make.question("both", [("a.pdf", 1), ("a.pdf", 2)]), Make.retrieval(passages)),
    ]).report
    #expect(report.results.map(\.rank) == [1, 2, 3, 1])
    // Two right pages at one rank would exceed the ideal order.
    #expect(report.results[3].gain == 1)
  }

  /// Oracle: pytrec_eval-terrier, `RelevanceEvaluator(qrel, {'ndcg_cut_10', 'recip_rank', 'success_1', …})` with
  /// run q1: d1…d4 in order, q2: d1…d12 in order, q3: d5 d6;
  /// qrel q1: d2 1, d4 2, d9 1; q2: d3 1, d11 1; q3: d7 1.
  @Test func agreesWithTrecEval_onGradedDocuments() async throws {
    func ranked(_ numbers: [Int]) -> Retrieval {
      Make.retrieval(numbers.enumerated().map { Make.passage("d\($0.element)", pages: [1], rank: $0.offset + 1) })
    }
    func question(_ id: String, _ grades: [String: Double]) -> EvaluationQuestion {
      EvaluationQuestion(
        id: id, text: id, evidence: grades.map { .init(document: $0.key, page: nil, grade: $0.value) })
    }
    let report = try await run(
      [
        (question("q1", ["d2": 1, "d4": 2, "d9": 1]), ranked([1, 2, 3, 4])),
        (question("q2", ["d3": 1, "d11": 1]), ranked(Array(1...12))),
        (question("q3", ["d7": 1]), ranked([5, 6])),
      ], documents: (1...12).map { "d\($0)" }
    ).report
    for (result, expected) in zip(report.results, [0.47662611018851303, 0.3065735963827292, 0]) {
      #expect(abs(result.gain - expected) < 1e-12)
    }
    let measures = report.measures
    #expect(abs((measures.reciprocalRank.value ?? 0) - (0.5 + 1.0 / 3) / 3) < 1e-12)
    #expect(measures.pageHitAt1.value == 0 && measures.pageHitAt5.value == 2.0 / 3)
    #expect(abs((measures.gainAt10.value ?? 0) - (0.47662611018851303 + 0.3065735963827292) / 3) < 1e-12)
  }

  @Test func countsAnEqualPassage_forEveryDocumentThatHasIt() async throws {
    let passages = [Make.passage("a.pdf", pages: [1], rank: 1, alsoIn: ["b.pdf"])]
    let question = EvaluationQuestion(id: "q", text: "q", evidence: [.init(document: "b.pdf", page: nil)])
    #expect(try await run([(question, Make.retrieval(passages))]).report.results[0].rank == 1)
  }

  @Test func countsHits_ofAnswerableQuestionsOnly() async throws {
    let found = Make.retrieval([Make.passage("a.pdf", pages: [1], rank: 1)])
    let report = try await run([
      (Make.question("yes", [("a.pdf", 1)]), found),
      (Make.question("no", [], kind: "unanswerable", isAnswerable: false), found),
    ]).report
    #expect(report.measures.pageHitAt1.value == 1)
    #expect(report.measures.answerable == 1 && report.measures.unanswerable == 1 && report.questions == 2)
  }

  @Test func leavesUnjudged_whatNamesOnlyMissingDocuments() async throws {
    let found = Make.retrieval([Make.passage("a.pdf", pages: [1], rank: 1)], confidence: 0.1)
    let report = try await run([
      (Make.question("partly", [("gone.pdf", 1), ("a.pdf", 1)]), found),
      (Make.question("wholly", [("gone.pdf", 1)]), found),
      (Make.question("nowhere", []), found),
    ]).report
    #expect(report.unjudged == 2 && report.questions == 3 && report.measures.answerable == 1)
    #expect(report.results[0].gain == 1, "what is missing cannot be found and is not asked for")
    #expect(report.measures.refusedAnswerable.value == 1)
    #expect(report.text.contains("2 not judged because their documents are not in the index"))
  }

  @Test func refuses_belowTheThresholdOrWithoutPassages() async throws {
    let passages = [Make.passage("a.pdf", pages: [1], rank: 1)]
    let report = try await run([
      (Make.question("at", [("a.pdf", 1)]), Make.retrieval(passages, confidence: 0.5)),
      (Make.question("below", [("a.pdf", 1)]), Make.retrieval(passages, confidence: 0.49)),
      (Make.question("none", [], isAnswerable: false), Make.retrieval([], confidence: 1)),
      (Make.question("sure", [], isAnswerable: false), Make.retrieval(passages, confidence: 1)),
    ]).report
    #expect(report.results.map(\.isRefused) == [false, true, true, false])
    #expect(report.measures.refusedAnswerable.value == 0.5 && report.measures.refusedUnanswerable.value == 0.5)
  }

  @Test func marksEveryRequest_asEvaluationTrafficOfItsOwn() async throws {
    let found = Make.retrieval([Make.passage("a.pdf", pages: [1], rank: 1)])
    let calls = try await run((1...8).map { (Make.question("\($0)", [("a.pdf", 1)]), found) }).retriever.calls
    #expect(calls.allSatisfy { $0.context.traffic == .evaluation && $0.context.app == "tested" })
    #expect(calls.allSatisfy { $0.question.topK == 30 })
    #expect(Set(calls.map(\.context.traceID)).count == 8)
  }

  @Test func asksNoMoreAtOnce_thanItsWidth() async throws {
    let found = Make.retrieval([Make.passage("a.pdf", pages: [1], rank: 1)])
    let questions = (1...20).map { (Make.question("\($0)", [("a.pdf", 1)]), found) }
    let (report, retriever) = try await run(questions, width: 3)
    #expect(retriever.mostRunning <= 3)
    #expect(report.results.map(\.id) == (1...20).map(String.init))
  }

  @Test func fails_whenTheRetrieverDoes() async throws {
    let retriever = ScriptedRetriever([:])
    let evaluation = RetrievalEvaluation(
      retriever: retriever, index: try await Make.index(["a.pdf"]), settings: .init(refusalThreshold: 0.5))
    await #expect(throws: CoreError.self) {
      try await evaluation.run(
        QuestionSet(name: "s", questions: [Make.question("q", [("a.pdf", 1)])]), context: RequestContext())
    }
  }
}
