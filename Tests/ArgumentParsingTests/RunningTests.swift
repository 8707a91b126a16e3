import ArgumentParsing
import Testing

@Suite struct RunningTests {
  private func run(
    _ arguments: String..., input: String = "", outputFailure: String? = nil
  ) async -> (code: Int32, output: String, error: String) {
    let console = CapturedConsole()
    let context = console.context(input: input, outputFailure: outputFailure)
    let code = await sampleTool.main(arguments: arguments, context: context)
    return (code, console.output, console.error)
  }

  @Test func runsACommand_withItsStreams() async {
    #expect(await run("ask", "-k", "3", "why?") == (0, "3 passages for why?\n", "done\n"))
    #expect(await run("-q", "ask", "-", input: "from input") == (0, "5 passages for from input\n", ""))
    #expect(await run("documents", "show", "d1") == (0, "documents show\n", ""))
    #expect(await run("secretive") == (0, "", ""))
  }

  @Test func printsHelpAndVersion_toOutput() async {
    #expect(await run("--version") == (0, "sample 1.2.3\n", ""))
    #expect(await run("help", "ask") == (0, sampleTool.help(for: ["ask"], width: 80), ""))
  }

  @Test func explainsUsageErrors_withTheUsageLine() async {
    let expected = """
      sample ask: unknown option '--topk'; did you mean '--top-k'?
      Usage: sample ask [OPTIONS] QUESTION
      See 'sample ask --help'.

      """
    #expect(await run("ask", "--topk", "3") == (64, "", expected))
    #expect(await run().code == 64)
  }

  @Test func explainsWhatValidationRefuses() async {
    let result = await run("ask", "")
    #expect(result.code == 64)
    #expect(result.error.hasPrefix("sample ask: the question is empty\nUsage: sample ask"))
  }

  @Test func reportsErrors_asTheApplicationSays() async {
    #expect(await run("ask", "fail") == (70, "", "sample: failed: SampleError()\nTry again.\n"))
  }

  @Test func fails_whenOutputWasLost() async {
    let result = await run("documents", "list", outputFailure: "No space left on device")
    #expect(result.code == 70)
    #expect(result.error.contains("standard output cannot be written: No space left on device"))
  }
}
