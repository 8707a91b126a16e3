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
    for job in try await jobs.unfinished(under: source.root, collection: source.collection)
    where job.updated < began {
      let isHeld = job.state == .running && job.leaseUntil ?? .distantPast > now()
      let isGone = listing.isComplete && !present.contains(job.uri) && !isHeld
      if isGone || committed[job.uri] == job.stamp {
        try await jobs.remove(job.uri, collection: job.collection)
      }
    }
  }
}
