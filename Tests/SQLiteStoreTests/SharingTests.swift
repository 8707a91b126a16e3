import Core
import FoundationEssentials
import QuarryTesting
import SQLite
import SQLiteStore
import Testing

/// Several openings of one file stand for several processes: they share nothing but the file.
@Suite struct SharingTests {
  private let folder = TemporaryFolder()

  private func dense(
    _ index: SQLiteDocumentIndex, _ text: String, embedder: FakeEmbedder = FakeEmbedder()
  ) async throws -> [DocumentID] {
    let found = try await index.candidates(
      for: CandidateRequest(
        embedding: embedder.embedding(of: text), identity: embedder.identity, lexicalText: nil, trigramText: nil,
        filter: .init(), depth: 10))
    return found.legs[.dense]?.map(\.document) ?? []
  }

  @Test func seesCommitsDeletionsAndSwitches_ofAnotherProcess() async throws {
    defer { folder.remove() }
    let writing = try await SQLiteDatabase.open(folder.database)
    let reading = try await SQLiteDatabase.open(folder.database)
    let writer = SQLiteDocumentIndex(writing)
    let reader = SQLiteDocumentIndex(reading)
    let a = Sample.document("a.pdf")
    let b = Sample.document("b.pdf")
    #expect(try await dense(reader, "pump") == [])
    try await writer.commit(Sample.indexed(a, texts: ["pump"]))
    #expect(try await dense(reader, "pump") == [a.id])
    try await writer.commit(Sample.indexed(b, texts: ["pump", "pump water"]))
    #expect(try await dense(reader, "pump") == [a.id, b.id, b.id])
    try await writer.commit(Sample.indexed(a, texts: ["water"], stamp: "2"))
    #expect(try await dense(reader, "pump").first == b.id)
    try await writer.delete(b.id, tombstone: false, now: Sample.date)
    #expect(try await dense(reader, "pump") == [a.id])
    let other = FakeEmbedder(model: "other")
    try await writer.commit(Sample.indexed(a, texts: ["water"], embedder: other))
    #expect(try await dense(reader, "pump") == [a.id])
    try await writer.activate(other.identity)
    #expect(try await dense(reader, "pump", embedder: other) == [a.id])
    await writing.close()
    await reading.close()
  }

