import Concurrency

/// Threads for blocking work, taken in turn.
struct Lanes: Sendable {
  private let queues: [BlockingQueue]
  private let turn = Locked(0)

  /// Creates `count` lanes, at least 1, named `label` and a number.
  init(count: Int, label: String) {
    queues = (0..<max(1, count)).map { BlockingQueue(label: "\(label).\($0)") }
  }

  /// The lane whose turn it is.
  func next() -> BlockingQueue {
    turn.withLock { turn in
      turn = (turn + 1) % queues.count
      return queues[turn]
    }
  }
}
