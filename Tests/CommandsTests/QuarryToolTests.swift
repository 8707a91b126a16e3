import Core
import Foundation
import Testing

/// The program from its command line down to SQLite, the PDF reader and the model.
@Suite struct QuarryToolTests {
  @Test func helpNamesEveryCommand_andItsExitCodes() async throws {
    let run = try CommandLineRun()
    defer { run.remove() }
    let help = await run("--help")
    #expect(help.code == 0)
    for verb in ["ingest", "ask", "search", "documents", "serve", "keys", "config", "evaluate", "archive", "doctor"] {
      #expect(help.output.contains("\n  \(verb)"), "\(verb) is missing")
    }
    #expect(help.output.contains("3 ") && help.output.contains("does not answer the question"))
    #expect(await run("--version").output.contains(QuarryVersion.current))
  }

  @Test(arguments: [["ingset", "ingest"], ["ask --jsn x", "--json"], ["config shwo", "show"]])
  func aMistypedWordNamesTheNearest(_ pair: [String]) async throws {
    let run = try CommandLineRun()
    defer { run.remove() }
    let words = pair[0].split(separator: " ").map(String.init)
    let outcome =
      words.count == 1
      ? await run(words[0])
      : words.count == 2 ? await run(words[0], words[1]) : await run(words[0], words[1], words[2])
    #expect(outcome.code == 64)
    #expect(outcome.errors.contains(pair[1]), "\(outcome.errors)")
    #expect(outcome.output.isEmpty)
  }

  @Test func aConfigurationFileWithAnUnknownKeyIsRefused_withItsLine() async throws {
    let run = try CommandLineRun()
    defer { run.remove() }
    let file = run.directory.appending(path: "quarry.yaml")
    try Data("retrieval:\n  topk: 3\n".utf8).write(to: file)
    let outcome = await run("config", "check", "--config", file.path)
    #expect(outcome.code == 78)
    #expect(
      outcome.errors.contains("topK") && outcome.errors.contains("quarry.yaml: line 2, column 3"), "\(outcome.errors)")
  }

  @Test func whatDoesNotExistIsSaid() async throws {
    let run = try CommandLineRun()
    defer { run.remove() }
    #expect(await run("ingest", "/nowhere/at/all").code != 0)
    #expect(await run("documents", "show", "0123456789abcdef0123456789abcdef").code == 66)
  }

  @Test(
    .enabled("The embedding model is not in the cache: run `make setup`.") { CommandLineRun.hasModel },
    .timeLimit(.minutes(5)))
  func pdfsGoIn_citedAnswersComeOut() async throws {
    let run = try CommandLineRun()
    defer { run.remove() }
    let corpus = CommandLineRun.root.appending(path: "corpus")
    let pdf = corpus.appending(path: "incident-reports.pdf").path
    let locked = corpus.appending(path: "board-minutes-2024.pdf").path

    let first = await run("ingest", pdf, locked)
    #expect(first.code == 2, "the encrypted document cannot be read: \(first.errors)")
    #expect(first.output.contains("encrypted"))
    let second = await run("ingest", pdf)
    #expect(second.code == 0)
    #expect(second.output.contains("1 unchanged"), "\(second.output)")

    let question = "What was the highest basin level in the night of 15 December 2021?"
    let answer = await run("ask", question)
    #expect(answer.code == 0, "\(answer.errors)")
    #expect(answer.output.contains("+5.41 metres") && answer.output.contains("incident-reports.pdf, p. 4"))

    let fromInput = await run("ask", "--json", input: question)
    let body = try #require(try JSONSerialization.jsonObject(with: Data(fromInput.output.utf8)) as? [String: Any])
    #expect(body["outcome"] as? String == "extractive")
    let citation = try #require((body["citations"] as? [[String: Any]])?.first)
    #expect(citation["page"] as? Int == 4)
    #expect(citation["verified"] as? Bool == true)

    let listed = await run("documents", "list")
    #expect(listed.output.contains("incident-reports.pdf"))
    let events = await run("archive", "list")
    #expect(events.code == 0)
    #expect(events.output.contains("answer"))

    let refused = await run("ask", "How do I bake sourdough bread?")
    #expect(refused.code == 3, "\(refused.output)")
  }
}
