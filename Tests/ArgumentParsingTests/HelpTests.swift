import ArgumentParsing
import Testing

@Suite struct HelpTests {
  @Test func explainsTheProgram() {
    #expect(
      sampleTool.help(for: [], width: 72) == """
        Answers questions from documents.

        Usage: sample [OPTIONS] COMMAND

        First paragraph of the discussion, in two lines.

        Second paragraph.

        Examples:
          sample ask 'why?'
              Answers one question.

        Commands:
          ask                   Answer a question.
          ingest                Read documents.
          documents             List, show and delete documents.

        Global options:
              --config FILE     The configuration file.
              --log-level KIND  How much to log (debug, info, error; default:
                                info).
          -q, --quiet           Print nothing but errors.
          -j, --json            Print JSON.
          -h, --help            Show help; also 'help COMMAND'.
              --version         Show the version.

        Exit codes:
          0                     success
          64                    the arguments are wrong

        See 'sample COMMAND --help' for a command's own options.

        """)
  }

  @Test func explainsACommand() {
    let help = sampleTool.help(for: ["ask"], width: 80)
    #expect(help.contains("Usage: sample ask [OPTIONS] QUESTION\n"))
    #expect(help.contains("\nArguments:\n  QUESTION "))
    #expect(help.contains("  -k, --top-k N          How many passages (1 to 100; default: 5).\n"))
    #expect(help.contains("  -c, --collection NAME  Only this collection (repeatable).\n"))
    #expect(help.contains("      --[no-]cache       Use the cache (default: on).\n"))
    #expect(!help.contains("Exit codes"))
    #expect(sampleTool.help(for: ["ingest"], width: 80).contains("Usage: sample ingest [OPTIONS] PATH…\n"))
    #expect(sampleTool.help(for: ["documents", "show"], width: 80).contains("show [OPTIONS] ID [PAGE]\n"))
    #expect(sampleTool.help(for: ["documents"], width: 80).contains("Usage: sample documents [OPTIONS] COMMAND\n"))
  }

  @Test(arguments: [40, 60, 80, 100])
  func fitsTheWidth(width: Int) {
    for path in [[], ["ask"], ["ingest"], ["documents"]] {
      // A word is never broken, and texts keep at least twenty columns.
      for line in sampleTool.help(for: path, width: width).split(separator: "\n") {
        #expect(line.count <= max(width, 50), "\(line)")
      }
    }
  }
}
