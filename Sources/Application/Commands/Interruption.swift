import Concurrency

/// Ends long work in its own time on Ctrl-C or SIGTERM.
enum Interruption {
  private enum Step<Result: Sendable>: Sendable {
    case finished(Result)
    case interrupted
  }

  /// Runs `body`, and cancels it on the first signal; the second one ends the process as it would any other.
  /// - Throws: What `body` throws; `CancellationError` when a signal ended it.
  static func cancelling<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    // Made before the work starts, so that no signal finds the default action.
    let signals = Signals.stream(of: [.interrupt, .terminate])
    return try await withThrowingTaskGroup(of: Step<Result>.self) { group in
      group.addTask { .finished(try await body()) }
      group.addTask {
        // The stream ends with its reader, and then signals have their default action again.
        for await _ in signals { return .interrupted }
        throw CancellationError()
      }
      defer { group.cancelAll() }
      while let step = try await group.next() {
        switch step {
        case .finished(let result): return result
        case .interrupted: group.cancelAll()
        }
      }
      throw CancellationError()
    }
  }
}