  @Test func opensOnce_whenManyMakeTheFileAtOnce() async throws {
    defer { folder.remove() }
    let path = folder.database
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask {
          let database = try await SQLiteDatabase.open(path)
          try await SQLiteDocumentIndex(database).commit(Sample.indexed(Sample.document("\(number).pdf")))
          await database.close()
        }
      }
      try await group.waitForAll()
    }
    let database = try await SQLiteDatabase.open(path)
    #expect(try await SQLiteDocumentIndex(database).collections() == [.default: 8])
    #expect(try await inspect(database).findings == [])
    await database.close()
  }

  @Test func loadsAnew_whenTheChangeLogNoLongerReachesBack() async throws {
    defer { folder.remove() }
    let writing = try await SQLiteDatabase.open(folder.database)
    let reading = try await SQLiteDatabase.open(folder.database)
    let writer = SQLiteDocumentIndex(writing)
    let reader = SQLiteDocumentIndex(reading)
    let documents = (0..<4).map { Sample.document("\($0).pdf") }
    try await writer.commit(Sample.indexed(documents[0], texts: ["pump"]))
    #expect(try await dense(reader, "pump").count == 1)
    for document in documents.dropFirst() { try await writer.commit(Sample.indexed(document, texts: ["pump"])) }
    try await writer.delete(documents[0].id, tombstone: false, now: Sample.date)
    try await writing.write { try $0.execute("DELETE FROM changes WHERE version < 5") }
    #expect(try await Set(dense(reader, "pump")) == Set(documents.dropFirst().map(\.id)))
    await writing.close()
    await reading.close()
  }

  @Test func readsWholeDocumentsOnly_whileAnotherWrites() async throws {
    defer { folder.remove() }
    let writing = try await SQLiteDatabase.open(folder.database)
    let reading = try await SQLiteDatabase.open(folder.database, readers: 3)
    let writer = SQLiteDocumentIndex(writing)
    let reader = SQLiteDocumentIndex(reading)
    let document = Sample.document()
    // Versions have 1, 2, 3 … chunks and their number in every text: a mixture would show.
    @Sendable func version(_ number: Int) -> IndexedDocument {
      Sample.indexed(
        Sample.document(content: "v\(number)"), texts: (0..<number).map { "pump version\(number) part\($0)" })
    }
    try await writer.commit(version(1))
    let commits = Task { for number in 2...40 { try await writer.commit(version(number)) } }
    let reads = (0..<3).map { _ in
      Task {
        var number = 0
        while number < 40 {
          let found = try await reader.candidates(
            for: CandidateRequest(
              embedding: FakeEmbedder().embedding(of: "pump"), identity: Sample.identity, lexicalText: "pump",
              trigramText: nil, filter: .init(), depth: 100))
          number = Int(found.version.number)
          #expect(found.legs[.dense]?.count == number)
          #expect(found.legs[.lexical]?.count == number)
          #expect(found.similarities.count == number)
        }
      }
    }
    try await commits.value
    for read in reads { try await read.value }
    #expect(try await reader.entry(document.id)?.chunkCount == 40)
    await writing.close()
    await reading.close()
  }

  @Test func changesNothing_whenCommitFailsHalfway() async throws {
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    let index = SQLiteDocumentIndex(database)
    let old = Sample.document(content: "one")
    try await index.commit(Sample.indexed(old, texts: ["pump", "turbine"]))
    try await database.write { connection in
      try connection.execute(
        """
        CREATE TRIGGER fault BEFORE INSERT ON vectors WHEN (SELECT count(*) FROM vectors) = 2
        BEGIN SELECT RAISE(ABORT, 'planted fault'); END
        """)
    }
    let new = Sample.indexed(Sample.document(content: "two"), texts: ["gate", "gauge", "sluice"], stamp: "2")
    await #expect(throws: StoreError.self) { try await index.commit(new) }
    #expect(try await index.entry(old.id)?.document.version == old.version)
    #expect(try await index.source(at: old.uri, collection: .default)?.stamp == "stamp-1")
    #expect(try await dense(index, "pump").count == 2)
    try await database.write { try $0.execute("DROP TRIGGER fault") }
    #expect(try await inspect(database).findings == [])
    try await index.commit(new)
    #expect(try await dense(index, "pump").count == 3)
    await database.close()
  }

  @Test func opensAsBefore_whenWriterDiedInsideATransaction() async throws {
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    let index = SQLiteDocumentIndex(database)
    let document = Sample.document()
    try await index.commit(Sample.indexed(document, texts: ["pump"]))
    let copy = TemporaryFolder()
    defer { copy.remove() }
    let (from, to) = (folder.database, copy.database)
    // Files as a kill leaves them: the transaction's pages are in the log (no cache, so they spill), uncommitted.
    try await database.maintain { connection in
      try connection.execute("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE")
      for number in 0..<500 {
        try connection.run(
          "INSERT INTO turns (caller, conversation, role, content, time) VALUES ('a', 'b', 'user', ?, 0)",
          String(repeating: "\(number) ", count: 400))
      }
      try connection.execute("DELETE FROM vectors")
      for suffix in ["", "-wal"] {
        try FileManager.default.copyItem(atPath: from + suffix, toPath: to + suffix)
      }
      try connection.execute("ROLLBACK")
    }
    let size = try Data(contentsOf: URL(filePath: to + "-wal")).count
    #expect(size > 300_000, "the uncommitted pages must be in the log for the test to mean anything")
    let opened = try await SQLiteDatabase.open(to)
    #expect(try await dense(SQLiteDocumentIndex(opened), "pump") == [document.id])
    #expect(try await inspect(opened).findings == [])
    let turns = try await opened.read { try $0.first("SELECT count(*) FROM turns") { $0.int(0) } }
    #expect(turns == 0)
    await opened.close()
    await database.close()
  }

  @Test func namesHolder_whenWriterWaitsTooLong() async throws {
    defer { folder.remove() }
    let holding = try await SQLiteDatabase.open(folder.database)
    let waiting = try await SQLiteDatabase.open(folder.database, busyTimeout: .milliseconds(50))
    try await holding.maintain { try $0.execute("BEGIN IMMEDIATE") }
    let error = await #expect(throws: StoreError.self) {
      try await SQLiteDocumentIndex(waiting).commit(Sample.indexed())
    }
    #expect(error?.code == "store.busy" && error?.category == .unavailable)
    #expect(error?.message.contains("this process itself") == true, "\(error?.message ?? "")")
    // Reading goes on meanwhile.
    #expect(try await SQLiteDocumentIndex(waiting).collections().isEmpty)
    try await holding.maintain { try $0.execute("ROLLBACK") }
    try await SQLiteDocumentIndex(waiting).commit(Sample.indexed())
    await holding.close()
    await waiting.close()
  }

  @Test func findsHolder_inTheKernelsListOfLocks() {
    let locks = """
      1: POSIX  ADVISORY  WRITE 4711 00:2f:123456 120 120
      1: -> POSIX  ADVISORY  WRITE 999 00:2f:123456 120 120
      2: POSIX  ADVISORY  READ  12 00:2f:123456 123 123
      3: POSIX  ADVISORY  WRITE 13 00:2f:654321 120 120
      4: FLOCK  ADVISORY  WRITE 14 00:2f:123456 0 EOF
      5: POSIX  ADVISORY  WRITE 15 00:2f:123456 128 EOF
      """
    #expect(LockHolder.processes(holding: 120, inode: 123_456, in: locks) == [4_711])
    #expect(LockHolder.processes(holding: 130, inode: 123_456, in: locks) == [15])
  }

  @Test func changesNothing_whenDiskIsFull() async throws {
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    let index = SQLiteDocumentIndex(database)
    let document = Sample.document()
    try await index.commit(Sample.indexed(document, texts: ["pump"]))
    let version = try await index.version()
    // SQLite reports a full disk and a full page limit alike.
    try await database.maintain { connection in
      let pages = try connection.pragma("page_count")
      try connection.execute("PRAGMA max_page_count = \(pages + 20)")
    }
    let large = Sample.indexed(
      Sample.document("large.pdf"), texts: (0..<200).map { "gate \($0) " + DocumentIndexSamples.filler })
    let error = await #expect(throws: StoreError.self) { try await index.commit(large) }
    #expect(error?.code == "store.full" && error?.category == .storageFull)
    #expect(try await index.version() == version)
    #expect(try await dense(index, "pump") == [document.id])
    #expect(try await index.collections() == [.default: 1])
    #expect(try await inspect(database).findings == [])
    try await database.maintain { try $0.execute("PRAGMA max_page_count = 1000000") }
    try await index.commit(large)
    #expect(try await index.collections() == [.default: 2])
    await database.close()
  }

  @Test func interruptsQuery_whenCancelled_andStaysUsable() async throws {
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database, readers: 1)
    let endless = Task {
      try await database.read { connection in
        try connection.first(
          "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        ) { $0.int(0) }
      }
    }
    try await Task.sleep(for: .milliseconds(30))
    endless.cancel()
    await #expect(throws: CancellationError.self) { try await endless.value }
    #expect(try await SQLiteDocumentIndex(database).collections().isEmpty)
    await database.close()
  }
}
