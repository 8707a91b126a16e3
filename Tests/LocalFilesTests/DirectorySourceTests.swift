import Core
import Foundation
import LocalFiles
import Testing

@Suite struct DirectorySourceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func list(
    _ path: String = "", include: [String] = [], exclude: [String] = []
  ) async throws -> SourceListing {
    try await DirectorySource(
      path: folder.path + path, collection: .default, include: include.map(PathPattern.init),
      exclude: exclude.map(PathPattern.init)
    ).list()
  }

  /// The objects' paths below the folder.
  private func names(_ listing: SourceListing) -> [String] {
    listing.objects.map { String($0.uri.rawValue.dropFirst("file://\(folder.path)/".count)) }
  }

  private func link(_ name: String, to target: String) throws {
    try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/\(name)", withDestinationPath: target)
  }

  @Test func takesPDFsOfAllFolders_whateverTheCaseOfTheSuffix() async throws {
    for name in ["b.pdf", "a.PDF", "sub/deep/c.Pdf", "note.txt", "pdf", "x.pdf.txt"] { try folder.write(name) }
    let listing = try await list()
    #expect(names(listing) == ["a.PDF", "b.pdf", "sub/deep/c.Pdf"])
    #expect(listing.skipped.isEmpty && listing.isComplete)
    #expect(listing.objects.allSatisfy { $0.collection == .default && $0.byteCount == 8 })
  }

  @Test func passesOverHiddenNames_withoutAWord() async throws {
    for name in [".a.pdf", ".git/b.pdf", "._c.pdf", "d/.e/f.pdf"] { try folder.write(name) }
    let listing = try await list()
    #expect(listing.objects.isEmpty && listing.skipped.isEmpty && listing.isComplete)
  }

  @Test(arguments: ["a.pdf.part", "a.pdf.crdownload", "A.PDF.TMP", "a.pdf~", "~$a.pdf", "a.pdf.filepart"])
  func passesOverUnfinishedFiles_withAReason(_ name: String) async throws {
    try folder.write(name)
    let listing = try await list()
    #expect(listing.objects.isEmpty)
    #expect(listing.skipped.map(\.code) == ["source.unfinished"])
    #expect(listing.skipped[0].name == "\(folder.path)/\(name)")
  }

  @Test(arguments: ["two  words.pdf", "line\nbreak.pdf", "🙂 emoji.pdf", "Größe.pdf", "100%20.pdf", "a'b\"c$d.pdf"])
  func takesAnyName(_ name: String) async throws {
    let path = try folder.write("x \n🙂/\(name)", "%PDF-1.7")
    let source = try DirectorySource(path: folder.path, collection: .default)
    let object = try #require(try await source.list().objects.first)
    #expect(object.uri.filePath == path)
    #expect(object.uri.name == name)
    let copy = try await source.fetch(object)
    #expect(copy.path == path && copy.byteCount == 8)
    // printf %PDF-1.7 | sha256sum
    #expect(try run("sha256sum", ["--zero", path]).hasPrefix(copy.version.rawValue))
  }

  @Test func keepsComposedAndDecomposedNamesApart() async throws {
    try folder.write("\u{E9}.pdf", "one")
    try folder.write("e\u{301}.pdf", "three")
    let listing = try await list()
    #expect(listing.objects.map(\.byteCount).sorted() == [3, 5])
    #expect(Set(listing.objects.map(\.uri)).count == 2)
  }

  @Test func namesFilesThatAreNotUTF8_andTakesTheOthers() async throws {
    try folder.write("good.pdf")
    _ = try run("python3", ["-c", "import sys; open(sys.argv[1].encode() + b'/caf\\xe9.pdf', 'w')", folder.path])
    let listing = try await list()
    #expect(names(listing) == ["good.pdf"])
    #expect(listing.skipped.map(\.code) == ["source.name_not_utf8"])
    #expect(listing.isComplete)
  }

  @Test func readsFoldersNamedLikePDFs_sayingSo() async throws {
    try folder.write("book.pdf/chapter.pdf")
    let listing = try await list()
    #expect(names(listing) == ["book.pdf/chapter.pdf"])
    #expect(listing.skipped.map(\.code) == ["source.not_a_file"])
  }

  @Test func namesPipesAndSockets() async throws {
    _ = try run("mkfifo", ["\(folder.path)/pipe.pdf", "\(folder.path)/other"])
    let listing = try await list()
    #expect(listing.objects.isEmpty && listing.skipped.map(\.code) == ["source.not_a_file"])
  }

  @Test func followsLinks_takingEachFileAndFolderOnce() async throws {
    let elsewhere = try TemporaryFolder()
    try elsewhere.write("out.pdf")
    try elsewhere.write("below/deep.pdf")
    try folder.write("z/real.pdf")
    try folder.write(".store/hidden.pdf")
    // Before what they lead to in order of names.
    try link("a.pdf", to: "z/real.pdf")
    try link("b", to: "z")
    try link("c.pdf", to: elsewhere.path + "/out.pdf")
    try link("d", to: elsewhere.path)
    try link("e.pdf", to: ".store/hidden.pdf")
    try link("f.txt", to: "z/real.pdf")
    let listing = try await list()
    #expect(names(listing) == ["d/below/deep.pdf", "d/out.pdf", "e.pdf", "z/real.pdf"])
    #expect(
      listing.skipped.map { "\($0.code) \(($0.name as NSString).lastPathComponent)" }
        == ["source.same_file b", "source.same_file a.pdf", "source.same_file c.pdf"])
    #expect(listing.isComplete)
  }

  @Test func endsOnLinkLoops_namingThem() async throws {
    try folder.write("sub/a.pdf")
    try link("sub/up", to: "..")
    try link("sub/self", to: "self")
    let listing = try await list()
    #expect(names(listing) == ["sub/a.pdf"])
    #expect(listing.skipped.map(\.code).sorted() == ["source.link_loop", "source.unreadable"])
    #expect(listing.isComplete)
  }

  @Test func isIncomplete_whenALinkLeadsNowhere() async throws {
    // The disk it leads to may only be unmounted: its documents must not be deleted.
    try folder.write("sub/a.pdf")
    try link("archive", to: "/nowhere/archive")
    let listing = try await list()
    #expect(names(listing) == ["sub/a.pdf"] && !listing.isComplete)
    #expect(listing.skipped.map(\.code) == ["source.unreadable"])
  }

  @Test(.timeLimit(.minutes(5))) func visitsFoldersOnce_howeverManyLinksLeadThere() async throws {
    // Two links from each of 30 folders to the next: 2^30 paths. (Linux follows 40 links in a path.)
    let elsewhere = try TemporaryFolder()
    for level in 0..<30 {
      let path = "\(elsewhere.path)/\(level)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for name in ["x", "y"] {
        try FileManager.default.createSymbolicLink(
          atPath: "\(path)/\(name)", withDestinationPath: "\(elsewhere.path)/\(level + 1)")
      }
    }
    try elsewhere.write("30/a.pdf")
    try link("start", to: "\(elsewhere.path)/0")
    #expect(try await list().objects.count == 1)
  }

  @Test func isIncomplete_whenAFolderCannotBeRead() async throws {
    guard geteuid() != 0 else { return }  // The superuser reads everything; see the next test.
    for (mode, name) in [("000", "closed"), ("444", "listable")] {
      try folder.write("\(name)/a.pdf")
      _ = try run("chmod", [mode, "\(folder.path)/\(name)"])
      #expect(try await !list().isComplete, "mode \(mode)")
      _ = try run("chmod", ["755", "\(folder.path)/\(name)"])
    }
    #expect(try await list().isComplete)
  }

  @Test func isIncomplete_whenPathsAreTooLongToLookAt() async throws {
    try folder.write("a.pdf")
    let program = """
      import os, sys
      os.chdir(sys.argv[1])
      for _ in range(25):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
      open("b.pdf", "w").close()
      """
    _ = try run("python3", ["-c", program, folder.path])
    let listing = try await list()
    #expect(names(listing) == ["a.pdf"])
    #expect(!listing.isComplete)
    #expect(listing.skipped.map(\.code) == ["source.unreadable"])
  }

  @Test func isIncomplete_whenFoldersAreTooDeep() async throws {
    try folder.write((0..<130).map { "\($0)/" }.joined() + "a.pdf")
    let listing = try await list()
    #expect(!listing.isComplete && listing.skipped.map(\.code) == ["source.too_deep"])
  }

  @Test func appliesPatterns_toPathsBelowTheRoot() async throws {
    for name in ["a.pdf", "drafts/b.pdf", "drafts/old/c.pdf", "reports/2024/d.pdf"] { try folder.write(name) }
    #expect(try await names(list(include: ["reports/**"])) == ["reports/2024/d.pdf"])
    #expect(try await names(list(exclude: ["drafts/**"])) == ["a.pdf", "reports/2024/d.pdf"])
    #expect(try await names(list(include: ["drafts/**"], exclude: ["c.*"])) == ["drafts/b.pdf"])
    #expect(try await names(list("/drafts", include: ["old/*"])) == ["drafts/old/c.pdf"])
  }

  @Test func takesASingleFile_whateverItsName() async throws {
    let path = try folder.write("scan.bin")
    let source = try DirectorySource(path: path, collection: .default)
    #expect(try await source.list().objects.map(\.uri) == [source.root])
  }

  @Test func resolvesLinksInItsRoot() throws {
    try folder.write("real/a.pdf")
    try link("linked", to: "real")
    let source = try DirectorySource(path: folder.path + "/linked/", collection: .default)
    #expect(source.root == SourceURI(filePath: folder.path + "/real"))
  }

  @Test func refusesARootThatIsMissing_andNoticesOneThatGoes() async throws {
    let error = #expect(throws: LocalFilesError.self) {
      try DirectorySource(path: folder.path + "/no\nwhere", collection: .default)
    }
    #expect(error?.code == "source.missing" && error?.category == .notFound)
    #expect(error?.message.contains("no\\nwhere") == true)
    try folder.write("sub/a.pdf")
    let source = try DirectorySource(path: folder.path + "/sub", collection: .default)
    let before = try await source.list().rootStamp
    #expect(try await source.list().rootStamp == before)
    _ = try run("mv", [folder.path + "/sub", folder.path + "/moved"])
    await #expect(throws: LocalFilesError.self) { try await source.list() }
    try folder.write("sub/a.pdf")
    #expect(try await source.list().rootStamp != before)
  }

  @Test func changesTheStamp_whenBytesOrFileChange() async throws {
    let path = try folder.write("a.pdf", "one")
    var stamps: Set<String> = [try await list().objects[0].stamp]
    #expect(try await list().objects[0].stamp == stamps.first)
    try folder.write("a.pdf", "three")
    stamps.insert(try await list().objects[0].stamp)
    _ = try run("touch", ["-d", "2020-01-01", path])
    stamps.insert(try await list().objects[0].stamp)
    _ = try run("sh", ["-c", "cp -p \"$1\" \"$1.new\" && mv \"$1.new\" \"$1\"", "sh", path])
    stamps.insert(try await list().objects[0].stamp)
    #expect(stamps.count == 4)
  }
}

