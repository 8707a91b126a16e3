import ArgumentParsing
import Testing

@Suite struct ParsingTests {
  private func command<C: Command>(_ type: C.Type, _ arguments: [String]) throws -> C {
    guard case .run(let command, _) = try sampleTool.parse(arguments) else {
      throw CommandLineError.usage("\(arguments) runs no command")
    }
    return try #require(command as? C)
  }

  private func ask(_ arguments: String...) throws -> Ask {
    try command(Ask.self, ["ask"] + arguments)
  }

  private func failure(_ arguments: String...) -> String? {
    do {
      _ = try sampleTool.parse(arguments)
      return nil
    } catch { return error.error.message }
  }

  @Test func keepsDefaults_whenNothingIsGiven() throws {
    let command = try ask("why?")
    #expect(command.topK == 5)
    #expect(command.question == "why?")
    #expect(command.collections == [])
    #expect(command.threshold == nil)
    #expect(command.progress == nil)
    #expect(!command.global.json)
  }

  @Test(arguments: [["--top-k", "7"], ["--top-k=7"], ["-k", "7"], ["-k7"], ["-k=7"], ["-k", "1", "--top-k", "7"]])
  func readsAValue_inEverySpelling(spelling: [String]) throws {
    #expect(try command(Ask.self, ["ask", "q"] + spelling).topK == 7)
  }

  @Test func combinesShortFlags() throws {
    let command = try ask("-jqk7", "q")
    #expect(command.global.json)
    #expect(command.global.quiet)
    #expect(command.topK == 7)
  }

  @Test func takesGlobalOptions_beforeAndAfterTheVerb() throws {
    let ask = try command(Ask.self, ["--config", "a", "ask", "q", "--json", "--config=b"])
    #expect(ask.global.json)
    #expect(ask.global.config == "b")
  }

  @Test func checksGlobalOptions_whenTheCommandHasNoCopyOfThem() throws {
    _ = try command(DocumentsList.self, ["documents", "list", "--log-level", "debug"])
    #expect(
      failure("documents", "list", "--log-level", "debgu")
        == "--log-level must be one of debug, info, error, not 'debgu'; did you mean 'debug'?")
  }

  @Test func keepsEveryValue_ofARepeatedOption() throws {
    #expect(try ask("q", "-c", "a", "--collection", "b").collections == ["a", "b"])
  }

  @Test func readsFlags_withTheirNegation() throws {
    #expect(try ask("q", "--progress").progress == true)
    #expect(try ask("q", "--progress", "--no-progress").progress == false)
    #expect(try !ask("q", "--no-cache").cache)
    #expect(try ask("q").cache)
  }

  @Test func takesNegativeNumbersAsValues() throws {
    #expect(try ask("q", "--threshold", "-0.5").threshold == -0.5)
    #expect(try ask("-3").question == "-3")
    #expect(try ask("q", "--threshold=-1e-3").threshold == -0.001)
  }

  @Test func takesEverythingAfterTheTerminatorAsArguments() throws {
    #expect(try ask("--", "--json").question == "--json")
    #expect(try ask("-").question == "-")
    let ingest = try command(Ingest.self, ["ingest", "a", "--", "-b", "--sync", "--"])
    #expect(ingest.paths == ["a", "-b", "--sync", "--"])
    #expect(!ingest.sync)
  }

  @Test func findsNestedCommands() throws {
    let show = try command(DocumentsShow.self, ["documents", "show", "d1", "3"])
    #expect(show.id == "d1")
    #expect(show.page == 3)
  }

  @Test func givesEachParseItsOwnValues() throws {
    let first = try ask("a", "-k", "1")
    var second = try ask("b", "-k", "2")
    #expect(first.topK == 1)
    let copy = second
    second.topK = 9
    #expect(second.topK == 9)
    #expect(copy.topK == 2)
  }

  @Test(arguments: [
    (["--help"], []), (["-h"], []), (["help"], []), (["ask", "--help"], ["ask"]), (["ask", "-jh"], ["ask"]),
    (["documents", "-h"], ["documents"]), (["help", "documents", "show"], ["documents", "show"]),
    (["documents", "help", "show"], ["documents", "show"]),
  ])
  func asksForHelp_atEveryLevel(arguments: [String], expected: [String]) throws {
    guard case .help(let path) = try sampleTool.parse(arguments) else {
      Issue.record("\(arguments) is no call for help")
      return
    }
    #expect(path == expected)
  }

  @Test(arguments: [
    ("aks q", "unknown command 'aks'; did you mean 'ask'?"),
    ("documents lst", "unknown command 'lst'; did you mean 'list'?"),
    ("elephant", "unknown command 'elephant'"),
    ("help documents sho", "unknown command 'sho'; did you mean 'show'?"),
    ("", "a command is missing: one of ask, ingest, documents"),
    ("documents", "a command is missing: one of list, show"),
    ("ask q --topk 3", "unknown option '--topk'; did you mean '--top-k'?"),
    ("ask q --jsno", "unknown option '--jsno'; did you mean '--json'?"),
    ("ask q -jx", "unknown option '-x' in '-jx'"),
    ("--top-k 3 ask q", "unknown option '--top-k'; it belongs after 'ask'"),
    ("ask q --top-k", "--top-k needs a value"),
    ("ask q --top-k --json", "--top-k needs a value (if '--json' is the value, write '--top-k=--json')"),
    ("ask q -k --json", "-k needs a value (if '--json' is the value, write '-k--json')"),
    ("ask q --top-k x", "--top-k must be an integer from 1 to 100, not 'x'"),
    ("ask q -k 0", "-k must be an integer from 1 to 100, not '0'"),
    ("ask q --top-k=", "--top-k must be an integer from 1 to 100, not ''"),
    ("ask q --threshold nan", "--threshold must be a number, not 'nan'"),
    ("ask q --json=true", "--json takes no value"),
    ("ask q --no-json", "unknown option '--no-json'; did you mean '--json'?"),
    ("ask a b", "unexpected argument 'b'"),
    ("ask", "QUESTION is missing"),
    ("ingest", "PATH is missing"),
    ("documents show d x", "PAGE must be an integer, not 'x'"),
  ])
  func namesWhatIsWrong(line: String, message: String) {
    let words = line.split(separator: " ").map(String.init)
    do {
      _ = try sampleTool.parse(words)
      Issue.record("\(line) was accepted")
    } catch {
      #expect(error.error.message == message)
      #expect(error.error.isUsage)
    }
  }

  @Test func findsNoProblem_inTheSampleDeclarations() {
    #expect(sampleTool.declarationProblems() == [])
  }

  @Test func findsContradictoryDeclarations() {
    struct Twisted: Command {
      static let configuration = CommandConfiguration("twisted", abstract: "")
      @Option("Collides with the global one.") var json = "x"
      @Argument("All.") var all: [String]
      @Argument("") var last: String
      func run(_ context: CommandContext) async throws {}
    }
    let tool = CommandLineTool(
      name: "t", version: "1", abstract: "A.", commands: [Twisted.self], globals: GlobalOptions.self
    ) { _ in FailureReport(message: "", exitCode: 1) }
    #expect(
      tool.declarationProblems() == [
        "t twisted: no abstract", "t twisted: --json is declared twice", "t twisted: LAST has no help",
        "t twisted: LAST follows an argument that takes all",
        "t twisted: LAST is required but follows an optional argument",
      ])
  }
}
