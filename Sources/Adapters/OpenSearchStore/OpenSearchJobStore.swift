import Concurrency
public import Core
public import FoundationEssentials

/// The table of ingestion work in the cluster, for any number of workers on any number of machines.
///
/// Every change is one script that looks at the job and changes it in one step, on the shard that has it. Times are the
/// cluster's: a worker says for how long, the script adds that to its own clock, so a worker whose clock is wrong
/// neither takes what others hold nor keeps what it lost.
public final class OpenSearchJobStore: JobStore {
  /// Whose clock decides.
  public enum TimeKeeper: Sendable {
    /// The cluster's.
    case cluster
    /// The caller's, as the role's contract gives times.
    case caller
  }

  let cluster: OpenSearchCluster
  private let timeKeeper: TimeKeeper
  private let now: @Sendable () -> Date
  var index: String { cluster.names.jobs }

  /// Creates the table of an opened cluster.
  /// - Parameter now: The worker's clock; only differences to it count where the cluster keeps the time.
  public init(
    _ cluster: OpenSearchCluster, timeKeeper: TimeKeeper = .cluster, now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.cluster = cluster
    self.timeKeeper = timeKeeper
    self.now = now
  }

  /// What an index entry holds beside the fields that are searched.
  struct Record: Codable, Sendable {
    var stamp: String
    var attempts: Int
    var nextTry: Double?
    var errorCode: String?
    var error: String?
    var owner: String?
    var until: Double?
    /// Tells a repeated call from another.
    var call: String?
    var stages: [String: Double]

    enum CodingKeys: String, CodingKey {
      case stamp
      case attempts
      case nextTry = "next_try"
      case errorCode = "error_code"
      case error
      case owner
      case until
      case call
      case stages
    }
  }

  struct Source: Codable, Sendable {
    var collection: String
    var uri: String
    var document: String?
    var state: JobState
    var updated: Double
    var record: Record

    var job: IngestionJob {
      func date(_ seconds: Double?) -> Date? { seconds.map { Date(timeIntervalSince1970: $0) } }
      return IngestionJob(
        uri: SourceURI(rawValue: uri), collection: CollectionName(rawValue: collection), stamp: record.stamp,
        document: document.map(DocumentID.init(rawValue:)), state: state, attempts: record.attempts,
        nextTry: date(record.nextTry), lastErrorCode: record.errorCode, lastError: record.error,
        leaseOwner: record.owner, leaseUntil: date(record.until), stageSeconds: record.stages,
        updated: Date(timeIntervalSince1970: updated))
    }
  }

  // MARK: - Scripts

  /// The shift from the caller's times to those that decide; then one change.
  private static let prologue = """
    double shift = params.cluster ? System.currentTimeMillis() / 1000.0 - params.now : 0.0;
    double now = params.now + shift;
    def s = ctx._source; def r = s.record;
    """
  static let enqueue =
    prologue + """
      if (r == null) {
        s.collection = params.collection; s.uri = params.uri; s.queued = now; s.ordinal = params.ordinal;
        s.record = ['stamp': params.stamp, 'attempts': 0, 'stages': [:]];
        if (params.document != null) { s.document = params.document; }
        s.state = 'queued'; s.due = 0.0; s.updated = now;
      } else {
        boolean same = r.stamp == params.stamp;
        if (same && (s.state == 'queued' || s.state == 'running' || s.state == 'parked')) { ctx.op = 'none'; }
        else {
          if (!(same && s.state == 'retrying')) { r.attempts = 0; r.error_code = null; r.error = null; }
          r.stamp = params.stamp; r.next_try = null; r.owner = null; r.until = null; r.call = null; r.stages = [:];
          if (params.document != null) { s.document = params.document; }
          s.state = 'queued'; s.due = 0.0; s.updated = now;
        }
      }
      """
  private static let take =
    prologue + """
      if (s.state == 'running' && r.call == params.call) { ctx.op = 'none'; }
      else if (s.state == 'queued'
          || (s.state == 'retrying' && (r.next_try == null || r.next_try <= now))
          || (s.state == 'running' && (r.until == null || r.until <= now))) {
        s.state = 'running'; r.attempts += 1; r.next_try = null; r.owner = params.owner;
        r.until = params.until + shift; r.call = params.call; s.due = r.until; s.updated = now;
      } else { ctx.op = 'none'; }
      """
  private static let extend =
    prologue + """
      if (s.state == 'running' && r.owner == params.owner) { r.until = params.until + shift; s.due = r.until; }
      else { ctx.op = 'none'; }
      """
  private static let complete =
    prologue + """
      if (s.state == 'running' && r.owner == params.owner) {
        s.state = 'done'; r.stages = params.stages; r.error_code = null; r.error = null; r.owner = null; r.until = null;
        r.call = null; s.remove('due'); s.updated = now;
      } else { ctx.op = 'none'; }
      """
  private static let fail =
    prologue + """
      if (s.state == 'running' && r.owner == params.owner) {
        r.error_code = params.code; r.error = params.message; r.owner = null; r.until = null; r.call = null;
        if (params.next == null) { s.state = 'parked'; r.next_try = null; s.remove('due'); }
        else { s.state = 'retrying'; r.next_try = params.next + shift; s.due = r.next_try; }
        s.updated = now;
      } else { ctx.op = 'none'; }
      """
  private static let again =
    prologue + """
      if (s.state == 'parked' || s.state == 'retrying') {
        s.state = 'queued'; r.attempts = 0; r.next_try = null; r.error_code = null; r.error = null; s.due = 0.0;
        s.updated = now;
      } else { ctx.op = 'none'; }
      """

