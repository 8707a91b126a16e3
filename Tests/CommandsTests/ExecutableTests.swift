import Commands
import Foundation
import Testing

/// The real programs, where a process is needed: signals, pipes, ports.
@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"), .serialized)
struct ExecutableTests {
  let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private func process(_ arguments: [String]) -> (process: Process, output: Pipe, error: Pipe) {
    let process = Process()
    process.executableURL = buildFolder.appendingPathComponent("quarry")
    process.arguments = arguments
    process.environment = workspace.environment
    let (output, error) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = error
    process.standardInput = FileHandle.nullDevice
    return (process, output, error)
  }

  private func text(_ pipe: Pipe) -> String {
    String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }

  /// Eight documents, more than are in work at once.
  private func writeMany() throws {
    for document in 1...8 {
      let pages = (1...2).map { page in
        (1...40).map { "Sentence \($0) on page \(page) of document \(document) speaks of pears and weirs." }
      }
      try workspace.write("pdfs/\(document).pdf", TextPDF.make(pages))
    }
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGKILL]) func anInterruptedIngestIsResumedInFull(signal: Int32) async throws {
    try writeMany()
    let (process, output, error) = process(["ingest", workspace.pdfs])
    try process.run()
    // The first line tells that work is under way.
    let first = error.fileHandleForReading.availableData
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    _ = text(output)
    let told = String(decoding: first, as: UTF8.self) + text(error)
    if signal == SIGKILL {
      #expect(process.terminationReason == .uncaughtSignal)
    } else {
      #expect(process.terminationStatus == ExitCode.cancelled)
      #expect(told.hasSuffix("quarry: interrupted\n"))
    }
    let again = await workspace.run("ingest", workspace.pdfs)
    #expect(again.exitCode == 0, "\(again.output)\(again.error)")
    let list = await workspace.run("documents", "list")
    #expect(list.output.split(separator: "\n").count == 8)
    #expect(await workspace.run("doctor").exitCode == 0)
  }

  @Test func aReaderThatLeavesIsNoError() async throws {
    try workspace.write("pdfs/weir.pdf", TextPDF.weir)
    _ = await workspace.run("ingest", workspace.pdfs)
    let (process, output, error) = process(["ask", "How high is the weir's crest?"])
    try output.fileHandleForReading.close()
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
    #expect(text(error) == "")
  }

  @Test func aPortInUseIsNamed_andServeEndsOnSIGTERM() async throws {
    let (first, _, firstError) = process(["serve", "--port", "0"])
    try first.run()
    let line = String(decoding: firstError.fileHandleForReading.availableData, as: UTF8.self)
    let port = try #require(line.firstMatch(of: /127\.0\.0\.1:(\d+)/)?.1)
    let second = await workspace.run("serve", "--port", String(port))
    #expect(second.exitCode == ExitCode.unavailable, "\(second.error)")
    #expect(second.error.contains(String(port)))
    first.terminate()
    first.waitUntilExit()
    #expect(first.terminationStatus == 0)
  }
}
