import Core
import FoundationEssentials
import Glibc
import QuarryTesting
import SQLiteStore
import Testing

@Suite(.enabled(if: SmallDisk.isPermitted, "needs the right to mount a file system in memory"))
struct DiskFaultTests {
  private func document(_ number: Int) -> IndexedDocument {
    Sample.indexed(
      Sample.document("\(number).pdf"),
      texts: (0..<100).map { "Page \($0) of \(number). " + DocumentIndexSamples.filler })
  }

  private func found(_ index: SQLiteDocumentIndex) async throws -> Int {
    try await index.candidates(
      for: CandidateRequest(
        embedding: FakeEmbedder().embedding(of: "pump"), identity: Sample.identity, lexicalText: "pump",
        trigramText: nil, filter: .init(), depth: 10)
    ).legs[.lexical]?.count ?? 0
  }

  @Test func aFullDiskChangesNothing_saysSo_andWorkGoesOnWithSpace() async throws {
    let disk = try SmallDisk(mebibytes: 24)
    let path = disk.path + "/quarry.sqlite"
    let database = try await SQLiteDatabase.open(path)
    let index = SQLiteDocumentIndex(database)
    try await index.commit(document(0))
    try disk.fill(sparing: 64 << 10)
    let version = try await index.version()
    let error = await #expect(throws: StoreError.self) {
      for number in 1..<20 { try await index.commit(document(number)) }
    }
    #expect(error?.code == "store.full" && error?.category == .storageFull, "\(String(describing: error))")
    #expect(error?.remedy != nil)
    // Reading goes on, and nothing is half indexed.
    #expect(try await found(index) > 0)
    #expect(try await index.version() >= version)
    let report = try await inspect(path)
    #expect(report.isSound && !report.needsRepair, "\(report.findings)")
    disk.empty()
    for number in 1..<4 { try await index.commit(document(number)) }
    #expect(try await index.collections() == [.default: 4])
    #expect(try await inspect(path).findings == [])
    await database.close()
  }

  @Test func aBackupToAFullDiskFailsCleanly() async throws {
    let disk = try SmallDisk(mebibytes: 1)
    try await withDatabase { database in
      let index = SQLiteDocumentIndex(database)
      for number in 0..<12 { try await index.commit(document(number)) }
      let error = await #expect(throws: StoreError.self) {
        try await database.backUp(to: disk.path + "/copy.sqlite", replaces: false) { _ in }
      }
      #expect(error?.category == .storageFull, "\(String(describing: error))")
      #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path).isEmpty)
    }
  }

  @Test func aReadOnlyDiskIsReadFrom_andAWriteSaysWhy() async throws {
    let disk = try SmallDisk(mebibytes: 8)
    let path = disk.path + "/quarry.sqlite"
    do {
      let database = try await SQLiteDatabase.open(path)
      try await SQLiteDocumentIndex(database).commit(document(0))
      await database.close()
    }
    try #require(disk.makeReadOnly())
    let database = try await SQLiteDatabase.open(path)
    let index = SQLiteDocumentIndex(database)
    #expect(try await found(index) > 0)
    let error = await #expect(throws: StoreError.self) { try await index.commit(document(1)) }
    #expect(error?.code == "store.read_only", "\(String(describing: error))")
    #expect(error?.message.contains(path) == true && error?.remedy != nil)
    #expect(try await found(index) > 0)
    let report = try await inspect(path)
    #expect(report.isSound && !report.needsRepair, "\(report.findings)")
    await database.close()
  }

  @Test func aNewStoreOnAReadOnlyDiskIsRefusedClearly() async throws {
    let disk = try SmallDisk(mebibytes: 1)
    try #require(disk.makeReadOnly())
    let error = await #expect(throws: StoreError.self) { try await SQLiteDatabase.open(disk.path + "/quarry.sqlite") }
    #expect(error?.category == .invalidConfiguration, "\(String(describing: error))")
  }
}
