import Concurrency
import Core
import Foundation
import SQLite
import SQLiteStore
import Testing

/// A connection is used by one thread at a time, however many tasks ask for it.
@Suite struct OneThreadTests {
  private struct Use {
    var now = 0
    var most = 0
  }

  /// Tasks that write, or read, at once, each staying in its call for a moment.
  private func mostAtOnce(
    _ call: @escaping @Sendable (_ body: @escaping @Sendable () -> Void) async throws -> Void
  ) async throws -> Int {
    let use = Locked(Use())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<32 {
        group.addTask {
          for _ in 0..<4 {
            try await call {
              use.withLock { use in
                use.now += 1
                use.most = max(use.most, use.now)
              }
              usleep(500)
              use.withLock { $0.now -= 1 }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    return use.withLock { $0.most }
  }

  @Test func writesNeverMeet() async throws {
    try await withDatabase { database in
      let most = try await mostAtOnce { body in
        try await database.write { connection in
          body()
          try connection.run("INSERT INTO collections (name) VALUES (?)", UUID().uuidString)
        }
      }
      #expect(most == 1)
      let report = try await inspect(database)
      #expect(report.errors == 0, "\(report.findings)")
    }
  }

  @Test func readsOfOneConnectionNeverMeet() async throws {
    try await withDatabase(readers: 1) { database in
      let most = try await mostAtOnce { body in try await database.read { _ in body() } }
      #expect(most == 1)
    }
  }
}
