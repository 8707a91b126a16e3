import Core
import SQLiteStore
import Testing

@Suite struct LeaseOwnerTests {
  @Test func tellsWorkersThatAreGoneFromThoseThatMayLive() async throws {
    try await withDatabase { database in
      let jobs = SQLiteJobStore(database)
      let own = jobs.makeOwner()
      #expect(!jobs.isGone(owner: own))
      var parts = own.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
      // The same number, given to another process.
      parts[3] = "1"
      #expect(jobs.isGone(owner: parts.joined(separator: "/")))
      // One in another container cannot be looked at.
      parts[1] = "0"
      #expect(!jobs.isGone(owner: parts.joined(separator: "/")))
      // Nothing outlives the machine's start.
      parts[0] = "another-boot"
      #expect(jobs.isGone(owner: parts.joined(separator: "/")))
      #expect(!jobs.isGone(owner: "a name of somebody else"))
    }
  }
}
