import Core
import FoundationEssentials
import Glibc
import LocalModels
import Testing

/// A copy of the model's small files beside links to the large one, with a stamp that fits.
private final class ModelFolder {
  let path: String

  init() throws {
    path = try FileManager.default.temporaryDirectory(named: "quarry-model")
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ contents: String) throws {
    try Data(contents.utf8).write(to: URL(filePath: path + "/" + name))
  }

  /// Writes the stamp that `scripts/fetch-model` would write if the files' hashes were right.
  func stamp(hashes: [String: String] = [:]) throws {
    var text = "quarry-model 1\n"
    for (name, digest) in ModelFiles.digests {
      let file = try MappedFile(name: name, directory: path)
      let print = file.fingerprint
      text += "\(name) \(hashes[name] ?? digest) \(print.byteCount) \(print.modificationNanoseconds) \(print.inode)\n"
    }
    try write("stamp", text)
  }
}

extension FileManager {
  fileprivate func temporaryDirectory(named name: String) throws -> String {
    let path = temporaryDirectory.path + "/\(name)-\(UUID().uuidString)"
    try createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }
}

struct ModelFilesTests {
  private func code(_ folder: ModelFolder) -> LocalModelsError? {
    do {
      _ = try LocalEmbedder(files: ModelFiles(directory: folder.path))
      return nil
    } catch {
      return error
    }
  }

  private func filled() throws -> ModelFolder {
    let folder = try ModelFolder()
    for (name, _) in ModelFiles.digests { try folder.write(name, "not a model") }
    try folder.stamp()
    return folder
  }

  @Test func namesTheCommand_whenNothingIsThere() throws {
    let folder = try ModelFolder()
    let error = try #require(code(folder))
    #expect(error.code == "model.missing")
    #expect(error.message.contains("model.safetensors"))
    #expect(error.message.contains(folder.path))
    #expect(error.remedy?.contains("make setup") == true)
    #expect(error.remedy?.contains("scripts/fetch-model") == true)
  }

  @Test func isMissing_whenTheFolderItselfIs() {
    let files = ModelFiles(directory: "/nonexistent/quarry")
    #expect(!files.isPresent)
    #expect(throws: LocalModelsError.self) { try files.open() }
  }

  @Test func isMissing_whenOneFileIs() throws {
    let folder = try filled()
    unlink(folder.path + "/vocab.txt")
    let error = try #require(code(folder))
    #expect(error.code == "model.missing")
    #expect(error.message.contains("vocab.txt"))
  }

  @Test func isChanged_whenAFileWasTouchedReplacedOrCut() throws {
    let touched = try filled()
    var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 5)]
    utimensat(AT_FDCWD, touched.path + "/config.json", &times, 0)
    #expect(code(touched)?.code == "model.changed")
    #expect(code(touched)?.remedy?.contains("make setup") == true)

    let cut = try filled()
    truncate(cut.path + "/model.safetensors", 3)
    #expect(code(cut)?.code == "model.changed")

    let replaced = try filled()
    try replaced.write("other", "not a model")
    rename(replaced.path + "/other", replaced.path + "/vocab.txt")
    #expect(code(replaced)?.code == "model.changed")
  }

  @Test func isChanged_whenTheStampIsAbsentForeignOrOfOtherWeights() throws {
    let absent = try filled()
    unlink(absent.path + "/stamp")
    #expect(code(absent)?.code == "model.changed")

    let foreign = try filled()
    try foreign.write("stamp", "hello\n")
    #expect(code(foreign)?.code == "model.changed")

    let other = try filled()
    try other.stamp(hashes: ["model.safetensors": String(repeating: "0", count: 64)])
    #expect(code(other)?.code == "model.changed")
  }

  @Test func isUnreadable_whenTheBytesAreNoModel() throws {
    #expect(code(try filled())?.code == "model.unreadable")
    #expect(throws: LocalModelsError.self) { try ModelFiles(directory: try filled().path).verify() }
  }

  @Test func expectsTheHashesThatTheScriptChecks() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let script = try String(contentsOf: root.appending(path: "scripts/fetch-model"), encoding: .utf8)
    for (name, digest) in ModelFiles.digests { #expect(script.contains("\"\(name)\": \"\(digest)\"")) }
  }

  @Test func looksInTheCacheDirectory() {
    let home = ["HOME": "/home/a"]
    #expect(
      ModelFiles.defaultDirectory(environment: home) == "/home/a/.cache/quarry/models/all-MiniLM-L6-v2")
    #expect(
      ModelFiles.defaultDirectory(environment: ["XDG_CACHE_HOME": "/c", "HOME": "/home/a"])
        == "/c/quarry/models/all-MiniLM-L6-v2")
    #expect(
      ModelFiles.defaultDirectory(environment: ["XDG_CACHE_HOME": "relative", "HOME": "/home/a"])
        == "/home/a/.cache/quarry/models/all-MiniLM-L6-v2")
  }

  @Test(Fixture.needsModel) func verifiesTheInstalledModelInFull() throws {
    try Fixture.modelFiles.verify()
  }
}
