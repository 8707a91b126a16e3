import Commands
import Foundation
import Testing

/// `verify`, `gc`, `store backup` and `doctor` on a store that the command line made.
@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
struct UpkeepCommandTests {
  let workspace: Workspace

  init() async throws {
    workspace = try Workspace()
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
    try workspace.write("pdfs/orchard.pdf", TextPDF.orchard)
    #expect(await workspace.run("ingest", workspace.pdfs).exitCode == 0)
  }

  private var store: String { workspace.path(".local/share/quarry/quarry.sqlite") }

  @Test func verifyFindsASoundStoreSound_andNoticesSources() async throws {
    let sound = await workspace.run("verify", "--deep")
    #expect(sound.exitCode == 0, "\(sound.output)\(sound.error)")
    #expect(sound.output.contains("2 documents") && sound.output.hasSuffix("sound\n"))
    try workspace.remove("pdfs/weir.pdf")
    try workspace.write("pdfs/orchard.pdf", TextPDF.weir)
    let run = await workspace.run("verify", "--json")
    #expect(run.exitCode == 0)
    let object = try run.object()
    #expect(object["sound"] as? Bool == true && object["notices"] as? Int == 2)
    #expect(object["counts"] as? [String: Int] == ["source.missing": 1, "source.changed": 1])
    #expect(await workspace.run("verify", "-q").output.contains("source.missing"))
  }

  @Test func verifyFailsOnForeignFiles_andOnMissingOnes() async throws {
    let text = try workspace.write("text.sqlite", String(repeating: "no database\n", count: 400))
    let foreign = await workspace.run("verify", "--set", "store.path=\(text)")
    #expect(foreign.exitCode == ExitCode.belowTarget)
    #expect(foreign.output.contains("store.foreign"))
    let missing = await workspace.run("verify", "--set", "store.path=\(workspace.path("none.sqlite"))")
    #expect(missing.exitCode == ExitCode.notFound)
    for command in [["gc"], ["store", "backup", workspace.path("x")]] {
      let run = await workspace.run(command + ["--set", "store.path=\(workspace.path("none.sqlite"))"])
      #expect(run.exitCode == ExitCode.notFound, "\(run.error)")
    }
  }

  @Test func doctorReportsAForeignStore_andLooksAtTheRest() async throws {
    let text = try workspace.write("text.sqlite", String(repeating: "no database\n", count: 400))
    let run = await workspace.run("doctor", "--set", "store.path=\(text)")
    #expect(run.exitCode == ExitCode.belowTarget)
    #expect(run.output.contains("failed  store"), "\(run.output)")
    #expect(run.output.contains("ok      model") && run.output.contains("ok      pdf reader"))
    #expect(try String(contentsOfFile: text, encoding: .utf8).hasPrefix("no database"))
  }

  @Test func aBackupIsAStore_thatAnswersLikeTheFirst() async throws {
    let copy = workspace.path("backup.sqlite")
    let run = await workspace.run("store", "backup", copy)
    #expect(run.exitCode == 0, "\(run.error)")
    #expect(await workspace.run("store", "backup", copy).exitCode == ExitCode.unavailable)
    #expect(await workspace.run("store", "backup", copy, "--force", "--json").exitCode == 0)
    let verified = await workspace.run("verify", "--set", "store.path=\(copy)")
    #expect(verified.exitCode == 0 && verified.output.contains("2 documents"))
    let first = await workspace.run("search", "weir", "--json")
    let second = await workspace.run("search", "weir", "--json", "--set", "store.path=\(copy)")
    #expect(try first.object()["passages"] as? [NSDictionary] == second.object()["passages"] as? [NSDictionary])
  }

  @Test func gcRemovesIndexesOfKilledRuns_andNothingElse() async throws {
    let temporary = workspace.path("tmp")
    for name in ["quarry-abc123", "quarry-XYZ789", "quarry-empty1", "quarry-too-long-1"] {
      try FileManager.default.createDirectory(
        atPath: "\(temporary)/\(name)", withIntermediateDirectories: true)
    }
    for name in ["quarry-abc123", "quarry-XYZ789", "quarry-too-long-1"] {
      try workspace.write("tmp/\(name)/index.sqlite", "left over")
    }
    // That of a run of today without a lock might be in use; the one with a free lock is not.
    try workspace.write("tmp/quarry-abc123/lock", "")
    let dry = await workspace.run(["gc", "--dry-run"], adding: ["TMPDIR": temporary])
    #expect(dry.exitCode == 0 && dry.output.contains("temporary.removed"), "\(dry.output)\(dry.error)")
    #expect(FileManager.default.fileExists(atPath: temporary + "/quarry-abc123"))
    let run = await workspace.run(["gc", "--json"], adding: ["TMPDIR": temporary])
    #expect(run.exitCode == 0, "\(run.error)")
    let actions = try run.object()["actions"] as? [[String: Any]]
    #expect(actions?.compactMap { $0["code"] as? String } == ["temporary.removed"])
    let left = try FileManager.default.contentsOfDirectory(atPath: temporary).sorted()
    #expect(left == ["quarry-XYZ789", "quarry-empty1", "quarry-too-long-1"])
  }
}
