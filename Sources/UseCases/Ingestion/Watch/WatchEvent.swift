public import Core

/// What is told while sources are watched.
public enum WatchEvent: Sendable {
  /// Why a watcher worked on a source.
  public enum Cause: String, Sendable, Hashable, Codable {
    /// Everything was listed.
    case listing
    /// The source noticed changes.
    case changes
    /// Failed documents were due to be tried again.
    case retries
  }

  /// Progress of the work on a source.
  case progress(WatchedSource, IngestionProgress)
  /// Work on a source ended well; single documents may have failed. `next` is the time to the next listing.
  case finished(WatchedSource, Cause, IngestionSummary, next: Duration)
  /// A source, or the store, failed `count` times in a row; the next try comes after `delay`.
  case failed(WatchedSource, any CategorizedError, count: Int, delay: Duration)
  /// A source that had failed `count` times in a row works again.
  case recovered(WatchedSource, count: Int)
  /// A source does not notice all of its changes; it is listed more often.
  case noticesFallShort(WatchedSource, NoticeShortfall)
}

/// A source as events name it.
public struct WatchedSource: Sendable, Hashable {
  /// Its root.
  public var root: SourceURI
  /// The collection of what is found there.
  public var collection: CollectionName

  /// Names a source.
  public init(root: SourceURI, collection: CollectionName) {
    self.root = root
    self.collection = collection
  }
}

/// Receives what happens; the work waits for it to return.
public typealias WatchEventHandler = @Sendable (WatchEvent) async -> Void
