public import Core
public import FoundationEssentials
import SQLite

/// Jobs as people and services look at them.
extension SQLiteJobStore {
  /// The job of a document that changed last.
  public func job(of document: DocumentID) async throws -> IngestionJob? {
    try await database.read { connection in
      try connection.first(
        "SELECT \(Self.columns) FROM jobs WHERE document = ? ORDER BY updated DESC, key DESC LIMIT 1",
        document.rawValue, row: Self.job)
    }
  }

  /// Jobs that are not ended below a root, the soonest due first.
  public func waiting(under root: SourceURI, limit: Int) async throws -> [IngestionJob] {
    try await database.read { connection in
      try connection.map(
        """
        SELECT \(Self.columns) FROM jobs WHERE state IN ('queued', 'running', 'retrying') AND \(Self.isUnder)
        ORDER BY CASE state WHEN 'queued' THEN 0 WHEN 'retrying' THEN coalesce(next_try, 0)
          ELSE coalesce(lease_until, 0) END, key LIMIT ?3
        """, root.rawValue, root.prefixOfDescendants, max(0, limit), row: Self.job)
    }
  }

  /// Whether a URI is ?1 or begins with ?2.
  private static let isUnder = "(uri = ?1 OR substr(uri, 1, length(?2)) = ?2)"

  /// A page of jobs, in the order they were first queued.
  public func jobs(
    in states: Set<JobState>, collections: Set<CollectionName>?, limit: Int, after cursor: String?
  ) async throws -> JobPage {
    let first = try Self.key(of: cursor)
    let words = try Stored.json(states.map(\.rawValue).sorted())
    let names = try collections.map { try Stored.json($0.map(\.rawValue).sorted()) }
    let limit = min(max(1, limit), 1000)
    let found = try await database.read { connection in
      try connection.map(
        """
        SELECT \(Self.columns), key FROM jobs WHERE key > ?1 AND state IN (SELECT value FROM json_each(?2))
          AND (?3 IS NULL OR collection IN (SELECT value FROM json_each(?3))) ORDER BY key LIMIT ?4
        """, first, words, names, limit + 1
      ) { (job: try Self.job($0), key: $0.integer(13)) }
    }
    let page = found.prefix(limit)
    return JobPage(jobs: page.map(\.job), next: found.count > limit ? page.last.map { String($0.key) } : nil)
  }

  private static func key(of cursor: String?) throws -> Int64 {
    guard let cursor else { return 0 }
    guard let key = Int64(cursor) else {
      throw StoreError(
        code: "store.invalid_cursor", category: .invalidInput, message: "the cursor is not one of a list of jobs",
        remedy: "Pass the cursor that the list before ended with.")
    }
    return key
  }

  /// Queues a job that was given up, or waits to be tried again, as if it were new.
  public func retry(_ uri: SourceURI, collection: CollectionName, now: Date) async throws -> Bool {
    try await database.write { connection in
      try connection.run(
        """
        UPDATE jobs SET state = 'queued', attempts = 0, next_try = NULL, error_code = NULL, error = NULL, updated = ?
        WHERE collection = ? AND uri = ? AND state IN ('parked', 'retrying')
        """, now.seconds, collection.rawValue, uri.rawValue) > 0
    }
  }

  /// What the jobs below a root say together.
  public func summary(under root: SourceURI?, collections: Set<CollectionName>?) async throws -> JobSummary {
    let names = try collections.map { try Stored.json($0.map(\.rawValue).sorted()) }
    let condition =
      "(?1 IS NULL OR \(Self.isUnder)) AND (?3 IS NULL OR collection IN (SELECT value FROM json_each(?3)))"
    return try await database.snapshot { connection in
      var summary = JobSummary()
      let rows = try connection.map(
        "SELECT state, count(*), min(updated), max(updated) FROM jobs WHERE \(condition) GROUP BY state",
        root?.rawValue, root?.prefixOfDescendants, names
      ) { (state: try Stored.word(JobState.self, $0.text(0), "state of a job"), $0.int(1), $0.date(2), $0.date(3)) }
      for (state, count, oldest, newest) in rows {
        summary.counts[state] = count
        switch state {
        case .queued, .retrying: summary.oldestWaiting = min(summary.oldestWaiting ?? oldest, oldest)
        case .done: summary.lastDone = newest
        case .running, .parked: break
        }
      }
      summary.lastFailure = try connection.first(
        """
        SELECT \(Self.columns) FROM jobs WHERE state IN ('parked', 'retrying') AND \(condition)
        ORDER BY updated DESC, key DESC LIMIT 1
        """, root?.rawValue, root?.prefixOfDescendants, names, row: Self.job)
      return summary
    }
  }
}
