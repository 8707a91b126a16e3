import Core
import FoundationEssentials
import QuarryTesting
import SQLite
import SQLiteStore
import Testing

@Suite struct BackupTests {
  private let folder = TemporaryFolder()

  private var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
  }

  private func code(_ body: () async throws -> Void) async -> String? {
    do { try await body() } catch { return (error as? StoreError)?.code ?? "\(error)" }
    return nil
  }

  @Test func copiesAStoreThatIsWrittenMeanwhile() async throws {
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    let index = SQLiteDocumentIndex(database)
    try await index.commit(Sample.indexed(texts: (0..<200).map { "Page \($0). " + DocumentIndexSamples.filler }))
    let target = folder.path + "/copy.sqlite"
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for round in 0..<20 {
          try await index.commit(Sample.indexed(Sample.document("\(round).pdf"), texts: ["Round \(round)."]))
        }
      }
      group.addTask {
        let bytes = try await database.backUp(to: target, replaces: false) { _ in }
        #expect(bytes > 100_000)
      }
      try await group.waitForAll()
    }
    let report = try await inspect(target)
    #expect(report.findings == [])
    #expect((1...21).contains(report.examined["documents"] ?? 0))
    let copy = try await SQLiteDatabase.open(target, mustExist: true)
    try await SQLiteDocumentIndex(copy).commit(Sample.indexed(Sample.document("later.pdf")))
    await copy.close()
    await database.close()
    #expect(try names == ["copy.sqlite", "quarry.sqlite"])
  }

  @Test func refusesToReplace_unlessTold() async throws {
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    let target = folder.path + "/copy.sqlite"
    try Data("precious".utf8).write(to: URL(filePath: target))
    #expect(
      await code { _ = try await database.backUp(to: target, replaces: false) { _ in } } == "store.backup_exists")
    #expect(try Data(contentsOf: URL(filePath: target)) == Data("precious".utf8))
    _ = try await database.backUp(to: target, replaces: true) { _ in }
    #expect(try await inspect(target).findings == [])
    #expect(
      await code { _ = try await database.backUp(to: folder.database, replaces: true) { _ in } }
        == "store.backup_of_itself")
    await database.close()
    #expect(try names == ["copy.sqlite", "quarry.sqlite"])
  }

  @Test func leavesNothingBehind_whenItCannotBeMade() async throws {
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    #expect(
      await code { _ = try await database.backUp(to: folder.path + "/none/copy", replaces: false) { _ in } }
        == "store.system")
    let cancelled = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      _ = try await database.backUp(to: folder.path + "/copy", replaces: false) { _ in }
    }
    await #expect(throws: CancellationError.self) { try await cancelled.value }
    await database.close()
    #expect(try names == ["quarry.sqlite"])
  }

  @Test func bringsAnOlderStoreUpToDate_takingDamageFromTheReason() async throws {
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    var indexed = Sample.indexed(state: .incomplete)
    indexed.reason = "The file was cut."
    try await SQLiteDocumentIndex(database).commit(indexed)
    await database.close()
    do {
      let connection = try Connection(path: folder.database)
      try connection.execute(
        """
        DROP TABLE sketches; DROP INDEX attributes_by_value; ALTER TABLE spaces DROP COLUMN centre;
        ALTER TABLE spaces DROP COLUMN sketched; ALTER TABLE pages DROP COLUMN recognizer; ALTER TABLE pages DROP COLUMN recognition_confidence;
        ALTER TABLE texts DROP COLUMN damage; DROP INDEX embedding_cache_by_use;
        ALTER TABLE embedding_cache DROP COLUMN used; PRAGMA user_version = 2
        """)
    }
    #expect(try await inspect(folder.database).counts == ["store.outdated_schema": 1])
    let opened = try await SQLiteDatabase.open(folder.database)
    let found = try await SQLiteDocumentIndex(opened).extraction(
      of: indexed.document.version, pipeline: indexed.pipeline)
    #expect(found?.damage == "The file was cut.")
    #expect(try await inspect(opened).findings == [])
    await opened.close()
  }
}
