/// How a watcher keeps an index equal to its sources.
public struct WatchSettings: Sendable, Hashable {
  /// Time between two listings of everything, of a source that notices its changes.
  public var interval: Duration
  /// The same of a source that notices only some of them, or none.
  public var shortInterval: Duration
  /// The wait after a first failure; it doubles with each further one, up to `shortInterval`.
  public var firstRetry: Duration
  /// Time for which a file must stay as it is before it counts as completely written.
  public var settleTime: Duration
  /// Time for which deletions count as one burst.
  public var burstTime: Duration
  /// Whether the first listing of each source overrules the guard against mass deletion.
  public var allowsMassDelete: Bool

  /// Creates settings; `shortInterval` is never longer than `interval`.
  public init(
    interval: Duration = .seconds(3600), shortInterval: Duration = .seconds(300), firstRetry: Duration = .seconds(5),
    settleTime: Duration = .seconds(2), burstTime: Duration = .seconds(600), allowsMassDelete: Bool = false
  ) {
    self.interval = interval
    self.shortInterval = min(interval, shortInterval)
    self.firstRetry = firstRetry
    self.settleTime = settleTime
    self.burstTime = burstTime
    self.allowsMassDelete = allowsMassDelete
  }
}
