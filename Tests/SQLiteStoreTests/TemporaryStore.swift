import Core
import FoundationEssentials
import Glibc
import QuarryTesting
import SQLiteStore

/// A folder that a test may fill, removed by `remove()`.
struct TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/quarry-store-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("cannot make a folder: errno \(errno)") }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  var database: String { path + "/quarry.sqlite" }

  func remove() { _ = try? FileManager.default.removeItem(atPath: path) }
}

/// Runs `body` on a new database and removes it.
func withDatabase(
  readers: Int = 2, busyTimeout: Duration = .seconds(10), _ body: (SQLiteDatabase) async throws -> Void
) async throws {
  let folder = TemporaryFolder()
  defer { folder.remove() }
  let database = try await SQLiteDatabase.open(folder.database, readers: readers, busyTimeout: busyTimeout)
  try await body(database)
  await database.close()
}

/// Checks a store that ``Sample`` filled, by a connection of its own.
func inspect(_ database: SQLiteDatabase) async throws -> IntegrityReport { try await inspect(database.path) }

/// Checks a store that ``Sample`` filled.
func inspect(_ path: String) async throws -> IntegrityReport {
  // On a loaded machine FTS5's own check may be slow to get its turn.
  try await SQLiteStoreInspection(path: path, writerTime: .seconds(60)).inspect(rules: Sample.rules) { _ in }
}
