import Concurrency
import Core
import FoundationEssentials
import QuarryTesting
import SQLiteStore
import Testing

@Suite struct CacheBoundTests {
  private let identity = FakeEmbedder.identity(dimension: 2)

  private func hash(_ number: Int) -> TextHash { TextHash(rawValue: Sample.hex("\(number)", digits: 64)) }

  private func entries(_ numbers: Range<Int>) -> [TextHash: Embedding] {
    Dictionary(uniqueKeysWithValues: numbers.map { (hash($0), Embedding(unit: [0, 1])) })
  }

  @Test func keepsWhatWasUsedLast_whenTrimmed() async throws {
    try await withDatabase { database in
      let day = Locked(Sample.date)
      let clock: @Sendable () -> Date = { day.withLock { $0 } }
      // Room for 50 entries of 200 bytes.
      let cache = SQLiteEmbeddingCache(database, maximumBytes: 10_000, now: clock)
      try await cache.store(entries(0..<20), identity: identity)
      day.withLock { $0 += 86_400 }
      try await cache.store(entries(20..<40), identity: identity)
      day.withLock { $0 += 86_400 }
      // The oldest are used again.
      #expect(try await cache.embeddings(for: (0..<20).map(hash), identity: identity).count == 20)
      #expect(try await cache.trim(isDryRun: false) == 0)
      try await cache.store(entries(40..<55), identity: identity)
      let left = try await cache.embeddings(for: (0..<55).map(hash), identity: identity)
      #expect(left.count <= 50 && left.count >= 44)
      #expect((0..<20).allSatisfy { left[hash($0)] != nil })
      #expect((40..<55).allSatisfy { left[hash($0)] != nil })
    }
  }

  @Test func neverGrowsFarBeyondItsBound() async throws {
    try await withDatabase { database in
      let cache = SQLiteEmbeddingCache(database, maximumBytes: 20_000)
      for batch in 0..<40 { try await cache.store(entries(batch * 10..<batch * 10 + 10), identity: identity) }
      let left = try await cache.embeddings(for: (0..<400).map(hash), identity: identity)
      #expect(left.count <= 120, "\(left.count)")
      #expect(left[hash(399)] != nil)
    }
  }
}
