import Concurrency
public import Core

/// What this process is ingesting now, and how fast: fed by ``IngestionProgress``.
public final class IngestionActivity: Sendable {
  /// A stage that a document is in.
  public enum Stage: String, Sendable, Hashable {
    /// Its file is fetched and opened.
    case opening
    /// Its pages are read.
    case reading
    /// Its chunks are embedded.
    case embedding
  }

  /// A document in work.
  public struct Work: Sendable, Hashable {
    /// Where it is.
    public var uri: SourceURI
    /// The stage it is in.
    public var stage: Stage
    /// Pages read, or chunks embedded.
    public var done: Int
    /// Of how many; 0 when that is not known.
    public var total: Int
    /// For how long it has been in work.
    public var elapsed: Duration

    /// Describes a document in work.
    public init(uri: SourceURI, stage: Stage, done: Int, total: Int, elapsed: Duration) {
      self.uri = uri
      self.stage = stage
      self.done = done
      self.total = total
      self.elapsed = elapsed
    }
  }

  /// Everything at one moment.
  public struct Snapshot: Sendable, Hashable {
    /// Objects found in the sources looked at.
    public var found = 0
    /// Of these, those that are done with: committed, unchanged, moved, passed over or failed.
    public var finished = 0
    /// Documents that failed.
    public var failed = 0
    /// Documents in work, the one that takes longest first.
    public var inWork: [Work] = []
    /// Documents done with, a minute, of late.
    public var documentsPerMinute = 0.0
    /// Pages read a second, of late.
    public var pagesPerSecond = 0.0
    /// Chunks embedded a second, of late.
    public var chunksPerSecond = 0.0
    /// How long the rest will take at this rate; nil when there is no telling.
    public var remaining: Duration?

    /// Nothing found, nothing done.
    public init() {}
  }

  private struct Entry {
    var stage = Stage.opening
    var done = 0
    var total = 0
    let started: ContinuousClock.Instant
  }

  private struct Second {
    var number: Int64 = -1
    var documents = 0
    var pages = 0
    var chunks = 0
  }

  private struct State {
    var found = 0
    var finished = 0
    var failed = 0
    var entries: [SourceURI: Entry] = [:]
    /// The last minute, one element a second.
    var seconds = [Second](repeating: Second(), count: IngestionActivity.window)
    var first: ContinuousClock.Instant?
  }

  /// How far back rates look, seconds.
  private static let window = 60

  private let state = Locked(State())
  private let origin: ContinuousClock.Instant
  private let now: @Sendable () -> ContinuousClock.Instant

  /// Creates a record of nothing yet.
  public init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    self.now = now
    origin = now()
  }

  /// Takes note of progress.
  public func record(_ progress: IngestionProgress) {
    let now = now()
    state.withLock { state in
      switch progress {
      case .found(_, let objects, _): state.found += objects
      case .started(let uri):
        if state.first == nil { state.first = now }
        state.entries[uri] = Entry(started: now)
      case .extracted(let uri, let pages, let all):
        let pages = advance(&state.entries[uri], to: .reading, pages, of: all)
        second(&state, now) { $0.pages += pages }
      case .recognized(let uri, let pages, let all):
        // Images of pages that were counted as read already.
        _ = advance(&state.entries[uri], to: .reading, pages, of: all)
      case .embedded(let uri, let chunks, let all):
        let chunks = advance(&state.entries[uri], to: .embedding, chunks, of: all)
        second(&state, now) { $0.chunks += chunks }
      case .committed(let document): finish(document.uri, &state, now)
      case .planned(let uri, _, _): finish(uri, &state, now)
      case .unchanged(let uri): finish(uri, &state, now)
      case .moved(_, let uri): finish(uri, &state, now)
      case .failed(let failure):
        state.failed += 1
        finish(SourceURI(rawValue: failure.name), &state, now)
      case .skipped(let skipped):
        // What a listing passes over was not counted as found; what is named by its URI was.
        if skipped.name.contains("://") { finish(SourceURI(rawValue: skipped.name), &state, now) }
      case .deleted, .deletionRefused: break
      }
    }
  }

  /// Everything at this moment.
  public func snapshot() -> Snapshot {
    let now = now()
    return state.withLock { state in
      var snapshot = Snapshot()
      snapshot.found = max(state.found, state.finished)
      snapshot.finished = state.finished
      snapshot.failed = state.failed
      snapshot.inWork = state.entries.map { uri, entry in
        Work(uri: uri, stage: entry.stage, done: entry.done, total: entry.total, elapsed: now - entry.started)
      }.sorted { ($0.elapsed, $1.uri) > ($1.elapsed, $0.uri) }
      guard let first = state.first else { return snapshot }
      let recent = Int64((now - origin).seconds) - Int64(Self.window)
      let seconds = state.seconds.filter { $0.number > recent }
      let span = min(Double(Self.window), max(1, (now - first).seconds))
      snapshot.documentsPerMinute = Double(seconds.reduce(0) { $0 + $1.documents }) * 60 / span
      snapshot.pagesPerSecond = Double(seconds.reduce(0) { $0 + $1.pages }) / span
      snapshot.chunksPerSecond = Double(seconds.reduce(0) { $0 + $1.chunks }) / span
      let rest = snapshot.found - state.finished
      let rate = snapshot.documentsPerMinute / 60
      if rest > 0, rate > 0 { snapshot.remaining = .seconds(Double(rest) / rate) }
      return snapshot
    }
  }

  private func finish(_ uri: SourceURI, _ state: inout State, _ now: ContinuousClock.Instant) {
    state.entries[uri] = nil
    state.finished += 1
    second(&state, now) { $0.documents += 1 }
  }

  /// Moves a document on, and returns by how much.
  private func advance(_ entry: inout Entry?, to stage: Stage, _ done: Int, of total: Int) -> Int {
    let before = entry?.stage == stage ? entry?.done ?? 0 : 0
    entry?.stage = stage
    entry?.done = done
    entry?.total = total
    return max(0, done - before)
  }

  private func second(_ state: inout State, _ now: ContinuousClock.Instant, _ change: (inout Second) -> Void) {
    let number = Int64((now - origin).seconds)
    let place = Int(number % Int64(Self.window))
    if state.seconds[place].number != number { state.seconds[place] = Second(number: number) }
    change(&state.seconds[place])
  }
}
