import Concurrency
public import Core
public import FoundationEssentials
import SQLite

/// The durable table of ingestion work.
public final class SQLiteJobStore: JobStore {
  let database: SQLiteDatabase

  /// Creates the job table of `database`.
  public init(_ database: SQLiteDatabase) { self.database = database }

  static let columns = """
    uri, collection, stamp, state, attempts, next_try, error_code, error, lease_owner, lease_until, stages, updated,
    document
    """

  static func job(_ row: Row) throws -> IngestionJob {
    IngestionJob(
      uri: SourceURI(rawValue: row.text(0)), collection: CollectionName(rawValue: row.text(1)), stamp: row.text(2),
      document: row.optionalText(12).map(DocumentID.init(rawValue:)),
      state: try Stored.word(JobState.self, row.text(3), "state of a job"), attempts: row.int(4),
      nextTry: row.optionalDate(5), lastErrorCode: row.optionalText(6), lastError: row.optionalText(7),
      leaseOwner: row.optionalText(8), leaseUntil: row.optionalDate(9),
      stageSeconds: try Stored.value([String: Double].self, row.text(10), "stage times"), updated: row.date(11))
  }

  /// Queues objects. Of equal stamp, queued, running and parked jobs stay as they are and a retrying one is due at
  /// once but keeps its count of tries; another stamp begins anew.
  public func enqueue(_ objects: [SourceObject], now: Date) async throws {
    guard !objects.isEmpty else { return }
    try await database.write { connection in
      for object in objects {
        try connection.run(
          """
          INSERT INTO jobs (collection, uri, stamp, state, attempts, stages, updated, document)
          VALUES (?1, ?2, ?3, 'queued', 0, '{}', ?4, ?5)
          ON CONFLICT (collection, uri) DO UPDATE SET
            attempts = CASE WHEN stamp = ?3 AND state = 'retrying' THEN attempts ELSE 0 END,
            error_code = CASE WHEN stamp = ?3 AND state = 'retrying' THEN error_code END,
            error = CASE WHEN stamp = ?3 AND state = 'retrying' THEN error END,
            stamp = ?3, state = 'queued', next_try = NULL, lease_owner = NULL, lease_until = NULL, stages = '{}',
            updated = ?4, document = coalesce(?5, document)
          WHERE stamp <> ?3 OR state NOT IN ('queued', 'running', 'parked')
          """, object.collection.rawValue, object.uri.rawValue, object.stamp, now.seconds,
          object.document?.rawValue)
      }
    }
  }

  /// Takes jobs that are due, or whose lease has ended, in the order they were first queued.
  public func lease(_ count: Int, owner: String, now: Date, leaseUntil: Date) async throws -> [IngestionJob] {
    guard count > 0 else { return [] }
    return try await database.write { connection in
      let keys = try connection.map(
        """
        SELECT key FROM jobs WHERE state = 'queued' OR (state = 'retrying' AND (next_try IS NULL OR next_try <= ?1))
          OR (state = 'running' AND (lease_until IS NULL OR lease_until <= ?1)) ORDER BY key LIMIT ?2
        """, now.seconds, count
      ) { $0.integer(0) }
      return try keys.compactMap { key in
        try connection.first(
          """
          UPDATE jobs SET state = 'running', attempts = attempts + 1, next_try = NULL, lease_owner = ?,
            lease_until = ?, updated = ? WHERE key = ? RETURNING \(Self.columns)
          """, owner, leaseUntil.seconds, now.seconds, key, row: Self.job)
      }
    }
  }

  /// Takes the job of one object under the same conditions.
  public func lease(
    _ uri: SourceURI, collection: CollectionName, owner: String, now: Date, leaseUntil: Date
  ) async throws -> IngestionJob? {
    try await database.write { connection in
      try connection.first(
        """
        UPDATE jobs SET state = 'running', attempts = attempts + 1, next_try = NULL, lease_owner = ?3,
          lease_until = ?4, updated = ?5
        WHERE collection = ?1 AND uri = ?2 AND (state = 'queued'
          OR (state = 'retrying' AND (next_try IS NULL OR next_try <= ?5))
          OR (state = 'running' AND (lease_until IS NULL OR lease_until <= ?5)))
        RETURNING \(Self.columns)
        """, collection.rawValue, uri.rawValue, owner, leaseUntil.seconds, now.seconds, row: Self.job)
    }
  }

