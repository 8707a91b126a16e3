import Commands
import Foundation
import HTTPAPI
import Testing

@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
struct AskCommandTests {
  let workspace: Workspace

  init() async throws {
    workspace = try Workspace()
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
    try workspace.write("pdfs/orchard.pdf", TextPDF.orchard)
    let run = await workspace.run("ingest", "-q", workspace.pdfs)
    #expect(run.exitCode == 0, "\(run.error)")
  }

  @Test func anAnswerHasItsCitationsEachOnALine() async throws {
    let run = await workspace.run("ask", "When was the weir at Alderford built by the river trust?")
    #expect(run.exitCode == 0, "\(run.error)")
    #expect(run.output.contains("“The weir at Alderford was built in 1911 by the river trust.” [1]"))
    #expect(run.output.contains("\n[1] weir.pdf, p. 1\n"))
    #expect(run.output.contains("Extractive answer"))
    #expect(run.output.contains("similarity  score   passage"))
    #expect(!run.output.contains("\u{1B}"))
    #expect(run.error == "")
  }

  @Test func wordsNeedNoQuotes_andStandardInputWorks() async throws {
    let words = await workspace.run("ask", "How", "high", "is", "the", "weir's", "crest?", "-q")
    #expect(words.output.contains("3.4 metres"))
    #expect(!words.output.contains("similarity"))
    for arguments in [["ask", "-q"], ["ask", "-q", "-"]] {
      let piped = await workspace.run(arguments, input: "How high is the weir's crest?\n")
      #expect(piped.output.contains("3.4 metres"), "\(piped.error)")
    }
  }

  @Test func colourIsForTerminalsWithoutNO_COLOR() async throws {
    let question = ["ask", "How high is the weir's crest?"]
    #expect(await workspace.run(question, isTerminal: true).output.contains("\u{1B}[2m"))
    #expect(!(await workspace.run(question, isTerminal: true, adding: ["NO_COLOR": "1"]).output.contains("\u{1B}")))
    #expect(!(await workspace.run(question, isTerminal: true, adding: ["TERM": "dumb"]).output.contains("\u{1B}")))
  }

  @Test func askNeedsTheTextModelsKey_andSearchDoesNot() async throws {
    let model = [
      "--set", "generation.kind=openai", "--set", "generation.model=m", "--set", "generation.key=env:NOT_THERE",
    ]
    let ask = await workspace.run(["ask", "weir"] + model)
    #expect(ask.exitCode == ExitCode.configuration)
    #expect(ask.error.contains("env:NOT_THERE"))
    let search = await workspace.run(["search", "weir"] + model)
    #expect(search.exitCode == 0, "\(search.error)")
    #expect(search.output.contains("weir.pdf"))
  }

  @Test func aRefusalIsNoError() async throws {
    let run = await workspace.run("ask", "Which compiler flag enables link-time optimisation?")
    #expect(run.exitCode == ExitCode.refused)
    #expect(run.error == "")
    #expect(run.output != "")
    let object = try await workspace.run("ask", "--json", "Which compiler flag enables it?").object()
    #expect(object["outcome"] as? String == "refused")
  }

  @Test func jsonIsTheWireObject() async throws {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    let answer = await workspace.run("ask", "--json", "How high is the weir's crest?")
    let body = try decoder.decode(AnswerBody.self, from: Data(answer.output.utf8))
    #expect(body.outcome == "extractive")
    #expect(body.citations.first?.verified == true)
    #expect(body.citations.first?.document.name == "weir.pdf")
    #expect(body.citations.first?.page == 1)
    let search = await workspace.run("search", "--json", "-k", "1", "pears")
    let found = try decoder.decode(SearchBody.self, from: Data(search.output.utf8))
    #expect(found.passages.count == 1)
    #expect(found.passages.first?.document.name == "orchard.pdf")
    let list = await workspace.run("documents", "list", "--json")
    let documents = try decoder.decode(DocumentListBody.self, from: Data(list.output.utf8))
    #expect(documents.documents.count == 2)
    let show = await workspace.run("documents", "show", "--json", "weir.pdf")
    let detail = try decoder.decode(DocumentDetailBody.self, from: Data(show.output.utf8))
    #expect(detail.pages.map(\.page) == [1, 2])
  }

  @Test(arguments: ["", " \n\t "]) func anEmptyQuestionIsBadInput(question: String) async throws {
    let run = await workspace.run(["ask", "-"], input: question)
    #expect(run.exitCode == ExitCode.badInput)
    #expect(run.error.contains("question"))
    #expect(run.output == "")
  }

  @Test func aQuestionBeyondTheLimitIsBadInput_andTheLimitNamed() async throws {
    let run = await workspace.run(["ask", "-"], input: String(repeating: "weir ", count: 1000))
    #expect(run.exitCode == ExitCode.badInput)
    #expect(run.error.contains("4000"))
  }

  @Test func aConversationGoesOn() async throws {
    let first = try await workspace.run("ask", "--json", "--conversation", "audit", "How high is the crest?").object()
    #expect(first["conversation_id"] as? String == "audit")
    let second = await workspace.run("ask", "--conversation", "audit", "Where does the keeper of the weir live?")
    #expect(second.exitCode == 0, "\(second.error)")
    #expect(second.output.contains("lodge"))
    let list = await workspace.run("archive", "list", "--type", "answer", "--json")
    let turns = list.output.split(separator: "\n").filter { $0.contains("\"audit\"") }
    #expect(turns.count == 2)
  }

  @Test func everyAnswerAndEmbeddingIsInTheArchive() async throws {
    let answer = try await workspace.run("ask", "--json", "How high is the weir's crest?").object()
    let id = try #require(answer["answer_id"] as? String)
    let list = await workspace.run("archive", "list")
    #expect(list.exitCode == 0)
    #expect(list.output.contains(id))
    #expect(list.output.contains("How high is the weir's crest?"))
    let chunks = list.output.split(separator: "\n").filter { $0.contains("  embedding  ") }
    #expect(chunks.count >= 2)
    let show = await workspace.run("archive", "show", id)
    #expect(show.exitCode == 0, "\(show.error)")
    #expect(show.output.contains("\"question\""))
    #expect(show.output.contains("numbers; see --json"))
    let unknown = await workspace.run("archive", "show", "nothing")
    #expect(unknown.exitCode == ExitCode.notFound)
    #expect(unknown.error.contains("archive.unknown"))
    let later = await workspace.run("archive", "list", "--since", "2999-01-01", "--until", "2999-01-02")
    #expect(later.output == "")
    #expect(later.error.contains("No events"))
    #expect(await workspace.run("archive", "list", "-n", "1").output.split(separator: "\n").count == 1)
  }

  @Test func anEmptyIndexIsRefusedWithTheRemedy() async throws {
    let run = await (try Workspace()).run("ask", "How high is the weir?")
    #expect([ExitCode.refused, ExitCode.notFound].contains(run.exitCode), "\(run.error)")
    #expect((run.output + run.error).contains("ingest"), "\(run.output)\(run.error)")
  }
}
