public import FoundationEssentials

/// One page of a listing of jobs.
public struct JobPage: Sendable, Hashable {
  /// The jobs.
  public var jobs: [IngestionJob]
  /// Pass it to get the next page; nil at the end.
  public var next: String?

  /// Creates a page of jobs.
  public init(jobs: [IngestionJob], next: String?) {
    self.jobs = jobs
    self.next = next
  }
}

/// What many jobs say together.
public struct JobSummary: Sendable, Hashable {
  /// Jobs by state; a state without any is left out.
  public var counts: [JobState: Int]
  /// Since when the oldest job that is queued or to be tried again has waited; nil when none waits.
  public var oldestWaiting: Date?
  /// When a job was finished last; nil when none was.
  public var lastDone: Date?
  /// The job that failed last and has not succeeded since; nil when there is none.
  public var lastFailure: IngestionJob?

  /// Creates a summary.
  public init(
    counts: [JobState: Int] = [:], oldestWaiting: Date? = nil, lastDone: Date? = nil,
    lastFailure: IngestionJob? = nil
  ) {
    self.counts = counts
    self.oldestWaiting = oldestWaiting
    self.lastDone = lastDone
    self.lastFailure = lastFailure
  }
}
