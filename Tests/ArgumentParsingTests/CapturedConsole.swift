import ArgumentParsing
import Synchronization

/// Streams of a run in memory.
final class CapturedConsole: Sendable {
  private let written = Mutex((output: "", error: ""))

  var output: String { written.withLock { $0.output } }
  var error: String { written.withLock { $0.error } }

  func context(input: String = "", outputFailure: String? = nil) -> CommandContext {
    CommandContext(
      output: { text in self.written.withLock { $0.output += text } },
      errorOutput: { text in self.written.withLock { $0.error += text } },
      input: { _ in input }, outputFailure: { outputFailure }, width: 80)
  }
}
