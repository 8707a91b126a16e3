public import Core
public import FoundationEssentials

/// A job table in memory.
public actor InMemoryJobStore: JobStore {
  private struct Key: Hashable {
    var uri: SourceURI
    var collection: CollectionName
  }

  private var table: [Key: IngestionJob] = [:]
  private var order: [Key] = []

  private let goneOwners: Set<String>

  /// Creates an empty table.
  /// - Parameter goneOwners: Workers that are gone for certain, as if their processes had been killed.
  public init(goneOwners: Set<String> = []) { self.goneOwners = goneOwners }

  /// Whether the worker is one of those that are gone.
  public nonisolated func isGone(owner: String) -> Bool { goneOwners.contains(owner) }

  /// Queues objects.
  public func enqueue(_ objects: [SourceObject], now: Date) async throws {
    for object in objects {
      let key = Key(uri: object.uri, collection: object.collection)
      var job = IngestionJob(
        uri: object.uri, collection: object.collection, stamp: object.stamp, document: object.document, updated: now)
      if let old = table[key] {
        job.document = job.document ?? old.document
        if old.stamp == object.stamp {
          if [.queued, .running, .parked].contains(old.state) { continue }
          // A failure of the same bytes keeps its count, or scans would retry a poison document for ever.
          if old.state == .retrying {
            job.attempts = old.attempts
            job.lastErrorCode = old.lastErrorCode
            job.lastError = old.lastError
          }
        }
      } else {
        order.append(key)
      }
      table[key] = job
    }
  }

  /// Takes jobs that are due.
  public func lease(_ count: Int, owner: String, now: Date, leaseUntil: Date) async throws -> [IngestionJob] {
    var taken: [IngestionJob] = []
    for key in order where taken.count < count {
      if let job = take(key, owner: owner, now: now, leaseUntil: leaseUntil) { taken.append(job) }
    }
    return taken
  }

  /// Takes the job of one object under the same conditions.
  public func lease(
    _ uri: SourceURI, collection: CollectionName, owner: String, now: Date, leaseUntil: Date
  ) async throws -> IngestionJob? {
    take(Key(uri: uri, collection: collection), owner: owner, now: now, leaseUntil: leaseUntil)
  }

  private func take(_ key: Key, owner: String, now: Date, leaseUntil: Date) -> IngestionJob? {
    guard var job = table[key] else { return nil }
    switch job.state {
    case .queued: break
    case .retrying: if let next = job.nextTry, next > now { return nil }
    case .running: if let until = job.leaseUntil, until > now { return nil }
    case .done, .parked: return nil
    }
    job.state = .running
    job.attempts += 1
    job.nextTry = nil
    job.leaseOwner = owner
    job.leaseUntil = leaseUntil
    job.updated = now
    table[key] = job
    return job
  }

  /// Extends a lease.
  public func extendLease(
    of uri: SourceURI, collection: CollectionName, owner: String, until: Date
  ) async throws -> Bool {
    let key = Key(uri: uri, collection: collection)
    guard var job = table[key], job.state == .running, job.leaseOwner == owner else { return false }
    job.leaseUntil = until
    table[key] = job
    return true
  }

  /// Marks a job done.
  public func complete(
    _ uri: SourceURI, collection: CollectionName, owner: String, stageSeconds: [String: Double], now: Date
  ) async throws {
    update(uri, collection, owner, now) { job in
      job.state = .done
      job.stageSeconds = stageSeconds
      job.lastErrorCode = nil
      job.lastError = nil
    }
  }

  /// Records a failure.
  public func fail(
    _ uri: SourceURI, collection: CollectionName, owner: String, code: String, message: String, nextTry: Date?,
    now: Date
  ) async throws {
    update(uri, collection, owner, now) { job in
      job.state = nextTry == nil ? .parked : .retrying
      job.nextTry = nextTry
      job.lastErrorCode = code
      job.lastError = message
    }
  }

  /// Jobs by state, newest change first.
  public func jobs(in state: JobState?, limit: Int) async throws -> [IngestionJob] {
    let found = order.compactMap { table[$0] }.filter { state == nil || $0.state == state }
    return Array(found.sorted { ($0.updated, $1.uri) > ($1.updated, $0.uri) }.prefix(max(0, limit)))
  }

  /// The job of one object.
  public func job(for uri: SourceURI, collection: CollectionName) async throws -> IngestionJob? {
    table[Key(uri: uri, collection: collection)]
  }

  /// Forgets a job.
  public func remove(_ uri: SourceURI, collection: CollectionName) async throws {
    let key = Key(uri: uri, collection: collection)
    table[key] = nil
    order.removeAll { $0 == key }
  }

  /// The job of a document.
  public func job(of document: DocumentID) async throws -> IngestionJob? {
    table.values.filter { $0.document == document }.max { $0.updated < $1.updated }
  }

  /// Jobs that are not ended below a root, the soonest due first.
  public func waiting(under root: SourceURI, limit: Int) async throws -> [IngestionJob] {
    let found = order.compactMap { table[$0] }.filter {
      [.queued, .running, .retrying].contains($0.state) && Self.isUnder(root, $0)
    }
    func due(_ job: IngestionJob) -> Date {
      switch job.state {
      case .retrying: job.nextTry ?? .distantPast
      case .running: job.leaseUntil ?? .distantPast
      default: .distantPast
      }
    }
    let sorted = found.enumerated().sorted { (due($0.element), $0.offset) < (due($1.element), $1.offset) }
    return sorted.prefix(max(0, limit)).map(\.element)
  }

  /// A page of jobs, in the order they were first queued.
  public func jobs(
    in states: Set<JobState>, collections: Set<CollectionName>?, limit: Int, after cursor: String?
  ) async throws -> JobPage {
    let first = cursor.flatMap(Int.init) ?? 0
    let found = order.enumerated().dropFirst(first).compactMap { place, key in table[key].map { (place, $0) } }
      .filter { states.contains($0.1.state) && collections?.contains($0.1.collection) ?? true }
    let page = found.prefix(max(1, limit))
    return JobPage(jobs: page.map(\.1), next: found.count > page.count ? page.last.map { String($0.0 + 1) } : nil)
  }

  /// Queues a job anew.
  public func retry(_ uri: SourceURI, collection: CollectionName, now: Date) async throws -> Bool {
    let key = Key(uri: uri, collection: collection)
    guard let old = table[key], old.state == .parked || old.state == .retrying else { return false }
    table[key] = IngestionJob(
      uri: uri, collection: collection, stamp: old.stamp, document: old.document, stageSeconds: old.stageSeconds,
      updated: now)
    return true
  }

  /// What the jobs below a root say together.
  public func summary(under root: SourceURI?, collections: Set<CollectionName>?) async throws -> JobSummary {
    let found = order.compactMap { table[$0] }.filter { job in
      (root.map { Self.isUnder($0, job) } ?? true) && collections?.contains(job.collection) ?? true
    }
    let failed = found.filter { $0.state == .parked || $0.state == .retrying }
    return JobSummary(
      counts: Dictionary(grouping: found, by: \.state).mapValues(\.count),
      oldestWaiting: found.filter { $0.state == .queued || $0.state == .retrying }.map(\.updated).min(),
      lastDone: found.filter { $0.state == .done }.map(\.updated).max(),
      lastFailure: failed.max { $0.updated < $1.updated })
  }

  private static func isUnder(_ root: SourceURI, _ job: IngestionJob) -> Bool {
    job.uri == root || job.uri.rawValue.hasPrefix(root.prefixOfDescendants)
  }

  /// The jobs at or below `root` that are not done.
  public func unfinished(under root: SourceURI, collection: CollectionName) async throws -> [IngestionJob] {
    table.values.filter {
      $0.collection == collection && $0.state != .done
        && ($0.uri == root || $0.uri.rawValue.hasPrefix(root.rawValue + "/"))
    }.sorted { $0.uri < $1.uri }
  }

  /// Changes a job that `owner` holds; another worker's late word changes nothing.
  private func update(
    _ uri: SourceURI, _ collection: CollectionName, _ owner: String, _ now: Date,
    _ change: (inout IngestionJob) -> Void
  ) {
    let key = Key(uri: uri, collection: collection)
    guard var job = table[key], job.state == .running, job.leaseOwner == owner else { return }
    change(&job)
    job.leaseOwner = nil
    job.leaseUntil = nil
    job.updated = now
    table[key] = job
  }
}
