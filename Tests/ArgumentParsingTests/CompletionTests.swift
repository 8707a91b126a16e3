import ArgumentParsing
import Glibc
import Testing

@Suite struct CompletionTests {
  /// What bash offers for the words, the last of which is being typed.
  private func offers(_ words: String..., workingDirectory: String = "/") throws -> [String] {
    let quoted = words.map { "'\($0)'" }.joined(separator: " ")
    let script = """
      cd '\(workingDirectory)'
      \(sampleTool.completionScript(for: .bash))
      COMP_WORDS=(sample \(quoted)); COMP_CWORD=\(words.count)
      _sample
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    return try run("bash", script: script).output.split(separator: "\n").map(String.init)
  }

  @Test func offersCommands() throws {
    #expect(try offers("") == ["ask", "ingest", "documents", "help"])
    #expect(try offers("doc") == ["documents"])
    #expect(try offers("documents", "") == ["list", "show"])
    #expect(try offers("--config", "x", "-q", "documents", "s") == ["show"])
  }

  @Test func offersOptions_ofTheCommandAndOfAll() throws {
    #expect(try offers("ask", "--t") == ["--top-k", "--threshold"])
    #expect(try offers("ask", "--no") == ["--no-progress", "--no-cache"])
    #expect(try offers("documents", "list", "--j") == ["--json"])
    #expect(try offers("--v") == ["--version"])
    #expect(try offers("ask", "--", "--t") == [])
  }

  @Test func offersValues_ofEnumerations() throws {
    #expect(try offers("--log-level", "") == ["debug", "info", "error"])
    #expect(try offers("documents", "list", "--sort", "t") == ["time"])
    // Bash splits --sort=t into three words.
    #expect(try offers("documents", "list", "--sort", "=", "t") == ["time"])
    #expect(try offers("documents", "list", "--sort", "=") == ["name", "time"])
    #expect(try offers("documents", "list", "--sort", "=", "time", "--js") == ["--json"])
    #expect(try offers("ask", "--top-k", "") == [])
  }

  @Test func offersFiles_whereAPathIsExpected() throws {
    let directory = try temporaryDirectory()
    defer { removeTree(directory) }
    for name in ["a file.pdf", "another.pdf"] { close(creat("\(directory)/\(name)", 0o600)) }
    mkdir("\(directory)/area", 0o700)
    #expect(try offers("ingest", "a", workingDirectory: directory).sorted() == ["a file.pdf", "another.pdf", "area"])
    #expect(try offers("ingest", "--scratch", "a", workingDirectory: directory) == ["area"])
    #expect(try offers("ask", "--config", "an", workingDirectory: directory) == ["another.pdf"])
    #expect(try offers("ask", "a", workingDirectory: directory) == [])
  }

  @Test func makesAScriptThatTellsWrongSyntax() throws {
    // The check of the next test must be able to fail.
    #expect(try run("bash", arguments: "-n", script: "case x in").status != 0)
  }

  @Test(arguments: Shell.allCases.filter(isInstalled))
  func writesAScriptThatTheShellAccepts(shell: Shell) throws {
    let result = try run(shell.rawValue, arguments: "-n", script: sampleTool.completionScript(for: shell))
    #expect(result.status == 0)
    #expect(result.output == "")
  }

  @Test(
    .enabled(if: isInstalled(.fish), "fish is not installed"),
    arguments: [
      ("sample ", ["ask", "documents", "help", "ingest"]), ("sample documents s", ["show"]),
      ("sample --config x documents s", ["show"]), ("sample ask --th", ["--threshold"]),
      ("sample --log-level ", ["debug", "error", "info"]), ("sample documents list --sort=t", ["--sort=time"]),
    ])
  func completesInFish(line: String, expected: [String]) throws {
    let script = "\(sampleTool.completionScript(for: .fish))\ncomplete -C '\(line)'"
    let lines = try run("fish", script: script).output.split(separator: "\n")
    #expect(lines.map { String($0.prefix { $0 != "\t" }) }.sorted() == expected)
  }

  @Test func printsTheScript_asACommand() async throws {
    let tool = CommandLineTool(name: "t", version: "1", abstract: "A.", commands: [CompletionCommand.self]) { _ in
      FailureReport(message: "", exitCode: 1)
    }
    let console = CapturedConsole()
    #expect(await tool.main(arguments: ["completion", "bash"], context: console.context()) == 0)
    #expect(console.output == tool.completionScript(for: .bash))
    #expect(tool.declarationProblems() == [])
  }
}

private struct Failed: Error {}

private func isInstalled(_ shell: Shell) -> Bool {
  (try? run("sh", script: "command -v \(shell.rawValue)").status) == 0
}

/// Runs a script from a file, with nothing of the user's own settings.
private func run(
  _ shell: String, arguments: String = "", script: String
) throws -> (status: Int32, output: String) {
  let directory = try temporaryDirectory()
  defer { removeTree(directory) }
  let path = "\(directory)/script"
  let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
  let bytes = Array(script.utf8)
  guard write(descriptor, bytes, bytes.count) == bytes.count, close(descriptor) == 0,
    let pipe = popen("HOME='\(directory)' LC_ALL=C.UTF-8 \(shell) \(arguments) '\(path)' 2>&1 </dev/null", "r")
  else { throw Failed() }
  var output: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { output += buffer.prefix(count) }
  return (pclose(pipe), String(decoding: output, as: UTF8.self))
}

private func temporaryDirectory() throws -> String {
  var template = Array("/tmp/completion-XXXXXX".utf8CString)
  guard let path = mkdtemp(&template) else { throw Failed() }
  return String(cString: path)
}

private func removeTree(_ path: String) {
  if let pipe = popen("rm -rf '\(path)'", "r") { pclose(pipe) }
}
