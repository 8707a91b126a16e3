import Foundation

/// A folder that goes with the object; its path has no links.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("quarry-files-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    guard let resolved = realpath(folder.path, nil) else { throw CocoaError(.fileNoSuchFile) }
    defer { free(resolved) }
    path = String(cString: resolved)
  }

  deinit {
    // Folders that a test made unreadable could not be emptied otherwise.
    _ = try? run("chmod", ["-R", "u+rwX", path])
    _ = try? run("rm", ["-rf", path])
  }

  /// Writes a file and the folders above it, and returns its path.
  @discardableResult
  func write(_ name: String, _ text: String = "%PDF-1.4") throws -> String {
    let file = "\(path)/\(name)"
    let folder = (file as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// Every file below, relative to the folder, sorted.
  func files() -> [String] {
    let enumerator = FileManager.default.enumerator(atPath: path)
    var files: [String] = []
    while let name = enumerator?.nextObject() as? String {
      if enumerator?.fileAttributes?[.type] as? FileAttributeType == .typeRegular { files.append(name) }
    }
    return files.sorted()
  }
}

struct CommandFailed: Error, CustomStringConvertible {
  let description: String
}

/// Runs a command of the system and returns what it wrote; throws unless it succeeds.
func run(_ command: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [command] + arguments
  let output = Pipe()
  let errors = Pipe()
  process.standardOutput = output
  process.standardError = errors
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  let complaint = errors.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw CommandFailed(
      description:
        "\(command) \(arguments): \(process.terminationStatus), \(String(decoding: complaint, as: UTF8.self))")
  }
  return String(decoding: data, as: UTF8.self)
}
