import Core
import FoundationEssentials

/// The check of the job table.
extension Inspecting {
  /// Jobs whose worker is gone, or that are done and of nothing.
  func jobs(_ found: inout Inspected) async throws {
    await progress(.init(stage: "jobs", done: 0))
    let store = OpenSearchJobStore(cluster)
    let (first, count) = try await suspects(store)
    found.report.examine("jobs", count)
    guard !first.isEmpty else { return }
    // A document and its job are written one after the other: what stands between them now does not a little later.
    try await Task.sleep(for: .milliseconds(500))
    let (second, _) = try await suspects(store)
    for suspect in first where second.contains(suspect) {
      let (code, what) =
        suspect.isExpired
        ? ("job.lease_expired", "is held by a worker that is gone")
        : ("job.orphaned", "is done, but nothing is indexed there")
      found.report.add(
        IntegrityFinding(code, .warning, "the job of \(suspect.uri) \(what)", isRepairable: true))
      found.jobs.append(suspect)
    }
  }

  private func suspects(_ store: OpenSearchJobStore) async throws -> (suspects: [SuspectJob], count: Int) {
    let now = Double(try await cluster.clock.now()) / 1_000
    try await cluster.refresh([names.jobs, names.documents, names.places])
    guard let state = try await cluster.client.state()?.state else { return ([], 0) }
    var places: [String: [String]] = [:]
    try await OpenSearchDocumentIndex(cluster).forEachDocument(doing: "checking jobs") { record in
      for revision in record.visible(state) { places[record.collection, default: []].append(revision.uri) }
      return true
    }
    struct Place: Decodable { var record: PlaceRecord }
    try await cluster.forEachHit(
      Place.self, names.places, query: ["exists": ["field": "tombstone"]], sort: ["collection", "uri"],
      doing: "checking jobs"
    ) { hit, _ in
      places[hit.record.collection, default: []].append(hit.record.uri)
      return true
    }
    let sorted = places.mapValues { $0.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
    var suspects: [SuspectJob] = []
    var count = 0
    try await store.forEachJob { job in
      count += 1
      let isExpired = job.state == .running && (job.leaseUntil?.timeIntervalSince1970 ?? 0) <= now
      let isOfNothing =
        job.state == .done && !Self.holds(sorted[job.collection.rawValue] ?? [], atOrBelow: job.uri)
      if isExpired || isOfNothing {
        suspects.append(SuspectJob(uri: job.uri, collection: job.collection, isExpired: isExpired))
      }
      return suspects.count < 10_000
    }
    return (suspects, count)
  }

  /// Whether a sorted list has a URI or one below it.
  private static func holds(_ uris: [String], atOrBelow uri: SourceURI) -> Bool {
    func first(_ bound: String) -> String? {
      var low = 0
      var high = uris.count
      while low < high {
        let middle = (low + high) / 2
        if uris[middle].utf8.lexicographicallyPrecedes(bound.utf8) { low = middle + 1 } else { high = middle }
      }
      return low < uris.count ? uris[low] : nil
    }
    return first(uri.rawValue) == uri.rawValue
      || first(uri.prefixOfDescendants)?.utf8.starts(with: uri.prefixOfDescendants.utf8) == true
  }
}

/// A job that may be nobody's.
struct SuspectJob: Sendable, Hashable {
  var uri: SourceURI
  var collection: CollectionName
  /// Held by a worker whose time is over; else done and of nothing.
  var isExpired: Bool
}

extension OpenSearchJobStore {
  /// Every job, in the order they were first queued.
  /// - Parameter visit: Returns whether to go on.
  func forEachJob(_ visit: (IngestionJob) async throws -> Bool) async throws {
    try await cluster.forEachHit(
      Source.self, index, query: ["match_all": .object([])], sort: Self.order, doing: "reading jobs"
    ) { source, _ in try await visit(source.job) }
  }
}
