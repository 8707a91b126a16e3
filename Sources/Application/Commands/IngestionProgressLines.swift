import ArgumentParsing
import Concurrency
import Core
import Ingestion

/// Progress of ingestion on standard error: on a terminal a view that is redrawn below the lines of what was done;
/// elsewhere the lines alone, and every half minute one of figures.
final class IngestionProgressLines: Sendable {
  private struct State {
    /// Lines of the view that stand on the terminal.
    var drawn = 0
    var lastDrawn: ContinuousClock.Instant?
    var hasEnded = false
  }

  private let context: CommandContext
  private let isQuiet: Bool
  private let activity: IngestionActivity
  private let state = Locked(State())
  private let ticker = Locked<Task<Void, Never>?>(nil)
  private var isLive: Bool { context.errorIsTerminal && context.environment["TERM"] != "dumb" }

  init(_ context: CommandContext, isQuiet: Bool, activity: IngestionActivity = IngestionActivity()) {
    self.context = context
    self.isQuiet = isQuiet
    self.activity = activity
    guard !isQuiet else { return }
    // A document that takes long says nothing for a while: the view must not look dead.
    let interval: Duration = isLive ? .milliseconds(500) : .seconds(30)
    let task = Task { [weak self] in
      while (try? await Task.sleep(for: interval)) != nil, let self { self.tick() }
    }
    ticker.withLock { $0 = task }
  }

  deinit { ticker.withLock { $0?.cancel() } }

  func show(_ progress: IngestionProgress) {
    activity.record(progress)
    guard !isQuiet else { return }
    switch progress {
    case .found, .unchanged: break
    case .started, .extracted, .recognized, .embedded: draw()
    case .committed(let document):
      let note =
        document.state == .ready ? "" : " – \(document.state.rawValue)\(document.reason.map { ": \($0)" } ?? "")"
      line("\(name(document.uri)): \(document.pages) pages, \(document.chunks) chunks\(note)")
    case .moved(let from, let to): line("\(name(from)) is now \(AnswerText.singleLine(to.rawValue))")
    case .planned(let uri, let pages, let chunks): line("\(name(uri)): \(pages) pages, \(chunks) chunks")
    case .deleted(let uri): line("deleted \(name(uri))")
    case .deletionRefused(let root, let count, let reason): line("kept \(count) documents of \(root): \(reason)")
    case .skipped(let skipped): line("skipped \(skipped.name): \(skipped.reason)")
    case .failed(let failed): line("failed: \(AnswerText.singleLine(failed.message)) (\(failed.code))")
    }
  }

  /// Ends the view.
  func finish() {
    ticker.withLock { $0?.cancel() }
    state.withLock { state in
      clear(&state)
      state.hasEnded = true
    }
  }

  private func name(_ uri: SourceURI) -> String { AnswerText.singleLine(uri.name) }

  private func tick() {
    if isLive { return draw() }
    let snapshot = activity.snapshot()
    guard snapshot.found > 0 || !snapshot.inWork.isEmpty else { return }
    state.withLock { state in
      if !state.hasEnded { context.printError(IngestionView.fields(snapshot)) }
    }
  }

  private func line(_ text: String) {
    let snapshot = activity.snapshot()
    state.withLock { state in
      clear(&state)
      context.printError("[\(snapshot.finished)/\(snapshot.found)] \(text)")
    }
  }

  /// Redraws the view, at most ten times a second.
  private func draw() {
    guard isLive else { return }
    let snapshot = activity.snapshot()
    state.withLock { state in
      let now = ContinuousClock.now
      if state.hasEnded { return }
      if let last = state.lastDrawn, last.duration(to: now) < .milliseconds(100) { return }
      state.lastDrawn = now
      clear(&state)
      let lines = IngestionView.lines(snapshot, columns: context.width)
      context.errorOutput("\r\u{1B}[2K" + lines.joined(separator: "\n"))
      state.drawn = lines.count
    }
  }

  private func clear(_ state: inout State) {
    guard state.drawn > 0 else { return }
    context.errorOutput("\r\u{1B}[2K" + String(repeating: "\u{1B}[1A\u{1B}[2K", count: state.drawn - 1))
    state.drawn = 0
  }
}
