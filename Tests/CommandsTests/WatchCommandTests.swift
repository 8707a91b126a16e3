import Commands
import Concurrency
import Foundation
import Testing

@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"), .serialized, .timeLimit(.minutes(5)))
struct WatchCommandTests {
  let workspace: Workspace

  init() throws {
    workspace = try Workspace([
      "QUARRY_WATCH_SETTLE_TIME": "100ms", "QUARRY_WATCH_DEBOUNCE": "50ms", "QUARRY_EVENTS_ENABLED": "false",
    ])
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
  }

  /// The documents' ids by path below the workspace.
  private func documents() async throws -> [String: String] {
    let list = try await workspace.run("documents", "list", "--json").object()
    var ids: [String: String] = [:]
    for case let document as [String: Any] in list["documents"] as? [Any] ?? [] {
      let uri = document["uri"] as? String ?? ""
      ids[String(uri.dropFirst("file://\(workspace.folder.path)/".count))] = document["id"] as? String
    }
    return ids
  }

  @Test func theIndexFollowsTheFolder() async throws {
    let watch = try RunningQuarry(["watch", workspace.pdfs], workspace.environment)
    try await watch.until("source is up to date")
    #expect(try await documents().keys.sorted() == ["pdfs/weir.pdf"])

    try workspace.write("pdfs/new/orchard.pdf", TextPDF.orchard)
    try await watch.until("document ingested", count: 2)
    let before = try await documents()

    try workspace.rename("pdfs/new", to: "pdfs/old")
    try await watch.until("document moved")
    let after = try await documents()
    #expect(after.keys.sorted() == ["pdfs/old/orchard.pdf", "pdfs/weir.pdf"])
    #expect(after["pdfs/old/orchard.pdf"] == before["pdfs/new/orchard.pdf"])

    try workspace.write("pdfs/.weir.tmp", TextPDF.make([["The weir was replaced by a lock in 1999."]]))
    _ = rename(workspace.path("pdfs/.weir.tmp"), workspace.path("pdfs/weir.pdf"))
    try await watch.until("document updated")
    #expect(try await documents() == after)

    // Deleted by a person, it stays away although its file is there and changes.
    let id = try #require(after["pdfs/weir.pdf"])
    #expect(await workspace.run("documents", "delete", id).exitCode == 0)
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
    kill(watch.process.processIdentifier, SIGHUP)
    try await watch.until("source is up to date", count: 2)
    #expect(try await documents().keys.sorted() == ["pdfs/old/orchard.pdf"])

    try workspace.remove("pdfs/old/orchard.pdf")
    try await watch.until("document deleted: its file is gone")
    #expect(try await documents().isEmpty)
    #expect(watch.stop() == 0, "\(watch.said)")
  }

  @Test func aFolderThatIsRemovedDeletesNothing() async throws {
    try workspace.write("pdfs/orchard.pdf", TextPDF.orchard)
    let watch = try RunningQuarry(["watch", workspace.pdfs], workspace.environment)
    try await watch.until("source is up to date")
    try workspace.remove("pdfs")
    try await watch.until("source cannot be kept up to date; trying again")
    #expect(try await documents().count == 2)
    #expect(watch.stop() == 0, "\(watch.said)")
    // Empty is no better than missing, until a person says so.
    try FileManager.default.createDirectory(atPath: workspace.pdfs, withIntermediateDirectories: true)
    let once = await workspace.run("watch", "--once", workspace.pdfs)
    #expect(once.exitCode == ExitCode.someDocumentsFailed)
    #expect(once.output.contains("kept 2 documents"))
    let forced = await workspace.run("watch", "--once", "--allow-mass-delete", workspace.pdfs)
    #expect(forced.exitCode == 0, "\(forced.error)")
    #expect(try await documents().isEmpty)
  }

  @Test func onceBringsTheIndexUpToDate_andExits() async throws {
    let first = await workspace.run("watch", "--once", workspace.pdfs)
    #expect(first.exitCode == 0, "\(first.error)")
    #expect(first.output.hasPrefix("Documents: 1 new\n"))
    try workspace.write("pdfs/bad.pdf", "no PDF at all")
    let second = await workspace.run("watch", "--once", "--json", workspace.pdfs)
    #expect(second.exitCode == ExitCode.someDocumentsFailed)
    let object = try second.object()
    #expect(object["unchanged"] as? Int == 1)
    #expect((object["failed"] as? [Any])?.count == 1)
    // A hopeless file is not read again by itself.
    let third = await workspace.run("watch", "--once", workspace.pdfs)
    #expect(third.exitCode == 0, "\(third.output)")
    #expect(third.output.contains("failed before and has not changed"))
  }

  @Test func nothingToWatchIsAnError() async throws {
    #expect(await workspace.run("watch").exitCode == ExitCode.configuration)
    #expect(await workspace.run("watch", workspace.path("none")).exitCode == ExitCode.notFound)
    #expect(await workspace.run("watch", "--collection", "law").exitCode == ExitCode.usage)
    #expect(await workspace.run("watch", "--interval", "x", workspace.pdfs).exitCode == ExitCode.configuration)
    #expect(await workspace.run("watch", "--once", "--interval", "1h", workspace.pdfs).exitCode == ExitCode.usage)
  }

  @Test func serveWatchesToo_andListsWhenAsked() async throws {
    try workspace.write(
      "quarry.yaml", "sources:\n  - uri: \(workspace.pdfs)\n    collection: water\nwatch:\n  interval: 1h\n")
    let serve = try RunningQuarry(
      ["serve", "--watch", "--port", "0", "--config", workspace.path("quarry.yaml")], workspace.environment)
    try await serve.until("source is up to date")
    let said = serve.said
    let port = try #require(said.firstMatch(of: /127\.0\.0\.1:(\d+)/)?.1)
    #expect(try post("http://127.0.0.1:\(port)/v1/ingestion/sync") == 202)
    try await serve.until("source is up to date", count: 2)
    #expect(serve.stop() == 0, "\(serve.said)")
  }

  /// The status of an empty POST.
  private func post(_ address: String) throws -> Int {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", address]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Int(String(decoding: data, as: UTF8.self)) ?? 0
  }
}
