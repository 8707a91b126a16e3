import Concurrency
import Dispatch

/// Private serial queues, taken in turn: each has a thread of its own, apart from the cooperative pool.
struct Lanes: Sendable {
  private let queues: [DispatchQueue]
  private let turn = Locked(0)

  /// Creates `count` lanes, at least 1.
  init(count: Int) {
    queues = (0..<max(1, count)).map { DispatchQueue(label: "quarry.embedding.queries.\($0)") }
  }

  /// The lane whose turn it is.
  func next() -> DispatchQueue {
    turn.withLock { turn in
      turn = (turn + 1) % queues.count
      return queues[turn]
    }
  }
}
