import Core
import FoundationEssentials
import QuarryTesting
import SQLite
import SQLiteStore
import Testing

@Suite struct OpeningTests {
  private let folder = TemporaryFolder()

  private func openingError(_ path: String? = nil, mustExist: Bool = false) async -> StoreError? {
    do {
      let database = try await SQLiteDatabase.open(path ?? folder.database, mustExist: mustExist)
      await database.close()
      return nil
    } catch {
      return error as? StoreError
    }
  }

  private func write(_ bytes: [UInt8], to path: String? = nil) throws {
    try Data(bytes).write(to: URL(filePath: path ?? folder.database))
  }

  private func storeWithOneDocument() async throws {
    let database = try await SQLiteDatabase.open(folder.database)
    try await SQLiteDocumentIndex(database).commit(
      Sample.indexed(texts: (0..<50).map { "Page \($0) of the manual. " + DocumentIndexSamples.filler }))
    await database.close()
  }

  @Test func makesFileAndFolder_whenMissing() async throws {
    defer { folder.remove() }
    let path = folder.path + "/new/deep folder 🗄/quarry.sqlite"
    #expect(await openingError(path) == nil)
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func refusesMissingFile_whenItMustExist() async {
    defer { folder.remove() }
    let error = await openingError(mustExist: true)
    #expect(error?.code == "store.missing" && error?.category == .notFound)
    #expect(!FileManager.default.fileExists(atPath: folder.database))
  }

  @Test func takesEmptyFile_asANewStore() async throws {
    defer { folder.remove() }
    try write([])
    #expect(await openingError() == nil)
  }

  @Test func keepsContents_whenOpenedAgain() async throws {
    defer { folder.remove() }
    try await storeWithOneDocument()
    let database = try await SQLiteDatabase.open(folder.database, mustExist: true)
    let index = SQLiteDocumentIndex(database)
    #expect(try await index.activeIdentity() == Sample.identity)
    #expect(try await index.collections() == [.default: 1])
    #expect(try await index.version() == StoreVersion(1))
    await database.close()
  }

  @Test func refusesTextFile_andLeavesItAsItIs() async throws {
    defer { folder.remove() }
    let text = Array(String(repeating: "not a database\n", count: 500).utf8)
    try write(text)
    let error = await openingError()
    #expect(error?.code == "store.foreign" && error?.category == .corrupt)
    #expect(try [UInt8](Data(contentsOf: URL(filePath: folder.database))) == text)
  }

  @Test(arguments: [true, false])
  func refusesDatabaseOfAnotherApplication_andLeavesItAsItIs(usesLog: Bool) async throws {
    defer { folder.remove() }
    do {
      let other = try Connection(path: folder.database)
      if usesLog { try other.useWriteAheadLog() }
      try other.execute("PRAGMA application_id = 42; CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)")
    }
    let before = try Data(contentsOf: URL(filePath: folder.database))
    let error = await openingError()
    #expect(error?.code == "store.foreign")
    #expect(try Data(contentsOf: URL(filePath: folder.database)) == before)
  }

  @Test func refusesDatabaseWithoutOwner_whenItHasTables() async throws {
    defer { folder.remove() }
    try Connection(path: folder.database).execute("CREATE TABLE theirs (a)")
    #expect(await openingError()?.code == "store.foreign")
  }

  @Test func refusesNewerSchema_namingBothVersions() async throws {
    defer { folder.remove() }
    try await storeWithOneDocument()
    try Connection(path: folder.database).execute("PRAGMA user_version = 99")
    let error = await openingError()
    #expect(error?.code == "store.newer_schema" && error?.category == .conflict)
    #expect(error?.message.contains("99") == true)
    #expect(error?.message.contains("\(StoreSchema.schema.version)") == true)
  }

  @Test func refusesFolder_namedAsStore() async {
    defer { folder.remove() }
    let error = await openingError(folder.path)
    #expect(error?.code == "store.cannot_open" && error?.category == .invalidConfiguration)
  }

  @Test func saysCorrupt_whenPagesAreOverwritten() async throws {
    defer { folder.remove() }
    try await storeWithOneDocument()
    var bytes = try [UInt8](Data(contentsOf: URL(filePath: folder.database)))
    // All but the first page, which has the header.
    for index in 4_096..<bytes.count { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
    try write(bytes)
    var caught = await openingError()
    if caught == nil {
      let database = try await SQLiteDatabase.open(folder.database)
      do {
        _ = try await SQLiteDocumentIndex(database).catalogue(collections: nil, state: nil, limit: 10, after: nil)
      } catch { caught = error as? StoreError }
      await database.close()
    }
    #expect(caught?.code == "store.corrupt" && caught?.category == .corrupt)
    #expect(caught?.remedy != nil)
  }

  @Test func saysCorrupt_whenFileIsTruncated() async throws {
    defer { folder.remove() }
    try await storeWithOneDocument()
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: folder.database)))
    try write(Array(bytes[..<(bytes.count / 4 / 4_096 * 4_096)]))
    let error = await openingError()
    #expect(error?.code == "store.corrupt")
  }

  @Test func saysCorrupt_whenVectorsAreLost() async throws {
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    let index = SQLiteDocumentIndex(database)
    try await index.commit(Sample.indexed())
    try await database.write { try $0.execute("DELETE FROM vectors") }
    let thrown = await #expect(throws: StoreError.self) {
      try await index.candidates(
        for: CandidateRequest(
          embedding: FakeEmbedder().embedding(of: "x"), identity: Sample.identity, lexicalText: nil,
          trigramText: nil, filter: .init(), depth: 3))
    }
    #expect(thrown?.code == "store.corrupt")
    await database.close()
  }
}

enum DocumentIndexSamples {
  /// Some hundred bytes of ordinary words.
  static let filler = String(
    repeating: "The operator checks the gate, the pump and the gauge every morning. ", count: 6)
}