  /// Extends a lease; false when it is no longer the owner's.
  public func extendLease(
    of uri: SourceURI, collection: CollectionName, owner: String, until: Date
  ) async throws -> Bool {
    try await database.write { connection in
      try connection.run(
        """
        UPDATE jobs SET lease_until = ? WHERE collection = ? AND uri = ? AND state = 'running' AND lease_owner = ?
        """, until.seconds, collection.rawValue, uri.rawValue, owner) > 0
    }
  }

  /// Marks a job done; the word of a worker that lost its lease changes nothing.
  public func complete(
    _ uri: SourceURI, collection: CollectionName, owner: String, stageSeconds: [String: Double], now: Date
  ) async throws {
    let stages = try Stored.json(stageSeconds)
    try await database.write { connection in
      try connection.run(
        """
        UPDATE jobs SET state = 'done', stages = ?, error_code = NULL, error = NULL, lease_owner = NULL,
          lease_until = NULL, updated = ?
        WHERE collection = ? AND uri = ? AND state = 'running' AND lease_owner = ?
        """, stages, now.seconds, collection.rawValue, uri.rawValue, owner)
    }
  }

  /// Records a failure: tried again at `nextTry`, or parked when that is nil.
  public func fail(
    _ uri: SourceURI, collection: CollectionName, owner: String, code: String, message: String, nextTry: Date?,
    now: Date
  ) async throws {
    try await database.write { connection in
      try connection.run(
        """
        UPDATE jobs SET state = ?, next_try = ?, error_code = ?, error = ?, lease_owner = NULL, lease_until = NULL,
          updated = ? WHERE collection = ? AND uri = ? AND state = 'running' AND lease_owner = ?
        """, nextTry == nil ? "parked" : "retrying", nextTry?.seconds, code, message, now.seconds,
        collection.rawValue, uri.rawValue, owner)
    }
  }

  /// Jobs by state, newest change first.
  public func jobs(in state: JobState?, limit: Int) async throws -> [IngestionJob] {
    try await database.read { connection in
      try connection.map(
        """
        SELECT \(Self.columns) FROM jobs WHERE ?1 IS NULL OR state = ?1 ORDER BY updated DESC, uri LIMIT ?2
        """, state?.rawValue, max(0, limit), row: Self.job)
    }
  }

  /// The job of one object.
  public func job(for uri: SourceURI, collection: CollectionName) async throws -> IngestionJob? {
    try await database.read { connection in
      try connection.first(
        "SELECT \(Self.columns) FROM jobs WHERE collection = ? AND uri = ?", collection.rawValue, uri.rawValue,
        row: Self.job)
    }
  }

  /// Forgets the job of an object that is gone.
  public func remove(_ uri: SourceURI, collection: CollectionName) async throws {
    try await database.write { connection in
      try connection.run("DELETE FROM jobs WHERE collection = ? AND uri = ?", collection.rawValue, uri.rawValue)
    }
  }

  /// The jobs at or below `root` that are not done, by URI.
  public func unfinished(under root: SourceURI, collection: CollectionName) async throws -> [IngestionJob] {
    let folder = root.rawValue.hasSuffix("/") ? root.rawValue : root.rawValue + "/"
    // The text after every text that begins with the folder: "/" is followed by "0".
    let end = folder.dropLast() + "0"
    return try await database.read { connection in
      try connection.map(
        """
        SELECT \(Self.columns) FROM jobs WHERE collection = ?1 AND state <> 'done'
          AND (uri = ?2 OR (uri >= ?3 AND uri < ?4)) ORDER BY uri
        """, collection.rawValue, root.rawValue, folder, String(end), row: Self.job)
    }
  }

  /// A name that tells others on this machine whether this process lives.
  public func makeOwner() -> String { LeaseOwner.make() }

  /// Whether the process of that name is gone. A store's write-ahead log ties it to one machine.
  public func isGone(owner: String) -> Bool { LeaseOwner.isDead(owner, isOneMachine: true) }
}
