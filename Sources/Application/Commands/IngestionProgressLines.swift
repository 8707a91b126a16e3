import ArgumentParsing
import Concurrency
import Core
import Ingestion

/// Progress of ingestion on standard error: one line that is redrawn on a terminal, plain lines otherwise.
final class IngestionProgressLines: Sendable {
  private struct State {
    var total = 0
    var finished = 0
    var chunks = 0
    var isDrawn = false
    var lastDrawn: ContinuousClock.Instant?
  }

  private let context: CommandContext
  private let isQuiet: Bool
  private let state = Locked(State())

  init(_ context: CommandContext, isQuiet: Bool) {
    self.context = context
    self.isQuiet = isQuiet
  }

  func show(_ progress: IngestionProgress) {
    guard !isQuiet else { return }
    switch progress {
    case .found(_, let objects, _): state.withLock { $0.total += objects }
    case .started: break
    case .extracted(let uri, let pages, let all): draw("reading \(name(uri)) \(pages)/\(all) pages")
    case .embedded(let uri, let chunks, let all): draw("embedding \(name(uri)) \(chunks)/\(all) chunks")
    case .committed(let document):
      let note =
        document.state == .ready ? "" : " – \(document.state.rawValue)\(document.reason.map { ": \($0)" } ?? "")"
      finish("\(name(document.uri)): \(document.pages) pages, \(document.chunks) chunks\(note)")
    case .unchanged: state.withLock { $0.finished += 1 }
    case .moved(let from, let to): finish("\(name(from)) is now \(AnswerText.singleLine(to.rawValue))")
    case .deleted(let uri): line("deleted \(name(uri))")
    case .deletionRefused(let root, let count, let reason): line("kept \(count) documents of \(root): \(reason)")
    case .skipped(let skipped): line("skipped \(skipped.name): \(skipped.reason)")
    case .failed(let failed): finish("failed: \(AnswerText.singleLine(failed.message)) (\(failed.code))")
    }
  }

  /// Clears the redrawn line.
  func finish() { state.withLock { clear(&$0) } }

  private func name(_ uri: SourceURI) -> String { AnswerText.singleLine(uri.name) }

  private func finish(_ text: String) {
    state.withLock { $0.finished += 1 }
    line(text)
  }

  private func line(_ text: String) {
    state.withLock { state in
      clear(&state)
      context.printError("[\(state.finished)/\(state.total)] \(text)")
    }
  }

  /// Redraws the line at most ten times a second.
  private func draw(_ text: String) {
    guard context.errorIsTerminal else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      if let last = state.lastDrawn, last.duration(to: now) < .milliseconds(100) { return }
      state.lastDrawn = now
      let width = 20
      let done = state.total == 0 ? 0 : state.finished * width / max(1, state.total)
      let bar = String(repeating: "█", count: done) + String(repeating: "░", count: width - done)
      let full = "\(bar) \(state.finished)/\(state.total) \(text)"
      context.errorOutput("\r\u{1B}[2K" + String(full.prefix(max(20, context.width - 1))))
      state.isDrawn = true
    }
  }

  private func clear(_ state: inout State) {
    if state.isDrawn { context.errorOutput("\r\u{1B}[2K") }
    state.isDrawn = false
  }
}
