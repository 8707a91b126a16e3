import Core
import FoundationEssentials
import Glibc
import QuarryTesting
import SQLite
import SQLiteStore
import Testing

/// A real second process: this test program again, told by its environment to run one of the tests at the end.
private struct OtherProcess {
  static let variable = "QUARRY_STORE_TESTS_CHILD"
  /// The database that this process was started for; nil in the parent.
  static var databasePath: String? { getenv(variable).map { String(cString: $0) } }

  let id: pid_t

  init(running test: String, database: String) throws {
    let arguments = ["/proc/self/exe", "--testing-library", "swift-testing", "--filter", test]
    let environment = ["\(Self.variable)=\(database)", "PATH=/usr/bin:/bin"]
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
    var id: pid_t = 0
    let code = posix_spawn(&id, program, &actions, nil, &argv, &envp)
    try #require(code == 0, "cannot start \(program): \(code)")
    self.id = id
  }

  func kill() {
    var status: Int32 = 0
    Glibc.kill(id, SIGKILL)
    waitpid(id, &status, 0)
  }
}

/// Asks `condition` for at most 30 s.
private func waitUntil(_ condition: () async throws -> Bool) async throws {
  for _ in 0..<3_000 {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record("the other process did not get so far in 30 s")
}

/// Versions of one document have as many chunks as their number says.
private func version(_ number: Int) -> IndexedDocument {
  Sample.indexed(
    Sample.document(content: "v\(number)"),
    texts: (0..<(20 + number % 30)).map { "pump version\(number) part\($0) " + DocumentIndexSamples.filler })
}

@Suite(.serialized) struct OtherProcessTests {
  @Test func losesNothing_whenWriterIsKilled() async throws {
    let folder = TemporaryFolder()
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database)
    let index = SQLiteDocumentIndex(database)
    for round in 1...3 {
      let before = try await index.version()
      let child = try OtherProcess(running: "commitsForEver", database: folder.database)
      do {
        defer { child.kill() }
        try await waitUntil { try await index.version() > StoreVersion(before.number + 5) }
        try await Task.sleep(for: .milliseconds(7 * round))
      }
      #expect(try await inspect(database).findings == [])
      let found = try await index.candidates(
        for: CandidateRequest(
          embedding: FakeEmbedder().embedding(of: "pump"), identity: Sample.identity, lexicalText: "pump",
          trigramText: nil, filter: .init(), depth: 1_000))
      let entry = try #require(try await index.entry(Sample.document().id))
      #expect(entry.document.version == version(Int(found.version.number)).document.version)
      #expect(found.legs[.dense]?.count == entry.chunkCount)
      #expect(found.legs[.lexical]?.count == entry.chunkCount)
    }
    await database.close()
  }

  @Test func namesProcess_thatHoldsTheWritersLock() async throws {
    let folder = TemporaryFolder()
    defer { folder.remove() }
    let database = try await SQLiteDatabase.open(folder.database, busyTimeout: .milliseconds(50))
    let index = SQLiteDocumentIndex(database)
    let child = try OtherProcess(running: "holdsTheLockForEver", database: folder.database)
    defer { child.kill() }
    try await waitUntil { access(folder.path + "/held", F_OK) == 0 }
    let error = await #expect(throws: StoreError.self) { try await index.commit(Sample.indexed()) }
    #expect(error?.code == "store.busy")
    #expect(error?.message.contains("process \(child.id) (") == true, "\(error?.message ?? "")")
    #expect(error?.message.contains("holdsTheLockForEver") == true)
    await database.close()
  }

  // MARK: What the other process does

  @Test(.enabled(if: OtherProcess.databasePath != nil, "runs only in the process that a test starts"))
  func commitsForEver() async throws {
    let index = SQLiteDocumentIndex(try await SQLiteDatabase.open(try #require(OtherProcess.databasePath)))
    var number = Int(try await index.version().number)
    // Not quite for ever: a parent that died must not leave this running.
    while getppid() != 1 {
      number += 1
      try await index.commit(version(number))
    }
  }

  @Test(.enabled(if: OtherProcess.databasePath != nil, "runs only in the process that a test starts"))
  func holdsTheLockForEver() async throws {
    let path = try #require(OtherProcess.databasePath)
    let database = try await SQLiteDatabase.open(path)
    try await database.maintain { try $0.execute("BEGIN IMMEDIATE") }
    try Data().write(to: URL(filePath: String(path.dropLast("quarry.sqlite".count)) + "held"))
    while getppid() != 1 { try await Task.sleep(for: .milliseconds(200)) }
  }
}
