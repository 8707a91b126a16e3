import ArgumentParsing
import Commands
import Core
import Foundation
import Testing

/// The command line as declared: no configuration, no library.
@Suite struct CommandLineTests {
  @Test func theDeclaredTreeHasNoProblems() {
    #expect(QuarryTool.tool.declarationProblems() == [])
  }

  @Test(arguments: [
    (["ingset", "x"], "ingest"), (["documents", "lsit"], "list"), (["ask", "--colection", "x", "y"], "--collection"),
    (["ask", "--set", "retrieval.topk=3", "y"], "retrieval.topK"), (["keys", "revok", "x"], "revoke"),
    (["ask", "--log-level", "warn", "y"], "warning"), (["documents", "list", "--state", "redy"], "ready"),
    (["config", "chek"], "check"), (["completion", "bsh"], "bash"),
  ])
  func aMistypedWordNamesTheNearest(arguments: [String], nearest: String) async throws {
    let workspace = try Workspace()
    let run = await workspace.run(arguments)
    #expect([ExitCode.usage, ExitCode.configuration].contains(run.exitCode))
    #expect(run.error.contains("did you mean '\(nearest)'?"), "\(run.error)")
    #expect(run.output == "")
  }

  @Test func everyCategoryHasAnExitCodeThatHelpExplains() async throws {
    let help = await (try Workspace()).run("--help").output
    for category in ErrorCategory.allCases {
      let code = ExitCode.code(for: category)
      #expect(code != 0)
      #expect(ExitCode.meanings.contains { $0.code == code }, "\(category)")
    }
    for meaning in ExitCode.meanings {
      #expect(help.contains(meaning.meaning), "\(meaning.code)")
    }
  }

  @Test func helpOfEveryCommandEndsWellAndSaysMore() async throws {
    let workspace = try Workspace()
    for path in Self.paths {
      let run = await workspace.run(path + ["--help"])
      #expect(run.exitCode == 0)
      #expect(run.output.contains("Usage: quarry \(path.joined(separator: " "))".trimmingCharacters(in: .whitespaces)))
      #expect(run.error == "")
      let lines = run.output.split(separator: "\n")
      #expect(lines.allSatisfy { $0.count <= 100 }, "\(path)")
    }
  }

  /// Every command by its words.
  static let paths: [[String]] = [
    [], ["ingest"], ["watch"], ["ask"], ["search"], ["documents"], ["documents", "list"], ["documents", "show"],
    ["documents", "delete"], ["documents", "retry"], ["serve"], ["keys"], ["keys", "create"], ["keys", "list"],
    ["keys", "revoke"],
    ["config"], ["config", "show"], ["config", "check"], ["archive"], ["archive", "list"], ["archive", "show"],
    ["archive", "replay"], ["archive", "ship"],
    ["config", "keys"], ["evaluate"], ["evaluate", "retrieval"], ["evaluate", "refusal"], ["verify"], ["gc"],
    ["store"], ["store", "backup"], ["store", "copy"], ["doctor"],
    ["completion"],
  ]

  @Test func pathsAreAllThereAre() {
    func walk(_ commands: [any Command.Type], _ path: [String]) -> [[String]] {
      commands.filter { !$0.configuration.isHidden }.flatMap { command in
        let words = path + [command.configuration.name]
        return [words] + walk(command.configuration.subcommands, words)
      }
    }
    #expect(Set([[]] + walk(QuarryTool.tool.commands, [])) == Set(Self.paths))
  }

  @Test func versionIsOneLine() async throws {
    let run = await (try Workspace()).run("--version")
    #expect(run.output == "quarry \(QuarryVersion.current)\n")
    #expect(run.exitCode == 0)
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completionsKnowEveryVerb(shell: String) async throws {
    let run = await (try Workspace()).run("completion", shell)
    #expect(run.exitCode == 0)
    for verb in ["ingest", "ask", "search", "documents", "serve", "keys", "config", "archive", "doctor"] {
      #expect(run.output.contains(verb))
    }
  }

  @Test func aMissingQuestionOnATerminalIsAUsageError() async throws {
    let run = await (try Workspace()).run("ask", isTerminal: true)
    #expect(run.exitCode == ExitCode.usage)
    #expect(run.error.contains("a question is missing"))
  }

  @Test(arguments: [
    ["ingest", "--collection", "No Good", "x"], ["ingest", "--allow-mass-delete", "x"],
    ["ingest", "--rebuild", "x"], ["ingest", "--attribute", "novalue", "."], ["ask", "--attribute", "x", "q"],
    ["ask", "--top-k", "0", "q"], ["ask", "--top-k", "many", "q"], ["serve", "--port", "70000"],
    ["keys", "create", "--collection", "A B"], ["keys", "revoke"], ["documents", "delete"], ["documents", "retry"],
    ["archive", "list", "--since", "yesterday"], ["ask", "--set", "topK", "q"], ["keys"], ["documents"],
  ])
  func whatCannotBeMeantIsAUsageError(arguments: [String]) async throws {
    let run = await (try Workspace()).run(arguments)
    #expect(run.exitCode == ExitCode.usage, "\(run.error)")
    #expect(run.error.hasPrefix("quarry"))
    #expect(run.output == "")
  }
}

/// docs/command-line.md, kept true.
@Suite struct CommandLineDocumentTests {
  let document: String

  init() throws {
    document = try String(contentsOf: packageRoot.appendingPathComponent("docs/command-line.md"), encoding: .utf8)
  }

  @Test func hasEveryCommandAndItsSentence() {
    for path in CommandLineTests.paths where !path.isEmpty {
      #expect(document.contains("`quarry \(path.joined(separator: " "))"), "\(path)")
    }
  }

  @Test func hasEveryExitCodeWithItsMeaning() {
    for meaning in ExitCode.meanings {
      #expect(document.contains("| \(meaning.code) | \(meaning.meaning) |"), "\(meaning.code)")
    }
    let rows = document.split(separator: "\n").filter { $0.wholeMatch(of: /\| \d+ \| .* \|/) != nil }
    #expect(rows.count == ExitCode.meanings.count)
  }

  @Test func hasEveryCategoryOfError() {
    for category in ErrorCategory.allCases {
      #expect(document.contains("| `\(category.rawValue)` | \(ExitCode.code(for: category)) |"), "\(category)")
    }
  }
}
