public import Core
public import FoundationEssentials

/// How ingestion stands: what waits and what failed, from the job table and so of all processes; what is in work, of
/// this one.
public struct IngestionStatus: Sendable {
  /// A place documents come from.
  public struct Place: Sendable, Hashable {
    /// Its root.
    public var root: SourceURI
    /// Its collection; nil for all, as with uploads.
    public var collection: CollectionName?

    /// Creates a place.
    public init(root: SourceURI, collection: CollectionName?) {
      self.root = root
      self.collection = collection
    }
  }

  /// Everything at one moment.
  public struct Report: Sendable {
    /// All jobs together.
    public var jobs: JobSummary
    /// Those of each place.
    public var places: [(place: Place, jobs: JobSummary)]
    /// What this process does.
    public var activity: IngestionActivity.Snapshot
    /// When it was looked at.
    public var time: Date

    /// Creates a report.
    public init(
      jobs: JobSummary, places: [(place: Place, jobs: JobSummary)], activity: IngestionActivity.Snapshot, time: Date
    ) {
      self.jobs = jobs
      self.places = places
      self.activity = activity
      self.time = time
    }
  }

  private let jobs: any JobStore
  private let activity: IngestionActivity
  private let places: [Place]
  private let now: @Sendable () -> Date

  /// Looks at `jobs` and `activity`.
  public init(
    jobs: any JobStore, activity: IngestionActivity, places: [Place], now: @escaping @Sendable () -> Date = { Date() }
  ) {
    self.jobs = jobs
    self.activity = activity
    self.places = places
    self.now = now
  }

  /// How ingestion stands, as far as these collections are concerned; all when it is nil.
  public func report(collections: Set<CollectionName>?) async throws -> Report {
    let time = now()
    var seen: [(place: Place, jobs: JobSummary)] = []
    for place in places {
      let allowed: Set<CollectionName>?
      if let collection = place.collection {
        guard collections?.contains(collection) ?? true else { continue }
        allowed = [collection]
      } else {
        allowed = collections
      }
      seen.append((place, try await jobs.summary(under: place.root, collections: allowed)))
    }
    var snapshot = activity.snapshot()
    if let collections {
      snapshot.inWork.removeAll { work in !isVisible(work.uri, collections, seen.map(\.place)) }
    }
    return Report(
      jobs: try await jobs.summary(under: nil, collections: collections), places: seen, activity: snapshot, time: time)
  }

  /// Whether a document in work is one of the collections: known by its upload's name or its source.
  private func isVisible(_ uri: SourceURI, _ collections: Set<CollectionName>, _ places: [Place]) -> Bool {
    if uri.isUpload {
      return collections.contains { uri.rawValue.hasPrefix("\(SourceURI.uploads.rawValue)\($0.rawValue)/") }
    }
    return places.contains { $0.root == uri || uri.rawValue.hasPrefix($0.root.prefixOfDescendants) }
  }
}
