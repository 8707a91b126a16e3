import Core
import FoundationEssentials

/// Before the work on the objects of one source: what needs none is told, renames are made, the rest is queued.
extension Ingester {
  func report(
    _ plan: Reconciliation, progress: IngestionProgressHandler, into summary: inout IngestionSummary
  ) async throws {
    for item in plan.unchanged {
      summary.unchanged += 1
      if let known = item.known, isStale(known) { summary.stale += 1 }
      await progress(.unchanged(item.object.uri))
    }
    for item in plan.unsettled {
      let skipped = SkippedObject(
        name: item.object.uri.rawValue, code: SkippedObject.unsettledCode,
        reason: "it changed a moment ago and may still be in writing; it is taken when it stays as it is")
      summary.skipped.append(skipped)
      await progress(.skipped(skipped))
    }
    for item in plan.tombstoned {
      let skipped = SkippedObject(
        name: item.object.uri.rawValue, code: "ingest.tombstone",
        reason: "it was deleted from the index while its file stayed; ingest it by name to bring it back")
      summary.skipped.append(skipped)
      await progress(.skipped(skipped))
    }
  }

  /// Moves the documents whose unchanged object has another URI now. Returns what is left to look at, and what moved.
  func moveByStamp(
    _ plan: Reconciliation, progress: IngestionProgressHandler, into summary: inout IngestionSummary
  ) async throws -> (left: [Reconciliation.Item], moved: Set<DocumentID>) {
    guard !plan.missing.isEmpty else { return (plan.changed, []) }
    let gone = Dictionary(grouping: plan.missing, by: \.stamp)
    let arrived = Dictionary(grouping: plan.changed.lazy.filter { $0.known == nil }, by: \.object.stamp)
    var left: [Reconciliation.Item] = []
    var moved: Set<DocumentID> = []
    for item in plan.changed {
      // Two names of one file (hard links) do not tell which of them is the document's.
      guard item.known == nil, let known = gone[item.object.stamp], known.count == 1,
        arrived[item.object.stamp]?.count == 1
      else {
        left.append(item)
        continue
      }
      let document = known[0].document
      try await index.move(document.id, to: item.object.uri, stamp: item.object.stamp)
      try await jobs.remove(document.uri, collection: document.collection)
      moved.insert(document.id)
      summary.moved += 1
      await progress(.moved(from: document.uri, to: item.object.uri))
    }
    return (left, moved)
  }

  /// Queues changed objects; those that failed for good with these very bytes are passed over, unless they are named
  /// or the settings say to try them again.
  func enqueue(
    _ items: [Reconciliation.Item], source: any DocumentSource, progress: IngestionProgressHandler,
    into summary: inout IngestionSummary
  ) async throws -> [JobQueue.Key: Reconciliation.Item] {
    guard !items.isEmpty else { return [:] }
    // One query, however many objects there are.
    let unfinished = try await jobs.unfinished(under: source.root, collection: source.collection)
    let known = Dictionary(unfinished.map { (JobQueue.Key($0), $0) }) { first, _ in first }
    var result: [JobQueue.Key: Reconciliation.Item] = [:]
    for item in items {
      let key = JobQueue.Key(item.object)
      if let skipped = try await obstacle(to: item.object, job: known[key], isRoot: item.object.uri == source.root) {
        summary.skipped.append(skipped)
        await progress(.skipped(skipped))
      } else {
        var named = item
        let live = item.known.flatMap { $0.isTombstone ? nil : $0 }
        named.object.document = try await documentID(for: item.object, live: live)
        result[key] = named
      }
    }
    try await jobs.enqueue(result.values.map(\.object).sorted { $0.uri < $1.uri }, now: now())
    return result
  }

  /// Why an object is not worked on now, as its job tells; nil when it is, and then the job is ready to be queued.
  private func obstacle(to object: SourceObject, job: IngestionJob?, isRoot: Bool) async throws -> SkippedObject? {
    guard let job else { return nil }
    let isSame = job.stamp == object.stamp
    // A person who asks may have followed the remedy.
    let isAsked = isRoot || settings.retriesParked
    func skipped(_ code: String, _ reason: String) -> SkippedObject {
      SkippedObject(name: object.uri.rawValue, code: code, reason: reason)
    }
    switch job.state {
    case .running:
      guard let owner = job.leaseOwner else { return nil }
      if jobs.isGone(owner: owner) {
        // Killed at work: in its name, so that the count of tries stays.
        try await jobs.fail(
          object.uri, collection: object.collection, owner: owner, code: "ingest.killed",
          message: "the process that worked on it was killed", nextTry: now(), now: now())
      } else if job.leaseUntil ?? .distantPast > now(), isSame {
        return skipped(SkippedObject.inWorkCode, "another process is working on it")
      }
    case .parked where isSame:
      guard isAsked else {
        return skipped(
          job.lastErrorCode ?? "ingest.parked",
          "failed before and has not changed: \(job.lastError ?? "no reason recorded")")
      }
      try await jobs.remove(object.uri, collection: object.collection)
    case .retrying where isSame && !isAsked && job.nextTry ?? .distantPast > now():
      return skipped("ingest.waiting", "failed before and waits to be tried again: \(job.lastError ?? "no reason")")
    case .queued, .retrying, .done, .parked: break
    }
    return nil
  }
}
