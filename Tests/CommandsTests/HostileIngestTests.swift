import Commands
import Foundation
import Testing

/// A library full of harm, ingested by the real command line with small limits.
@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
struct HostileIngestTests {
  let workspace: Workspace
  let limits = [
    "pdf.pageCpuTime=1s", "pdf.cpuTime=4s", "pdf.wallTime=60s", "pdf.memory=256 MiB", "pdf.outputBytes=8 MiB",
    "pdf.maxPages=50",
  ].flatMap { ["--set", $0] }

  init() throws { workspace = try Workspace() }

  @Test func everyFileEndsAsADocumentOrAsANamedReason_andTheNeighboursAreTaken() async throws {
    let files = HostileLibrary.files
    for file in files { try workspace.write("pdfs/\(file.name)", file.data) }
    try workspace.write("pdfs/folder.pdf/neighbour.pdf", TextPDF.weir)
    try workspace.write("pdfs/zz last.pdf", TextPDF.orchard)
    try #require(mkfifo(workspace.path("pdfs/pipe.pdf"), 0o600) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: workspace.path("pdfs/circle.pdf"), withDestinationPath: workspace.path("pdfs/circle.pdf"))

    let run = await workspace.run(["ingest", "--json", workspace.pdfs] + limits)
    #expect(run.exitCode == ExitCode.someDocumentsFailed, "\(run.error)")
    let summary = try run.object()
    let failed = try codes(summary["failed"])
    let skipped = try codes(summary["skipped"])
    let documents = try await indexed()
    for file in files {
      let path = workspace.path("pdfs/\(file.name)")
      let code = failed["file://" + path]
      let isIndexed = documents["file://" + path] != nil
      #expect((code != nil) != isIndexed, "\(file.name.debugDescription) is neither or both: \(code ?? "no reason")")
      switch file.fate {
      case .document: #expect(isIndexed, "\(file.name): \(code ?? "")")
      case .reason(let allowed): #expect(code.map(allowed.contains) == true, "\(file.name): \(code ?? "indexed")")
      // A named reason is one that says what is wrong with the file.
      case .accounted: #expect(code != "ingest.failed" && code != "pdf.reader_unusable", "\(file.name)")
      }
    }
    for name in ["pipe.pdf", "folder.pdf", "circle.pdf"] {
      #expect(skipped.keys.contains { $0.contains(name) }, "\(name): \(skipped)")
    }
    #expect(documents.count + failed.count == files.count + 2, "something came from nowhere, or left without a word")
    #expect(await workspace.run("doctor").exitCode == 0)

    // The neighbours answer, and what was attached or commanded does nothing.
    #expect(await workspace.run("ask", "How high is the weir's crest?").output.contains("3.4 metres"))
    #expect(await workspace.run("ask", "When was the oldest pear tree planted?").output.contains("1764"))
    let goats = await workspace.run("ask", "How many goats does the lighthouse keeper keep?")
    #expect(goats.output.contains("seven goats"), "\(goats.output)")
    let search = await workspace.run("search", "--json", "xylophones in the attachment")
    #expect(!search.output.contains("xylophones."), "\(search.output)")

    // Nothing is tried for ever, forgotten, or doubled by a second run.
    let again = try await workspace.run(["ingest", "--json", workspace.pdfs] + limits).object()
    #expect(try Set(codes(again["failed"]).keys) == Set(failed.keys))
    #expect(again["unchanged"] as? Int == documents.count)
    #expect(try await indexed().keys == documents.keys)
  }

  /// URI → state of every document.
  private func indexed() async throws -> [String: String] {
    let list = try await workspace.run("documents", "list", "--json", "-n", "10000").object()
    let documents = try #require(list["documents"] as? [[String: Any]])
    let pairs = documents.compactMap { document in
      (document["uri"] as? String).map { ($0, document["state"] as? String ?? "") }
    }
    #expect(pairs.count == documents.count)
    return try Dictionary(pairs) { _, _ in throw CocoaError(.keyValueValidation) }
  }

  private func codes(_ list: Any?) throws -> [String: String] {
    let items = try #require(list as? [[String: Any]])
    return Dictionary(
      items.compactMap { item in
        (item["name"] as? String).flatMap { name in (item["code"] as? String).map { (name, $0) } }
      }, uniquingKeysWith: { first, _ in first })
  }
}