@Suite struct FetchTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func code(_ body: () async throws -> Void) async -> String? {
    do {
      try await body()
      return nil
    } catch { return (error as? LocalFilesError)?.code }
  }

  @Test func namesWhatHappened_whenAFileCannotBeFetched() async throws {
    let path = try folder.write("a.pdf")
    let source = try DirectorySource(path: folder.path, collection: .default)
    let object = try #require(try await source.list().objects.first)
    try FileManager.default.removeItem(atPath: path)
    #expect(await code { _ = try await source.fetch(object) } == "source.vanished")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    #expect(await code { _ = try await source.fetch(object) } == "source.not_a_file")
    try FileManager.default.removeItem(atPath: path)
    _ = try run("mkfifo", [path])
    #expect(await code { _ = try await source.fetch(object) } == "source.not_a_file")
  }

  @Test func refusesAFileThatChangesWhileItIsRead() async throws {
    let path = try folder.write("a.pdf", String(repeating: "x", count: 16 << 20))
    let source = try DirectorySource(path: folder.path, collection: .default)
    let object = try #require(try await source.list().objects.first)
    let stop = Reports()
    let writer = Thread {
      guard let handle = FileHandle(forWritingAtPath: path) else { return }
      while stop.all.isEmpty {
        handle.seek(toFileOffset: 5)
        handle.write(Data([UInt8.random(in: 0...255)]))
      }
      stop.add("ended")
    }
    writer.start()
    // A busy machine may not let the writer write during one reading; among a thousand it does.
    var codes: Set<String> = []
    for _ in 0..<1000 where codes.isEmpty {
      if let code = await code({ _ = try await source.fetch(object) }) { codes.insert(code) }
    }
    #expect(codes == ["source.changed"])
    stop.add("stop")
    while stop.all.count < 2 { try await Task.sleep(for: .milliseconds(1)) }
    #expect(await code { _ = try await source.fetch(object) } == nil)
  }

  @Test func givesOriginalBytes_onlyWhileTheyAreTheIndexedVersion() async throws {
    let path = try folder.write("a.pdf", "one")
    let source = try DirectorySource(path: folder.path, collection: .default)
    let object = try #require(try await source.list().objects.first)
    let version = try await source.fetch(object).version
    let bytes = SourceFileBytes()
    #expect(try await bytes.file(for: version, uri: object.uri) == path)
    #expect(try await bytes.file(for: version, uri: object.uri) == path)
    try folder.write("a.pdf", "other")
    for _ in 0..<2 {
      #expect(await code { _ = try await bytes.file(for: version, uri: object.uri) } == "document.bytes_gone")
    }
    try folder.write("a.pdf", "one")
    #expect(try await bytes.file(for: version, uri: object.uri) == path)
    try FileManager.default.removeItem(atPath: path)
    #expect(await code { _ = try await bytes.file(for: version, uri: object.uri) } == "document.bytes_gone")
    let upload = SourceURI(rawValue: "upload://default/a.pdf")
    #expect(await code { _ = try await bytes.file(for: version, uri: upload) } == "document.bytes_gone")
  }
}
