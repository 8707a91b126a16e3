import ArgumentParsing
import Commands
import Concurrency
import Foundation
import LocalModels

/// The root of the package.
let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// Where the programs of this build are: beside the tests.
let buildFolder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

/// Whether the built-in embedding model is on this machine.
let hasModel = ModelFiles(
  directory: ModelFiles.defaultDirectory(environment: ProcessInfo.processInfo.environment)
).isPresent

/// Said of a test that is passed over without the model.
let modelMissing = "the embedding model is missing; run 'make setup'"

/// What a run of `quarry` did.
struct Run: Sendable {
  var exitCode: Int32
  var output: String
  var error: String

  /// The output as one JSON object.
  func object() throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
  }
}

/// A home of its own in a temporary folder, with a library in it; removed with the object.
final class Workspace: Sendable {
  let folder: URL
  let environment: [String: String]

  init(_ variables: [String: String] = [:]) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("quarry-commands-\(UUID().uuidString)")
      .resolvingSymlinksInPath()
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("pdfs"), withIntermediateDirectories: true)
    let real = ProcessInfo.processInfo.environment
    var made = [
      "HOME": folder.path, "PATH": real["PATH"] ?? "/usr/bin:/bin",
      "QUARRY_PDF_READER": buildFolder.appendingPathComponent("quarry-pdf-reader").path,
      "QUARRY_EMBEDDING_DIRECTORY": ModelFiles.defaultDirectory(environment: real),
    ]
    made.merge(variables) { $1 }
    environment = made
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// The folder that tests ingest.
  var pdfs: String { path("pdfs") }

  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  @discardableResult
  func write(_ name: String, _ data: Data) throws -> String {
    let url = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: url)
    return url.path
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }

  func remove(_ name: String) throws { try FileManager.default.removeItem(at: folder.appendingPathComponent(name)) }

  func rename(_ name: String, to other: String) throws {
    try FileManager.default.moveItem(
      at: folder.appendingPathComponent(name), to: folder.appendingPathComponent(other))
  }

  /// Runs a command line in this process.
  func run(
    _ arguments: String..., input: String = "", isTerminal: Bool = false, adding: [String: String] = [:]
  ) async -> Run {
    await run(arguments, input: input, isTerminal: isTerminal, adding: adding)
  }

  /// Runs a command line in this process.
  func run(
    _ arguments: [String], input: String = "", isTerminal: Bool = false, adding: [String: String] = [:]
  ) async -> Run {
    let written = Locked((output: "", error: ""))
    let context = CommandContext(
      output: { text in written.withLock { $0.output += text } },
      errorOutput: { text in written.withLock { $0.error += text } }, input: { _ in input },
      environment: environment.merging(adding) { $1 }, width: 100, outputIsTerminal: isTerminal,
      errorIsTerminal: isTerminal, inputIsTerminal: isTerminal)
    let code = await QuarryTool.main(arguments: arguments, context: context)
    return written.withLock { Run(exitCode: code, output: $0.output, error: $0.error) }
  }
}
