import Core
import FoundationEssentials

/// What runs that were killed left in the job table.
extension Ingester {
  /// Forgets jobs of a source that have nothing left to do: their document is committed and only the note of it is
  /// missing, or their file is gone. Without this they would wait, or claim to be at work, for ever.
  ///
  /// - Parameter began: When the source was about to be listed. Jobs touched later belong to runs that may know more.
  func settleJobs(of source: any DocumentSource, plan: Reconciliation, listing: SourceListing, began: Date)
    async throws
  {
    let committed = Dictionary(plan.unchanged.map { ($0.object.uri, $0.object.stamp) }) { first, _ in first }
    let present = Set(listing.objects.lazy.map(\.uri))
    for state in [JobState.queued, .running, .retrying, .parked] {
      for job in try await jobs.jobs(in: state, limit: 10_000)
      where job.collection == source.collection && job.updated < began && job.uri.isBelow(source.root) {
        let isHeld = state == .running && job.leaseUntil ?? .distantPast > now()
        let isGone = listing.isComplete && !present.contains(job.uri) && !isHeld
        if isGone || committed[job.uri] == job.stamp {
          try await jobs.remove(job.uri, collection: job.collection)
        }
      }
    }
  }
}

extension SourceURI {
  /// Whether this is `root` or something in its folders.
  fileprivate func isBelow(_ root: SourceURI) -> Bool {
    let (path, folder) = (rawValue.utf8, root.rawValue.utf8)
    guard path.starts(with: folder) else { return false }
    return path.count == folder.count || folder.last == UInt8(ascii: "/")
      || path.dropFirst(folder.count).first == UInt8(ascii: "/")
  }
}