  private static let free =
    prologue + """
      if (s.state == 'running' && (r.until == null || r.until <= now)) {
        s.state = 'queued'; r.owner = null; r.until = null; r.call = null; s.due = 0.0; s.updated = now;
      } else { ctx.op = 'none'; }
      """

  private func script(_ source: String, now: Date, _ parameters: [(String, JSON)]) -> JSON {
    [
      "source": .string(source), "lang": "painless",
      "params": .object(
        [("cluster", .bool(timeKeeper == .cluster)), ("now", .double(now.timeIntervalSince1970))] + parameters),
    ]
  }

  private struct Updated: Decodable {
    struct Get: Decodable {
      var source: Source?
      enum CodingKeys: String, CodingKey { case source = "_source" }
    }
    var result: String?
    var get: Get?
  }

  /// Runs a script on one job; nil when there is none. Whether it did anything, and the job afterwards.
  private func update(
    _ uri: SourceURI, _ collection: CollectionName, _ source: String, now: Date, _ parameters: [(String, JSON)],
    doing: String
  ) async throws -> (isChanged: Bool, source: Source)? {
    let updated = try await cluster.client.json(
      Updated.self, "POST", "/\(index)/_update/\(RecordID.place(uri, collection))",
      query: [("_source", "true"), ("retry_on_conflict", "20")],
      body: ["script": script(source, now: now, parameters)], accepted: [404], doing: doing)
    guard let result = updated.result else { return nil }
    guard let source = updated.get?.source else { throw OpenSearchError.badResponse(doing) }
    return (result != "noop", source)
  }

  // MARK: - Work

  /// Queues objects; see the role.
  public func enqueue(_ objects: [SourceObject], now: Date) async throws {
    guard !objects.isEmpty else { return }
    let items = objects.enumerated().lazy.map { [self] (ordinal, object) in
      BulkWriter.Item.update(
        index, RecordID.place(object.uri, object.collection),
        [
          "scripted_upsert": true, "upsert": .object([]),
          "script": script(
            Self.enqueue, now: now,
            [
              ("collection", .string(object.collection.rawValue)), ("uri", .string(object.uri.rawValue)),
              ("stamp", .string(object.stamp)), ("document", .optional(object.document?.rawValue)),
              ("ordinal", .int(ordinal)),
            ]),
        ])
    }
    try await BulkWriter(client: cluster.client).write(items, doing: "queueing documents")
  }

