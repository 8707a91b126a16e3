/// The highest scores of a stream: a heap with the worst on top, so most offers cost one comparison.
struct TopScores {
  private var heap: [(score: Double, chunk: Int64)] = []
  private let capacity: Int

  init(capacity: Int) {
    self.capacity = max(0, capacity)
    heap.reserveCapacity(self.capacity)
  }

  private static func isWorse(_ a: (score: Double, chunk: Int64), _ b: (score: Double, chunk: Int64)) -> Bool {
    a.score == b.score ? a.chunk > b.chunk : a.score < b.score
  }

  mutating func offer(_ score: Double, _ chunk: Int64) {
    if heap.count == capacity {
      guard let worst = heap.first, Self.isWorse(worst, (score, chunk)) else { return }
      heap[0] = (score, chunk)
      sink()
      return
    }
    heap.append((score, chunk))
    var child = heap.count - 1
    while child > 0, Self.isWorse(heap[child], heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var worst = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && Self.isWorse(heap[child], heap[worst]) {
        worst = child
      }
      if worst == parent { return }
      heap.swapAt(parent, worst)
      parent = worst
    }
  }

  /// Best first.
  func sorted() -> [ScoredChunk] {
    heap.sorted { Self.isWorse($1, $0) }.map { ScoredChunk(chunk: $0.chunk, score: $0.score) }
  }
}
