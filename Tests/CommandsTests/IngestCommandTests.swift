import Commands
import Foundation
import Testing

@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
struct IngestCommandTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
    try workspace.write("pdfs/orchard.pdf", TextPDF.orchard)
  }

  /// The documents by name.
  private func documents() async throws -> [String: String] {
    let list = try await workspace.run("documents", "list", "--json").object()
    var ids: [String: String] = [:]
    for case let document as [String: Any] in list["documents"] as? [Any] ?? [] {
      ids[document["name"] as? String ?? ""] = document["id"] as? String
    }
    return ids
  }

  @Test func aFolderIsIngested_andTheSecondRunDoesNothing() async throws {
    let first = await workspace.run("ingest", workspace.pdfs)
    #expect(first.exitCode == 0, "\(first.error)")
    #expect(first.output.hasPrefix("Documents: 2 new\nPages: 3\nChunks: "))
    // A machine that is slow says in between how far it is.
    #expect(first.error.split(separator: "\n").count { $0.contains(" pages, ") } == 2)
    #expect(first.error.contains("[2/2]"))
    #expect(!first.error.contains("\u{1B}"))
    let second = await workspace.run("ingest", workspace.pdfs)
    #expect(second.output == "Documents: 2 unchanged\n")
    #expect(second.error == "")
    let object = try await workspace.run("ingest", workspace.pdfs, "--json").object()
    #expect(object["unchanged"] as? Int == 2)
    #expect(object["embeddings_computed"] as? Int == 0)
  }

  @Test func quietSaysNothing_andATerminalGetsABar() async throws {
    let quiet = await workspace.run("ingest", "-q", workspace.pdfs + "/weir.pdf")
    #expect(quiet.output == "")
    #expect(quiet.error == "")
    let bar = await workspace.run("ingest", workspace.pdfs + "/orchard.pdf", isTerminal: true)
    #expect(bar.error.contains("\r\u{1B}[2K"))
    #expect(bar.error.contains("░"))
    #expect(bar.error.contains("[1/1] orchard.pdf: "))
    // Nothing of the view is left below the last line.
    #expect(!bar.error.hasSuffix("orchard.pdf"))
  }

  @Test func aRenameKeepsTheID_andSaysSo() async throws {
    _ = await workspace.run("ingest", workspace.pdfs)
    let before = try await documents()["weir.pdf"]
    try workspace.rename("pdfs/weir.pdf", to: "pdfs/dam.pdf")
    let run = await workspace.run("ingest", workspace.pdfs)
    #expect(run.output.hasPrefix("Documents: 1 unchanged, 1 moved\n"))
    #expect(run.error.contains("weir.pdf is now "))
    #expect(try await documents()["dam.pdf"] == before)
    #expect(before != nil)
  }

  @Test func onlySyncDeletes_andOnlyUnderTheGuard() async throws {
    _ = await workspace.run("ingest", workspace.pdfs)
    try workspace.remove("pdfs/weir.pdf")
    _ = await workspace.run("ingest", workspace.pdfs)
    #expect(try await documents().count == 2)
    let sync = await workspace.run("ingest", "--sync", workspace.pdfs)
    #expect(sync.exitCode == 0)
    #expect(sync.output.contains("1 deleted"))
    #expect(try await documents().keys.sorted() == ["orchard.pdf"])

    try workspace.remove("pdfs/orchard.pdf")
    let emptied = await workspace.run("ingest", "--sync", workspace.pdfs)
    #expect(emptied.exitCode == ExitCode.someDocumentsFailed)
    #expect(emptied.output.contains("kept 1 documents"))
    #expect(emptied.output.contains("--allow-mass-delete"))
    #expect(try await documents().count == 1)
    let allowed = await workspace.run("ingest", "--sync", "--allow-mass-delete", workspace.pdfs)
    #expect(allowed.exitCode == 0)
    #expect(try await documents().isEmpty)
  }

  @Test func aVanishedFolderDeletesNothing_unlessTold() async throws {
    _ = await workspace.run("ingest", workspace.pdfs)
    try workspace.remove("pdfs")
    let plain = await workspace.run("ingest", workspace.pdfs)
    #expect(plain.exitCode == ExitCode.notFound)
    let sync = await workspace.run("ingest", "--sync", workspace.pdfs)
    #expect(sync.exitCode == ExitCode.someDocumentsFailed)
    #expect(sync.output.contains("file.missing"))
    #expect(try await documents().count == 2)
    let allowed = await workspace.run("ingest", "--sync", "--allow-mass-delete", workspace.pdfs)
    #expect(allowed.exitCode == 0, "\(allowed.output)\(allowed.error)")
    #expect(try await documents().isEmpty)
  }

  @Test func oneMissingConfiguredSourceDoesNotStopTheOthers() async throws {
    let file = try workspace.write(
      "q.yaml", "sources: [\"\(workspace.path("unmounted"))\", {uri: \"\(workspace.pdfs)\", collection: trees}]\n")
    let run = await workspace.run("ingest", "--config", file)
    #expect(run.exitCode == ExitCode.someDocumentsFailed)
    #expect(run.output.contains("2 new"))
    #expect(run.output.contains("unmounted"))
    #expect(await workspace.run("documents", "list", "-c", "trees").output.split(separator: "\n").count == 2)
  }

  @Test func aDeletedDocumentStaysAwayUntilNamed() async throws {
    _ = await workspace.run("ingest", workspace.pdfs)
    let deleted = await workspace.run("documents", "delete", "weir.pdf")
    #expect(deleted.exitCode == 0)
    #expect(deleted.output.hasPrefix("deleted weir.pdf ("))
    let scan = await workspace.run("ingest", workspace.pdfs)
    #expect(scan.exitCode == 0)
    #expect(scan.output.contains("skipped"))
    #expect(scan.output.contains("deleted from the index"))
    #expect(try await documents().count == 1)
    let named = await workspace.run("ingest", workspace.pdfs + "/weir.pdf")
    #expect(named.output.contains("1 new"))
    #expect(try await documents().count == 2)
  }

  @Test func documentsAreFoundByIDNameAndPath() async throws {
    _ = await workspace.run("ingest", workspace.pdfs)
    let id = try #require(try await documents()["weir.pdf"])
    for name in [id, "weir.pdf", workspace.pdfs + "/weir.pdf", "pdfs/weir.pdf", "file://\(workspace.pdfs)/weir.pdf"] {
      let run = await workspace.run("documents", "show", name)
      #expect(run.exitCode == 0)
      #expect(run.output.contains(id))
      #expect(run.output.contains("pages      2 (2 text)"))
    }
    let unknown = await workspace.run("documents", "show", "wier.pdf")
    #expect(unknown.exitCode == ExitCode.notFound)
    let half = await workspace.run("documents", "delete", "weir.pdf", "wier.pdf")
    #expect(half.exitCode == ExitCode.notFound)
    #expect(try await documents().count == 2)
    try workspace.write("pdfs/other/weir.pdf", TextPDF.orchard)
    _ = await workspace.run("ingest", workspace.pdfs)
    let ambiguous = await workspace.run("documents", "show", "weir.pdf")
    #expect(ambiguous.exitCode == ExitCode.badInput)
    #expect(ambiguous.error.contains(id))
  }

  @Test func pathsWithSpacesLineEndsAndEmojiWork() async throws {
    for name in ["with space.pdf", "line\nend.pdf", "🍐 pears.pdf", "-dash.pdf", "ünïcode.PDF"] {
      try workspace.write("odd names 🍐/\(name)", TextPDF.make([["Unique words of \(name.utf8.count) are here."]]))
    }
    let run = await workspace.run("ingest", workspace.path("odd names 🍐"))
    #expect(run.exitCode == 0, "\(run.error)\(run.output)")
    #expect(run.output.contains("5 new"))
    // A busy machine may have more to say in between.
    #expect(run.error.split(separator: "\n").count { $0.contains(" pages, ") } == 5)
    let list = await workspace.run("documents", "list")
    #expect(list.output.split(separator: "\n").count == 5)
    #expect(list.output.contains("🍐 pears.pdf"))
    #expect(await workspace.run("documents", "show", "with space.pdf").exitCode == 0)
    #expect(await workspace.run("documents", "show", "line\nend.pdf").exitCode == 0)
    #expect(await workspace.run("documents", "delete", "🍐 pears.pdf").exitCode == 0)
  }

  @Test func attributesAndCollectionsFilter() async throws {
    _ = await workspace.run("ingest", "--attribute", "year=1911", workspace.pdfs + "/weir.pdf")
    _ = await workspace.run("ingest", "-c", "trees", workspace.pdfs + "/orchard.pdf")
    let by = await workspace.run("search", "--attribute", "year=1911", "oldest pear tree", "--json")
    #expect(by.output.contains("weir.pdf"))
    #expect(!by.output.contains("orchard.pdf"))
    let inside = await workspace.run("search", "-c", "trees", "height of the weir")
    #expect(inside.output.contains("orchard.pdf, p. 1"))
    #expect(!inside.output.contains("weir.pdf, p."))
    let nothing = await workspace.run("search", "-c", "nowhere", "height of the weir")
    #expect(nothing.exitCode == ExitCode.notFound)
    #expect(nothing.error.contains("'nowhere'"))
  }

  @Test func anotherModelIsRefusedWithTheRemedy_andDoctorSaysTheSame() async throws {
    _ = await workspace.run("ingest", workspace.pdfs)
    let doctor = await workspace.run("doctor")
    #expect(doctor.exitCode == 0, "\(doctor.output)")
    for check in ["disk", "store", "model", "index", "pdf reader"] { #expect(doctor.output.contains(check)) }
    let rebuilt = await workspace.run("ingest", "--rebuild")
    #expect(rebuilt.output == "Documents: 2 unchanged\n")
  }
}
