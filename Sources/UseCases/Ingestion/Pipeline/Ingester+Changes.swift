public import Core
import FoundationEssentials

/// Changes that a source noticed by itself.
extension Ingester {
  /// Brings the index up to date with single changes of a source. Renames are recognised by stamps and by content;
  /// tombstones hold; what is gone is deleted under the guard for noticed deletions.
  /// - Parameter recentlyDeleted: Documents of this source that notices deleted a short while ago.
  /// - Throws: As ``reconcile(_:request:context:progress:)``.
  public func apply(
    _ changes: SourceChanges, from source: any DocumentSource, recentlyDeleted: Int = 0, context: RequestContext,
    progress: @escaping IngestionProgressHandler = { _ in }
  ) async throws -> IngestionSummary {
    try await checkIdentity()
    var summary = IngestionSummary()
    // Everything known that is not present is below something gone.
    let plan = Reconciliation(
      listing: SourceListing(objects: changes.present, isComplete: true, rootStamp: changes.rootStamp ?? ""),
      root: source.root, known: try await known(changes, of: source))
    let moved = try await work(
      plan, source: source, mayMove: true, context: context, progress: progress, into: &summary)
    var gone: [IndexedSource] = []
    for known in plan.missing where !moved.contains(known.document.id) {
      // The work may have taken long: what came back meanwhile is told by the next changes.
      if changes.rootStamp != nil, try await source.object(at: known.document.uri) != nil { continue }
      gone.append(known)
    }
    if let reason = try await refusal(of: gone, changes, source: source, recentlyDeleted: recentlyDeleted) {
      summary.refusedDeletions.append(.init(root: source.root, count: gone.count, reason: reason))
      await progress(.deletionRefused(root: source.root, count: gone.count, reason: reason))
      return summary
    }
    try await delete(gone, context: context, progress: progress, into: &summary)
    // What failed and is gone cannot be mended any more.
    for uri in changes.gone where changes.rootStamp != nil {
      for job in try await jobs.unfinished(under: uri, collection: source.collection) where job.state != .running {
        if changes.present.contains(where: { $0.uri == job.uri }) { continue }
        try await jobs.remove(job.uri, collection: job.collection)
      }
    }
    return summary
  }

  /// Tries again what failed for a passing reason and whose time has come.
  public func retryDue(
    of source: any DocumentSource, context: RequestContext, progress: @escaping IngestionProgressHandler = { _ in }
  ) async throws -> IngestionSummary {
    var objects: [SourceObject] = []
    for job in try await jobs.unfinished(under: source.root, collection: source.collection) {
      guard job.state == .retrying, job.nextTry ?? .distantPast <= now() else { continue }
      if let object = try await source.object(at: job.uri) {
        objects.append(object)
      } else {
        try await jobs.remove(job.uri, collection: job.collection)
      }
    }
    guard !objects.isEmpty else { return IngestionSummary() }
    return try await ingest(objects, from: source, context: context, progress: progress)
  }

  /// Seconds until the next failed object of a source is to be tried again, not negative; nil when none waits.
  public func secondsToNextRetry(of source: any DocumentSource) async throws -> Double? {
    let waiting = try await jobs.unfinished(under: source.root, collection: source.collection)
    return waiting.lazy.filter { $0.state == .retrying }.map { max(0, ($0.nextTry ?? now()).timeIntervalSince(now())) }
      .min()
  }

  /// What the index has at and below the URIs of `changes`.
  private func known(_ changes: SourceChanges, of source: any DocumentSource) async throws -> [IndexedSource] {
    if changes.present.count + changes.gone.count > 100 {
      // One query rather than one for each.
      let present = Set(changes.present.map(\.uri))
      let gone = GoneURIs(changes.gone)
      return try await index.sources(under: source.root, collection: source.collection).filter {
        present.contains($0.document.uri) || gone.contains($0.document.uri)
      }
    }
    var known: [SourceURI: IndexedSource] = [:]
    for uri in changes.gone {
      for found in try await index.sources(under: uri, collection: source.collection) {
        known[found.document.uri] = found
      }
    }
    for object in changes.present where known[object.uri] == nil {
      known[object.uri] = try await index.source(at: object.uri, collection: source.collection)
    }
    return known.values.sorted { $0.document.uri < $1.document.uri }
  }

  private func refusal(
    of gone: [IndexedSource], _ changes: SourceChanges, source: any DocumentSource, recentlyDeleted: Int
  ) async throws -> String? {
    guard !gone.isEmpty else { return nil }
    let record = try await jobs.job(for: source.root, collection: source.collection)
    var known = Int.max / 4
    if gone.count > 1 || recentlyDeleted + gone.count >= 10 {
      known = try await index.sources(under: source.root, collection: source.collection).count { !$0.isTombstone }
    }
    return DeletionGuard(
      isComplete: true, rootStamp: changes.rootStamp, knownRootStamp: record?.stamp, known: known,
      missing: gone.count, isOverruled: false, isNoticed: true, recent: recentlyDeleted
    ).refusal
  }
}

/// URIs of objects and folders, asked whether another one is at or below one of them.
private struct GoneURIs {
  private let uris: Set<SourceURI>

  init(_ uris: [SourceURI]) { self.uris = Set(uris) }

  func contains(_ uri: SourceURI) -> Bool {
    var text = uri.rawValue[...]
    while true {
      if uris.contains(SourceURI(rawValue: String(text))) { return true }
      guard let slash = text.lastIndex(of: "/") else { return false }
      text = text[..<slash]
    }
  }
}
