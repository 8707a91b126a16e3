import Foundation
import Testing

/// The library that comes with the sources, from PDFs to cited answers.
@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
struct CorpusTests {
  @Test func pdfsGoIn_citedAnswersComeOut() async throws {
    let workspace = try Workspace()
    let corpus = packageRoot.appending(path: "corpus")
    let pdf = corpus.appending(path: "incident-reports.pdf").path
    let locked = corpus.appending(path: "board-minutes-2024.pdf").path

    let first = await workspace.run("ingest", pdf, locked)
    #expect(first.exitCode == 2, "the encrypted document cannot be read: \(first.error)")
    #expect(first.output.contains("encrypted"))
    let second = await workspace.run("ingest", pdf)
    #expect(second.exitCode == 0)
    #expect(second.output.contains("1 unchanged"), "\(second.output)")

    let question = "What was the highest basin level in the night of 15 December 2021?"
    let answer = await workspace.run("ask", question)
    #expect(answer.exitCode == 0, "\(answer.error)")
    #expect(answer.output.contains("+5.41 metres") && answer.output.contains("incident-reports.pdf, p. 4"))

    let fromInput = await workspace.run("ask", "--json", input: question)
    let body = try #require(try JSONSerialization.jsonObject(with: Data(fromInput.output.utf8)) as? [String: Any])
    #expect(body["outcome"] as? String == "extractive")
    let citation = try #require((body["citations"] as? [[String: Any]])?.first)
    #expect(citation["page"] as? Int == 4)
    #expect(citation["verified"] as? Bool == true)

    let listed = await workspace.run("documents", "list")
    #expect(listed.output.contains("incident-reports.pdf"))
    let events = await workspace.run("archive", "list")
    #expect(events.exitCode == 0)
    #expect(events.output.contains("answer"))

    let refused = await workspace.run("ask", "How do I bake sourdough bread?")
    #expect(refused.exitCode == 3, "\(refused.output)")
  }
}
