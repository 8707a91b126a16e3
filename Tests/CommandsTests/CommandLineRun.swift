import ArgumentParsing
import Commands
import Concurrency
import Foundation

/// Runs command lines in this process, in a data directory of their own.
struct CommandLineRun {
  /// What one command line did.
  struct Outcome {
    var code: Int32
    var output: String
    var errors: String
  }

  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  /// The reader is built beside the test bundle, because this target depends on it.
  static let reader = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appending(path: "quarry-pdf-reader").path
  /// The model's folder of the user, which the tests share.
  static let model: String = {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
    return cache + "/quarry/models/all-MiniLM-L6-v2"
  }()
  static let hasModel = FileManager.default.isReadableFile(atPath: model + "/stamp")

  let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "quarry-commands-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  func remove() {
    try? FileManager.default.removeItem(at: directory)
  }

  func callAsFunction(_ arguments: String..., input: String = "") async -> Outcome {
    let output = Locked("")
    let errors = Locked("")
    let context = CommandContext(
      output: { text in output.withLock { $0 += text } }, errorOutput: { text in errors.withLock { $0 += text } },
      input: { _ in input },
      environment: [
        "HOME": directory.path, "QUARRY_DATA_DIRECTORY": directory.path + "/data",
        "QUARRY_PDF_READER": Self.reader, "QUARRY_EMBEDDING_DIRECTORY": Self.model,
      ])
    let code = await QuarryTool.main(arguments: arguments, context: context)
    return Outcome(code: code, output: output.withLock { $0 }, errors: errors.withLock { $0 })
  }
}
