package import Core

/// A chunk with its fused score and how each leg found it; sorts best first, equal scores by chunk id.
package struct FusedCandidate: Sendable, Hashable, Comparable {
  package var chunk: ChunkID
  package var score: Double = 0
  package var legs: [RetrievalLeg: LegScore] = [:]

  package static func < (left: FusedCandidate, right: FusedCandidate) -> Bool {
    left.score == right.score ? left.chunk < right.chunk : left.score > right.score
  }
}
