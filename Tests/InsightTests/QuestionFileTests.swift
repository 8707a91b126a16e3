import Core
import Insight
import Testing

@Suite struct QuestionFileTests {
  private let folder = TemporaryFolder()

  private func read(_ lines: String...) throws -> [EvaluationQuestion] {
    try QuestionSet.read(path: folder.write("questions.jsonl", lines.joined(separator: "\n"))).questions
  }

  @Test func readsAllFields_andIgnoresOthers() throws {
    let questions = try read(
      #"{"id": "A1", "question": "How many?", "answer": "three", "kind": "text", "answerable": true, "note": [1],"#
        + #" "evidence": [{"document": "a.pdf", "page": 5, "quote": "three of them"},"#
        + #" {"document": "library/b.pdf", "page": 2, "quote": null}], "also_pages": [7, 9]}"#)
    let question = try #require(questions.first)
    #expect(question.id == "A1" && question.text == "How many?" && question.kind == "text" && question.isAnswerable)
    #expect(question.references == ["three"])
    #expect(
      question.evidence == [
        .init(document: "a.pdf", page: 5, quote: "three of them"), .init(document: "b.pdf", page: 2),
        .init(document: "a.pdf", page: 7), .init(document: "a.pdf", page: 9),
      ])
  }

  @Test(arguments: [
    #""answer": "one<OR> two <OR>""#, #""answer": ["one", "two"]"#, #""references": ["one", "two"], "answer": "x""#,
    #""references": "one <OR> two""#,
  ])
  func readsReferences_asListOrSeparatedText(field: String) throws {
    #expect(try read(#"{"question": "q", \#(field)}"#)[0].references == ["one", "two"])
  }

  @Test func fillsIn_whatALineLeavesOut() throws {
    let questions = try read("", #"{"question": "q"}"#, "  ", #"{"id": 7, "question": "r", "kind": "unanswerable"}"#)
    #expect(questions.map(\.id) == ["line-2", "7"])
    #expect(questions.map(\.isAnswerable) == [true, false])
    #expect(questions.map(\.kind) == ["question", "unanswerable"])
    #expect(questions[1].references == [])
  }

  @Test(arguments: [
    (#"{"question": 5}"#, "'question' has the wrong type; it should be a text"),
    (#"{"id": "x"}"#, "'question' is missing"),
    (#"{"question": " "}"#, "'question': it is blank"),
    (#"{"question": "q""#, "it is not valid JSON"),
    (#"["question"]"#, "it is not a JSON object"),
    (#"{"question": "q", "evidence": [{"document": "a.pdf", "page": 1}, {"page": 2}]}"#, "'evidence[1].document'"),
    (#"{"question": "q", "evidence": [{"document": "a.pdf", "page": 0}]}"#, "page 0 is not a page"),
    (#"{"question": "q", "also_pages": [3]}"#, "'also_pages': it needs evidence"),
    (#"{"question": "q", "answerable": "yes"}"#, "'answerable' has the wrong type; it should be true or false"),
  ])
  func namesFileAndLine_ofAMalformedLine(line: String, problem: String) throws {
    let error = #expect(throws: InsightError.self) { _ = try self.read(#"{"question": "fine"}"#, line) }
    #expect(error?.code == "questions.malformed")
    #expect(error?.message.contains("questions.jsonl:2: ") == true, "\(error?.message ?? "")")
    #expect(error?.message.contains(problem) == true, "\(error?.message ?? "")")
  }

  @Test func refuses_aMissingOrEmptyFile() throws {
    #expect(throws: InsightError.self) { try QuestionSet.read(path: folder.path + "/none.jsonl") }
    let error = #expect(throws: InsightError.self) { _ = try read("", "") }
    #expect(error?.code == "questions.empty")
  }
}
