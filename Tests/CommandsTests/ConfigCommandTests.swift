import Commands
import Foundation
import Testing

@Suite struct ConfigCommandTests {
  let workspace: Workspace

  init() throws { workspace = try Workspace() }

  @Test func showNamesTheOriginOfEachValue() async throws {
    let file = try workspace.write("q.yaml", "retrieval:\n  topK: 7\n")
    let run = await workspace.run(
      "config", "show", "--config", file, "--set", "server.port=9000", adding: ["QUARRY_APP": "library"])
    #expect(run.exitCode == 0, "\(run.error)")
    let lines = run.output.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    func line(_ key: String) -> String { lines.first { $0[0] == key }.map { $0.joined(separator: " ") } ?? "" }
    #expect(line("retrieval.topK") == "retrieval.topK 7 (\(file):2)")
    #expect(line("server.port") == "server.port 9000 (flag)")
    #expect(line("app") == "app library (QUARRY_APP)")
    #expect(line("server.host") == "server.host 127.0.0.1 (default)")
  }

  @Test func showMasksSecrets() async throws {
    let file = try workspace.write("q.yaml", "pdf:\n  passwords: [correct-horse]\n")
    for form in [[], ["--json"]] {
      let run = await workspace.run(["config", "show", "--config", file] + form)
      #expect(run.exitCode == 0, "\(run.error)")
      #expect(run.output.contains("pdf.passwords"))
      #expect(!run.output.contains("correct-horse"))
    }
  }

  @Test func fileOfTheWorkspaceIsFoundInTheConfigurationFolder() async throws {
    let file = try workspace.write(".config/quarry/config.yaml", "app: found\n")
    let run = await workspace.run("config", "check")
    #expect(run.output.contains(file))
  }

  @Test func checkSaysWhatItChecked() async throws {
    let file = try workspace.write("q.yaml", "app: \"a\"\n")
    let run = await workspace.run("config", "check", "--config", file, "--json")
    #expect(try run.object()["file"] as? String == file)
    #expect(try run.object()["valid"] as? Bool == true)
    #expect(await workspace.run("config", "check", "--config", file, "--quiet").output == "")
  }

  @Test(arguments: [
    ("app: x\nserch:\n  topK: 3\n", "line 2, column 1", "serch"),
    ("retrieval:\n  topk: 3\n", "line 2, column 3", "did you mean 'retrieval.topK'?"),
    ("retrieval:\n  topK: many\n", "line 2, column 9", "retrieval.topK"),
    ("retrieval:\n  topK: 101\n", "line 2, column 9", "retrieval.topK"),
    ("retrieval: [1]\n", "line 1, column 12", "retrieval"),
    ("a: &x 1\nb: *x\n", "line 1, column 4", "anchor"),
    ("retrieval:\n\ttopK: 3\n", "line 2, column 1", "tab"),
    ("app: x\napp: y\n", "line 2, column 1", "app"),
    ("store:\n  kind: opensearch\n", "line 2, column 9", "OpenSearch"),
    ("sources: [{collection: law}]\n", "line 1", "uri"),
    ("server: {tlsKey: /x}\n", "line 1", "certificate"),
    ("app: 'x\n", "line", "q.yaml"),
  ])
  func aMistakeIsNamedWithItsPlace(text: String, place: String, word: String) async throws {
    let file = try workspace.write("q.yaml", text)
    for command in [["config", "check"], ["config", "show"], ["documents", "list"]] {
      let run = await workspace.run(command + ["--config", file])
      #expect(run.exitCode == ExitCode.configuration)
      #expect(run.error.contains(file))
      #expect(run.error.contains(place), "\(run.error)")
      #expect(run.error.contains(word), "\(run.error)")
      #expect(run.output == "")
    }
  }

  @Test(arguments: ["generation: {kind: openai}\n", "embedding: {kind: bedrock}\n"])
  func aModelElsewhereMustBeNamed(text: String) async throws {
    let file = try workspace.write("q.yaml", text)
    let run = await workspace.run("config", "check", "--config", file)
    #expect(run.exitCode == ExitCode.configuration)
    #expect(run.error.contains(".model: must name"), "\(run.error)")
  }

  @Test func allMistakesAreToldAtOnce() async throws {
    let file = try workspace.write("q.yaml", "serch: 1\nretrieval:\n  topK: x\nserver:\n  prot: 1\n")
    let run = await workspace.run("config", "check", "--config", file)
    for word in ["serch", "topK", "prot"] { #expect(run.error.contains(word)) }
  }

  @Test func anUnknownVariableIsRefused() async throws {
    let run = await workspace.run("config", "check", adding: ["QUARRY_SERVER_PROT": "1"])
    #expect(run.exitCode == ExitCode.configuration)
    #expect(run.error.contains("QUARRY_SERVER_PROT"))
    #expect(run.error.contains("QUARRY_SERVER_PORT"))
  }

  @Test func anEmptyOrMissingFileIsToldApart() async throws {
    let empty = try workspace.write("empty.yaml", "")
    #expect(await workspace.run("config", "check", "--config", empty).exitCode == 0)
    let missing = await workspace.run("config", "check", "--config", workspace.path("none.yaml"))
    #expect(missing.exitCode == ExitCode.configuration)
    #expect(missing.error.contains("none.yaml"))
    let folder = await workspace.run("config", "check", "--config", workspace.pdfs)
    #expect(folder.exitCode == ExitCode.configuration)
    #expect(folder.error.contains("pdfs"))
  }
}
