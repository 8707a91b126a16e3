import Concurrency
import Core
import Foundation
import LocalFiles
import Testing

/// Real folders and the real kernel. Nothing here measures time: what must not be told is compared with something
/// told later.
@Suite(.timeLimit(.minutes(10))) struct DirectoryWatchTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A watched source; changes taken so far.
  private final class Watched: Sendable {
    let source: DirectorySource
    let watch: DirectoryWatch
    private let bell: Doorbell
    private let told = Locked(SourceChanges())

    init(
      _ path: String, settle: Duration = .seconds(2), limit: Int = .max, include: [String] = [], listed: Bool = true
    ) async throws {
      let bell = Doorbell()
      self.bell = bell
      source = try DirectorySource(
        path: path, collection: .default, include: include.map(PathPattern.init), settleTime: settle,
        debounce: .milliseconds(50))
      watch = try #require(await source.watch(folderLimit: limit) { bell.ring() })
      if listed { _ = try await source.list() }
    }

    /// Waits until all that was told so far satisfies `condition`, and returns it.
    @discardableResult
    func until(_ condition: (SourceChanges) -> Bool) async throws -> SourceChanges {
      while true {
        if let changes = await watch.take() {
          told.withLock { told in
            told.present = told.present.filter { old in !changes.present.contains { $0.uri == old.uri } }
            told.present += changes.present
            told.gone += changes.gone
            told.rootStamp = changes.rootStamp
            told.needsListing = told.needsListing || changes.needsListing
            told.shortfall = changes.shortfall ?? told.shortfall
          }
        }
        let all = told.withLock { $0 }
        if condition(all) { return all }
        try Task.checkCancellation()
        await bell.wait(until: .now + .milliseconds(200), clock: ContinuousClock())
      }
    }

    func forget() { told.withLock { $0 = SourceChanges() } }
  }

  private func uri(_ name: String) -> SourceURI { SourceURI(filePath: "\(folder.path)/\(name)") }

  private func move(_ from: String, _ to: String) throws {
    guard rename("\(folder.path)/\(from)", "\(folder.path)/\(to)") == 0 else { throw CocoaError(.fileWriteUnknown) }
  }

  private func makeOld(_ name: String) throws { _ = try run("touch", ["-d", "2020-01-01", "\(folder.path)/\(name)"]) }

  // MARK: Files

  @Test func aFileIsTold_whenItsWriterClosesIt_notBefore() async throws {
    let watched = try await Watched(folder.path)
    let slow = try #require(fopen("\(folder.path)/slow.pdf", "w"))
    fputs("%PDF", slow)
    fflush(slow)
    try folder.write("quick.pdf")
    let first = try await watched.until { $0.present.contains { $0.uri == uri("quick.pdf") } }
    #expect(first.present.map(\.uri) == [uri("quick.pdf")])
    #expect(try await watched.source.list().unsettled.contains(uri("slow.pdf")))
    fputs("-1.4", slow)
    fclose(slow)
    let second = try await watched.until { $0.present.count == 2 }
    #expect(second.present.last?.byteCount == 8)
    #expect(second.gone.isEmpty && !second.needsListing)
    await watched.watch.stop()
  }

  @Test func aFileThatIsReplacedByARename_isToldAsOneThatChanged() async throws {
    try folder.write("a.pdf", "old")
    let watched = try await Watched(folder.path)
    try folder.write(".a.pdf.xyz", "newer bytes")
    try folder.write("b.pdf.part", "others")
    try move(".a.pdf.xyz", "a.pdf")
    try move("b.pdf.part", "b.pdf")
    let changes = try await watched.until { told in
      told.present.contains { $0.uri == uri("b.pdf") }
        && told.present.contains { $0.uri == uri("a.pdf") && $0.byteCount == 11 }
    }
    #expect(changes.gone.isEmpty && !changes.needsListing)
    await watched.watch.stop()
  }

  @Test func aRenameIsToldWhole_withTheSameStamp() async throws {
    try folder.write("a.pdf")
    try makeOld("a.pdf")
    let watched = try await Watched(folder.path)
    let before = try #require(try await watched.source.list().objects.first)
    try move("a.pdf", "b.pdf")
    let changes = try await watched.until { !$0.present.isEmpty || !$0.gone.isEmpty }
    #expect(changes.gone == [uri("a.pdf")])
    #expect(changes.present.map(\.uri) == [uri("b.pdf")])
    #expect(changes.present.map(\.stamp) == [before.stamp])
    await watched.watch.stop()
  }

  @Test func aDeletionIsTold_withTheRootAsItStands() async throws {
    try folder.write("a.pdf")
    let watched = try await Watched(folder.path)
    let listing = try await watched.source.list()
    try FileManager.default.removeItem(atPath: "\(folder.path)/a.pdf")
    let changes = try await watched.until { !$0.gone.isEmpty }
    #expect(changes.gone == [uri("a.pdf")])
    #expect(changes.rootStamp == listing.rootStamp)
    await watched.watch.stop()
  }

  @Test func whatTheRulesPassOverIsNotTold() async throws {
    let watched = try await Watched(folder.path, include: ["**/*.pdf"])
    for name in [".hidden.pdf", "a.pdf.part", "a.pdf.crdownload", "~$a.pdf", "note.txt", ".git/b.pdf"] {
      try folder.write(name)
    }
    try folder.write("z.pdf")
    let changes = try await watched.until { $0.present.contains { $0.uri == uri("z.pdf") } }
    #expect(changes.present.map(\.uri) == [uri("z.pdf")])
    #expect(changes.gone.isEmpty && !changes.needsListing)
    await watched.watch.stop()
  }

  @Test func patternsHold() async throws {
    let watched = try await Watched(folder.path, include: ["reports/**"])
    try FileManager.default.createDirectory(atPath: "\(folder.path)/reports", withIntermediateDirectories: true)
    try folder.write("other.pdf")
    try folder.write("reports/a.pdf")
    let changes = try await watched.until { !$0.present.isEmpty }
    #expect(changes.present.map(\.uri) == [uri("reports/a.pdf")])
    await watched.watch.stop()
  }

  @Test func aSecondNameOfAFileIsTold_thoughNobodyClosesIt() async throws {
    try folder.write("a.pdf")
    let watched = try await Watched(folder.path)
    try FileManager.default.linkItem(atPath: "\(folder.path)/a.pdf", toPath: "\(folder.path)/b.pdf")
    try await watched.until { $0.present.contains { $0.uri == uri("b.pdf") } }
    await watched.watch.stop()
  }

  // MARK: Folders

  @Test func newFoldersAreWatched_whateverWasPutThereFirst() async throws {
    let watched = try await Watched(folder.path, settle: .milliseconds(50))
    for number in 0..<20 { try folder.write("new/\(number)/deep/a.pdf") }
    try await watched.until { $0.present.count == 20 }
    try folder.write("new/7/deep/later.pdf")
    try await watched.until { $0.present.contains { $0.uri == uri("new/7/deep/later.pdf") } }
    await watched.watch.stop()
  }

  @Test func aRenamedFolderIsToldWhole_andWatchedOn() async throws {
    for name in ["old/1.pdf", "old/sub/2.pdf"] {
      try folder.write(name)
      try makeOld(name)
    }
    let watched = try await Watched(folder.path)
    let stamps = Set(try await watched.source.list().objects.map(\.stamp))
    try move("old", "new")
    let changes = try await watched.until { $0.present.count == 2 }
    #expect(changes.gone == [uri("old")])
    #expect(Set(changes.present.map(\.uri)) == [uri("new/1.pdf"), uri("new/sub/2.pdf")])
    #expect(Set(changes.present.map(\.stamp)) == stamps)
    try folder.write("new/sub/3.pdf")
    try await watched.until { $0.present.contains { $0.uri == uri("new/sub/3.pdf") } }
    await watched.watch.stop()
  }

  @Test func aFolderThatWasMovedAwayIsGone_andNotWatchedOn() async throws {
    for name in ["root/a/1.pdf", "root/b/2.pdf"] {
      try folder.write(name)
      try makeOld(name)
    }
    try folder.write("outside/x.txt")
    let watched = try await Watched("\(folder.path)/root")
    try move("root/a", "outside/a")
    try await watched.until { $0.gone == [uri("root/a")] }
    try folder.write("outside/a/3.pdf")
    try folder.write("root/b/4.pdf")
    let changes = try await watched.until { !$0.present.isEmpty }
    #expect(changes.present.map(\.uri) == [uri("root/b/4.pdf")])
    await watched.watch.stop()
  }

  @Test func aTreeThatIsRemovedIsOneBurst() async throws {
    for number in 0..<40 { try folder.write("root/tree/\(number % 4)/\(number).pdf") }
    let watched = try await Watched("\(folder.path)/root", settle: .milliseconds(500))
    _ = try run("rm", ["-rf", "\(folder.path)/root/tree"])
    let changes = try await watched.until { $0.gone.contains(uri("root/tree")) || $0.needsListing }
    // All in one set, so that the guard sees what the whole would delete.
    #expect(changes.gone.filter { $0.name.hasSuffix(".pdf") }.count == 40)
    await watched.watch.stop()
  }

  @Test func nothingIsGone_whenTheRootIs() async throws {
    try folder.write("root/a.pdf")
    let watched = try await Watched("\(folder.path)/root")
    try move("root", "elsewhere")
    let changes = try await watched.until { $0.needsListing }
    #expect(changes.gone.isEmpty && changes.rootStamp == nil)
    // Back again, it is watched again by the listing.
    try folder.write("root/b.pdf")
    _ = try await watched.source.list()
    watched.forget()
    try folder.write("root/c.pdf")
    try await watched.until { $0.present.contains { $0.uri == uri("root/c.pdf") } }
    await watched.watch.stop()
  }

  @Test func aLinkNeedsAListing_andItsFolderIsWatchedThen() async throws {
    try folder.write("outside/a.pdf")
    try folder.write("root/b.pdf")
    let watched = try await Watched("\(folder.path)/root")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/root/link", withDestinationPath: "\(folder.path)/outside")
    try await watched.until { $0.needsListing }
    #expect(try await watched.source.list().objects.contains { $0.uri == uri("root/link/a.pdf") })
    watched.forget()
    try folder.write("outside/later.pdf")
    try await watched.until { $0.present.contains { $0.uri == uri("root/link/later.pdf") } }
    try FileManager.default.removeItem(atPath: "\(folder.path)/root/link")
    try await watched.until { $0.gone.contains(uri("root/link")) }
    await watched.watch.stop()
  }

  @Test func aSingleFileCanBeWatched() async throws {
    let path = try folder.write("one.pdf", "old")
    try folder.write("other.pdf")
    let watched = try await Watched(path)
    try folder.write("other.pdf", "changed too")
    try folder.write(".one.pdf.new", "newer")
    try move(".one.pdf.new", "one.pdf")
    let changes = try await watched.until { $0.present.contains { $0.byteCount == 5 } }
    #expect(changes.present.map(\.uri) == [uri("one.pdf")])
    await watched.watch.stop()
  }

  // MARK: Limits

  @Test func lostEventsNeedAListing() async throws {
    let watched = try await Watched(folder.path)
    watched.watch.receive([InotifyEvent(watch: -1, kind: .overflow)])
    let changes = try await watched.until { $0.needsListing }
    #expect(changes.gone.isEmpty && changes.present.isEmpty)
    await watched.watch.stop()
  }

  @Test func tooManyFoldersAreToldOnce_withTheRemedy() async throws {
    for number in 0..<5 { try folder.write("\(number)/a.pdf") }
    let watched = try await Watched(folder.path, limit: 3)
    let changes = try await watched.until { $0.shortfall != nil }
    #expect(changes.shortfall?.code == "source.watch_limit")
    #expect(changes.shortfall?.remedy.contains("fs.inotify.max_user_watches") == true)
    watched.forget()
    #expect(try await watched.source.list().objects.count == 5)
    try folder.write("b.pdf")
    #expect(try await watched.until { !$0.present.isEmpty }.shortfall == nil)
    await watched.watch.stop()
  }

  // MARK: Files in writing

  @Test func aListingTellsFilesThatMayBeInWriting_andTheWatchTellsWhenTheyAreNot() async throws {
    try folder.write("old.pdf")
    try makeOld("old.pdf")
    try folder.write("new.pdf")
    // Not even a moment passes between the writing and the listing when the time is an hour.
    let hour = try await Watched(folder.path, settle: .seconds(3600), listed: false)
    #expect(try await hour.source.list().unsettled == [uri("new.pdf")])
    await hour.watch.stop()
    try folder.write("newer.pdf")
    _ = try run("touch", ["-d", "2099-01-01", "\(folder.path)/newer.pdf"])
    let moment = try await Watched(folder.path, settle: .milliseconds(100), listed: false)
    #expect(try await moment.source.list().unsettled.contains(uri("newer.pdf")))
    try await moment.until { $0.present.contains { $0.uri == uri("newer.pdf") } }
    await moment.watch.stop()
  }

  @Test func withoutAWatch_listingsTellByThemselves() async throws {
    try folder.write("a.pdf")
    _ = try run("touch", ["-d", "2099-01-01", "\(folder.path)/a.pdf"])
    let source = try DirectorySource(path: folder.path, collection: .default, settleTime: .milliseconds(100))
    #expect(try await source.list().unsettled == [uri("a.pdf")])
    while try await !source.list().unsettled.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
    // A person who names a file says that it is complete.
    let asked = try DirectorySource(path: folder.path, collection: .default)
    #expect(try await asked.list().unsettled.isEmpty)
  }

  @Test func anObjectIsDescribedByTheRulesOfTheListing() async throws {
    for name in ["a.pdf", ".h.pdf", "sub/.git/b.pdf", "c.txt", "d.pdf.part"] { try folder.write(name) }
    let source = try DirectorySource(path: folder.path, collection: .default)
    #expect(try await source.object(at: uri("a.pdf")) == source.list().objects.first)
    for name in [".h.pdf", "sub/.git/b.pdf", "c.txt", "d.pdf.part", "none.pdf"] {
      #expect(try await source.object(at: uri(name)) == nil)
    }
    #expect(try await source.object(at: SourceURI(filePath: "/etc/passwd")) == nil)
    _ = try run("rm", ["-rf", folder.path])
    await #expect(throws: LocalFilesError.self) { try await source.object(at: uri("a.pdf")) }
  }
}