  /// Takes jobs that are due, or whose lease has ended, in the order they were first queued.
  public func lease(_ count: Int, owner: String, now: Date, leaseUntil: Date) async throws -> [IngestionJob] {
    guard count > 0 else { return [] }
    var taken: [IngestionJob] = []
    // Others take jobs at the same time: those seen may be gone.
    for _ in 0..<5 {
      try await cluster.refresh([index])
      let time: Double =
        timeKeeper == .cluster ? Double(try await cluster.clock.now()) / 1_000 + 1 : now.timeIntervalSince1970
      let due = try await cluster.hits(
        Source.self, index,
        [
          "size": .int(min(1_000, (count - taken.count) * 2 + 20)), "track_total_hits": false,
          "query": [
            "bool": [
              "filter": [
                ["terms": ["state": ["queued", "retrying", "running"]]], ["range": ["due": ["lte": .double(time)]]],
              ]
            ]
          ], "sort": .strings(Self.order),
        ], doing: "looking for work"
      ).compactMap(\.source)
      for source in due where taken.count < count {
        if let job = try await lease(
          SourceURI(rawValue: source.uri), collection: CollectionName(rawValue: source.collection), owner: owner,
          now: now, leaseUntil: leaseUntil)
        {
          taken.append(job)
        }
      }
      if taken.count == count || due.count < (count - taken.count) * 2 + 20 { break }
    }
    return taken
  }

  static let order = ["queued", "ordinal", "uri", "collection"]

  /// Takes the job of one object under the same conditions.
  public func lease(
    _ uri: SourceURI, collection: CollectionName, owner: String, now: Date, leaseUntil: Date
  ) async throws -> IngestionJob? {
    let call = TraceID.random().rawValue
    let updated = try await update(
      uri, collection, Self.take, now: now,
      [("owner", .string(owner)), ("until", .double(leaseUntil.timeIntervalSince1970)), ("call", .string(call))],
      doing: "taking the job of \(uri.name)")
    // A call that was sent twice finds that it has the job.
    guard let updated, updated.source.state == .running, updated.source.record.call == call else { return nil }
    return updated.source.job
  }

  /// Extends a lease; false when it is no longer the owner's.
  public func extendLease(
    of uri: SourceURI, collection: CollectionName, owner: String, until: Date
  ) async throws -> Bool {
    try await update(
      uri, collection, Self.extend, now: now(),
      [("owner", .string(owner)), ("until", .double(until.timeIntervalSince1970))],
      doing: "going on with \(uri.name)")?.isChanged ?? false
  }

  /// Marks a job done; the word of a worker that lost its lease changes nothing.
  public func complete(
    _ uri: SourceURI, collection: CollectionName, owner: String, stageSeconds: [String: Double], now: Date
  ) async throws {
    let stages = JSON.object(stageSeconds.sorted { $0.key < $1.key }.map { ($0.key, .double($0.value)) })
    _ = try await update(
      uri, collection, Self.complete, now: now, [("owner", .string(owner)), ("stages", stages)],
      doing: "ending the job of \(uri.name)")
  }

  /// Records a failure: tried again at `nextTry`, or parked when that is nil.
  public func fail(
    _ uri: SourceURI, collection: CollectionName, owner: String, code: String, message: String, nextTry: Date?,
    now: Date
  ) async throws {
    _ = try await update(
      uri, collection, Self.fail, now: now,
      [
        ("owner", .string(owner)), ("code", .string(code)), ("message", .string(message)),
        ("next", nextTry.map { .double($0.timeIntervalSince1970) } ?? .null),
      ], doing: "noting the failure of \(uri.name)")
  }

  /// Queues a job that was given up, or waits to be tried again, as if it were new.
  public func retry(_ uri: SourceURI, collection: CollectionName, now: Date) async throws -> Bool {
    try await update(uri, collection, Self.again, now: now, [], doing: "queueing \(uri.name) again")?.isChanged ?? false
  }

  /// Queues the job of a worker whose time is over; its tries stay counted.
  func free(_ uri: SourceURI, collection: CollectionName) async throws {
    _ = try await update(uri, collection, Self.free, now: now(), [], doing: "freeing the job of \(uri.name)")
  }

  /// A name that tells others on this machine whether this process lives.
  public func makeOwner() -> String { LeaseOwner.make() }

  /// Whether the process of that name is gone, as far as this machine can tell; of other machines' the lease ends by
  /// time.
  public func isGone(owner: String) -> Bool { LeaseOwner.isDead(owner, isOneMachine: false) }

  /// Forgets the job of an object that is gone.
  public func remove(_ uri: SourceURI, collection: CollectionName) async throws {
    _ = try await cluster.client.send(
      "DELETE", "/\(index)/_doc/\(RecordID.place(uri, collection))", accepted: [404],
      doing: "forgetting the job of \(uri.name)")
  }
}
