import Core
import Foundation
import LocalFiles
import QuarryTesting
import Testing

@Suite struct DirectoryUploadStoreTests {
  private let folder: URL
  private let store: DirectoryUploadStore
  private let a = SourceURI(uploadNamed: "a.pdf", collection: .default)
  private let b = SourceURI(uploadNamed: "b.pdf", collection: .default)

  init() {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("quarry-uploads-\(UUID().uuidString)")
    store = DirectoryUploadStore(directory: folder.path, maximumBytes: 1000)
  }

  private func tidy() { try? FileManager.default.removeItem(at: folder) }

  @discardableResult
  private func keep(_ text: String, at uri: SourceURI, in store: DirectoryUploadStore? = nil) async throws
    -> UploadedContent
  {
    let receiver = try await (store ?? self.store).receive(expecting: nil)
    do {
      for piece in stride(from: 0, to: text.utf8.count, by: 7) {
        try await receiver.write(Array(Array(text.utf8).dropFirst(piece).prefix(7)))
      }
      return try await receiver.keep(for: uri)
    } catch {
      await receiver.discard()
      throw error
    }
  }

  private func files(_ part: String) -> [String] {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.appendingPathComponent(part).path)) ?? []
    return paths.filter { $0.contains(".p") }
  }

  @Test func keepsTheBytes_underTheirHash() async throws {
    defer { tidy() }
    let content = try await keep("%PDF-1.7 hello", at: a)
    #expect(content.byteCount == 14)
    #expect(content.version.rawValue == "2a916d83fa20d97c7c3c04cf07b2d3f8d18ea47f59c841a221dd3a81f15fc347")
    let copy = try await store.copy(of: content.version, uri: a)
    #expect(try String(contentsOfFile: copy.path, encoding: .utf8) == "%PDF-1.7 hello")
    #expect(copy.byteCount == 14 && !copy.isTemporary && copy.version == content.version)
    #expect(files("incoming").isEmpty)
  }

  @Test func keepsEachContentOnce_untilNoDocumentHasIt() async throws {
    defer { tidy() }
    let content = try await keep("the same", at: a)
    #expect(try await keep("the same", at: b) == content)
    #expect(try await keep("the same", at: a) == content)
    try await keep("another", at: a)
    #expect(files("contents").count == 2)
    try await store.forget(a)
    #expect(files("contents").count == 1)
    _ = try await store.copy(of: content.version, uri: b)
    try await store.forget(b)
    #expect(files("contents").isEmpty && files("documents").isEmpty)
    try await store.forget(b)
  }

  @Test func keepsEarlierVersions_asCitationsNeedThem() async throws {
    defer { tidy() }
    let first = try await keep("first", at: a)
    try await keep("second", at: a)
    #expect(try String(contentsOfFile: await store.copy(of: first.version, uri: a).path, encoding: .utf8) == "first")
  }

  @Test func doesNotGiveBytes_toDocumentsThatHaveOthers() async throws {
    defer { tidy() }
    let content = try await keep("secret", at: a)
    try await keep("mine", at: b)
    let thrown = await codeThrown { _ = try await store.copy(of: content.version, uri: b) }
    #expect(thrown?.code == "document.bytes_gone" && thrown?.category == .gone)
  }

  @Test func saysSo_whenStoredBytesHaveChanged() async throws {
    defer { tidy() }
    let content = try await keep("as it was", at: a)
    let path = try await store.copy(of: content.version, uri: a).path
    try Data("not so".utf8).write(to: URL(fileURLWithPath: path))
    let other = DirectoryUploadStore(directory: folder.path, maximumBytes: 1000)
    let thrown = await codeThrown { _ = try await other.copy(of: content.version, uri: a) }
    #expect(thrown?.code == "upload.damaged" && thrown?.category == .corrupt)
    // Sending it again mends it.
    try await keep("as it was", at: a)
    _ = try await other.copy(of: content.version, uri: a)
  }

  @Test func leavesNothing_ofWhatIsDiscardedOrForgotten() async throws {
    defer { tidy() }
    let receiver = try await store.receive(expecting: 10)
    try await receiver.write([1, 2, 3])
    #expect(files("incoming").count == 1)
    await receiver.discard()
    #expect(files("incoming").isEmpty)
    do {
      let dropped = try await store.receive(expecting: nil)
      try await dropped.write([1])
    }
    #expect(files("incoming").isEmpty)
    // Neither counts any more.
    try await keep(String(repeating: "x", count: 1000), at: a)
  }

  @Test func tidiesUpAfterProcessesThatDied_butNotAfterTheLiving() async throws {
    defer { tidy() }
    let living = try await store.receive(expecting: nil)
    try await living.write(Array("alive".utf8))
    let dead = folder.appendingPathComponent("incoming/dead.part")
    try Data("half of".utf8).write(to: dead)
    let content = try await keep("used", at: a)
    let unused = folder.appendingPathComponent("contents/00/" + String(repeating: "0", count: 64) + ".pdf")
    try FileManager.default.createDirectory(
      at: unused.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("nobody's".utf8).write(to: unused)
    try await DirectoryUploadStore(directory: folder.path, maximumBytes: 1000).removeUnfinished()
    #expect(!FileManager.default.fileExists(atPath: dead.path))
    #expect(!FileManager.default.fileExists(atPath: unused.path))
    _ = try await store.copy(of: content.version, uri: a)
    #expect(try await living.keep(for: b).byteCount == 5)
  }

  @Test func refusesBytes_beyondTheLimitOfAllUploads() async throws {
    defer { tidy() }
    try await keep(String(repeating: "x", count: 900), at: a)
    let announced = await codeThrown { _ = try await store.receive(expecting: 101) }
    #expect(announced?.code == "upload.space_used" && announced?.category == .storageFull)
    let sent = await codeThrown { try await keep(String(repeating: "y", count: 101), at: b) }
    #expect(sent?.code == "upload.space_used")
    #expect(files("incoming").isEmpty)
    // Another process makes room.
    try await DirectoryUploadStore(directory: folder.path, maximumBytes: 1000).forget(a)
    try await keep(String(repeating: "y", count: 1000), at: b)
  }

  @Test func refusesAtOnce_whatTheDiskCannotHold() async throws {
    defer { tidy() }
    let vast = DirectoryUploadStore(directory: folder.path, maximumBytes: .max / 2)
    let thrown = await codeThrown { _ = try await vast.receive(expecting: 1 << 60) }
    #expect(thrown?.code == "disk.full" && thrown?.category == .storageFull)
  }
}

/// The categorised error that `body` throws.
private func codeThrown(_ body: () async throws -> Void) async -> (any CategorizedError)? {
  do {
    try await body()
    Issue.record("nothing was thrown")
  } catch let error as any CategorizedError {
    return error
  } catch {
    Issue.record("\(error)")
  }
  return nil
}
