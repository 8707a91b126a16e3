import Foundation
import Testing

/// `quarry ingest --plan`: what it would take, with nothing written.
@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"))
struct PlanTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace()
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
    try workspace.write("pdfs/orchard.pdf", TextPDF.orchard)
  }

  private func files() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: workspace.folder.path).sorted()
  }

  @Test func aPlanNamesWhatIngestionThenDoes_andWritesNothing() async throws {
    let before = try files()
    let run = await workspace.run("ingest", "--plan", "--json", workspace.pdfs)
    #expect(run.exitCode == 0, "\(run.error)")
    let plan = try run.object()
    #expect(plan["documents"] as? [String: Int] == ["new": 2, "changed": 0, "unchanged": 0, "renamed": 0, "stale": 0])
    #expect(plan["extrapolated"] as? Bool == false && plan["tokens_counted"] as? Bool == true)
    #expect(plan["tokens"] as? Int ?? 0 > 50)
    let seconds = try #require(plan["seconds"] as? [String: Double])
    #expect(seconds["embedding"] ?? 0 > 0 && seconds["ocr"] == 0 && seconds["total"] ?? 0 > 0)
    let cost = try #require(plan["cost"] as? [String: Any])
    #expect(cost["usd"] as? Double == 0 && cost["model"] as? String == "all-MiniLM-L6-v2")
    #expect(try files() == before)

    let done = try await workspace.run("ingest", "--json", workspace.pdfs).object()
    #expect(done["chunks"] as? Int == plan["chunks"] as? Int)
    #expect(done["embeddings_computed"] as? Int == plan["embeddings_to_compute"] as? Int)
    #expect((done["pages"] as? [String: Int])?["text"] == plan["pages"] as? Int)
  }

  @Test func whatIsKnownIsNotCountedAgain() async throws {
    _ = await workspace.run("ingest", workspace.pdfs)
    let same = await workspace.run("ingest", "--plan", workspace.pdfs)
    #expect(same.output.hasPrefix("Documents: 2 unchanged\n"), "\(same.output)")
    try workspace.write("pdfs/copy.pdf", TextPDF.weir)
    try workspace.rename("pdfs/orchard.pdf", to: "pdfs/garden.pdf")
    let plan = try await workspace.run("ingest", "--plan", "--json", workspace.pdfs).object()
    #expect(
      plan["documents"] as? [String: Int] == ["new": 1, "changed": 0, "unchanged": 1, "renamed": 1, "stale": 0])
    #expect(plan["embeddings_to_compute"] as? Int == 0 && plan["tokens"] as? Int == 0)
    #expect(plan["embeddings_reused"] as? Int == plan["chunks"] as? Int)
    // The index still knows nothing of either.
    let listed = await workspace.run("documents", "list")
    #expect(listed.output.contains("orchard.pdf") && !listed.output.contains("copy.pdf"))
  }

  @Test func aSampleIsSaidToBeOne() async throws {
    let run = await workspace.run("ingest", "--plan", "--sample", "1", workspace.pdfs)
    #expect(run.output.contains("Sample: 1 of 2 documents were read"), "\(run.output)")
    #expect(run.output.contains("Documents: 2 new\n") && run.output.contains("Pages: about "))
  }

  @Test func whatCannotBeReadIsListed_withExitCodeTwo() async throws {
    try workspace.write("pdfs/broken.pdf", "no PDF at all")
    let run = await workspace.run("ingest", "--plan", workspace.pdfs)
    #expect(run.exitCode == 2)
    #expect(run.output.contains("1 cannot be read") && run.output.contains("(pdf.not_a_pdf)"), "\(run.output)")
  }

  @Test func pricesOfTheTableAreUsed() async throws {
    let prices = try workspace.write("prices.yaml", "prices: {all-MiniLM-L6-v2: {input: 0.5, output: 0}}\n")
    let plan = try await workspace.run("ingest", "--plan", "--json", "--config", prices, workspace.pdfs).object()
    let cost = try #require(plan["cost"] as? [String: Any])
    let tokens = try #require(plan["tokens"] as? Int)
    #expect(abs((cost["usd"] as? Double ?? 0) - 0.5 * Double(tokens) / 1000) < 1e-9)
  }

  @Test(arguments: [["--sample", "3"], ["--plan", "--rebuild"], ["--plan", "--sync", "pdfs"]])
  func optionsThatDoNotFitAreRefused(_ options: [String]) async {
    #expect(await workspace.run(["ingest"] + options).exitCode == 64)
  }
}
