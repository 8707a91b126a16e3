import Core
import FoundationEssentials
import Insight
import QuarryTesting
import Testing

@Suite struct RetrievalReportTests {
  private func report(_ name: String = "one", hit: Bool = true) async throws -> RetrievalReport {
    let passages = [Make.passage("a.pdf", pages: [hit ? 1 : 2], rank: 1)]
    let questions = [
      Make.question("t", [("a.pdf", 1)], kind: "table"), Make.question("x", [("a.pdf", 1)], kind: "text"),
    ]
    let retriever = ScriptedRetriever(["question t": Make.retrieval(passages), "question x": Make.retrieval(passages)])
    return try await RetrievalEvaluation(
      retriever: retriever, index: try await Make.index(["a.pdf"]), settings: .init(refusalThreshold: 0.5)
    ).run(QuestionSet(name: name, questions: questions), context: RequestContext())
  }

  @Test func encodesTheAgreedKeys() async throws {
    struct Interval: Decodable { var value, low, high: Double? }
    let data = try JSONEncoder().encode(await report())
    let keys = try JSONDecoder().decode([String: AnyValue].self, from: data).keys
    let measures = [
      "page_hit@1", "page_hit@5", "page_hit@10", "mrr", "ndcg@10", "refused_unanswerable", "refused_answerable",
    ]
    #expect(
      Set(keys)
        == Set(measures + ["name", "questions", "answerable", "unanswerable", "unjudged", "seconds", "by_kind"]))
    let text = String(decoding: data, as: UTF8.self)
    #expect(text.contains(#""page_hit@5":{"#) && text.contains(#""questions":2"#))
    // Without unanswerable questions the measure is there, as null.
    #expect(text.contains(#""value":null"#))
    #expect(text.contains(#""by_kind":{"#) && text.contains(#""table":{"#))
  }

  private struct AnyValue: Decodable { init(from decoder: any Decoder) {} }

  @Test func rendersAlignedTables() async throws {
    let lines = try await report().text.split(separator: "\n").map(String.init)
    #expect(lines[0] == "one")
    let table = lines.filter { $0.hasPrefix("measure") || $0.hasPrefix("page_hit@1 ") || $0.hasPrefix("ndcg@10") }
    #expect(table.count == 3)
    #expect(Set(table.map(\.count)).count == 1, "\(table)")
    #expect(lines.contains { $0.hasPrefix("table") && $0.contains("1.000") })
  }

  @Test func sumsUpSeveralSets_andKeepsThem() async throws {
    let both = RetrievalReport(of: [try await report("one"), try await report("two", hit: false)])
    #expect(both.questions == 4 && both.measures.pageHitAt1.value == 0.5)
    #expect(both.sets.map(\.name) == ["one", "two"])
    #expect(RetrievalReport(of: [try await report("one")]).sets.isEmpty)
  }

  @Test func failsAFloor_whenAnySetIsBelowIt() async throws {
    let both = RetrievalReport(of: [try await report("one"), try await report("two", hit: false)])
    let floor = try MetricFloor(parsing: "page_hit@5=.8")
    #expect(floor.failures(in: both) == ["two: page_hit@5 is 0.0000, below 0.8"])
    #expect(floor.failures(in: try await report("one")) == [])
    #expect(try MetricFloor(parsing: "refused_unanswerable=0.5").failures(in: both).count == 2)
  }

  @Test(arguments: ["page_hit@5", "page_hit@7=.5", "mrr=80", "mrr=", "mrr=x", "mrr=.5=.6", ""])
  func refuses_aMalformedFloor(text: String) {
    #expect(throws: InsightError.self) { try MetricFloor(parsing: text) }
  }

  @Test func listsMisses() async throws {
    let misses = try await report(hit: false).misses(beyond: 5)
    #expect(misses.count == 2 && misses[0].hasPrefix("t  rank none"))
  }
}
