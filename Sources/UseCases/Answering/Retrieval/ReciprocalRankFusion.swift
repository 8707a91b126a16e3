package import Core

/// Weighted reciprocal rank fusion: a chunk's score is the sum over legs of weight / (k + rank).
/// Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
/// Learning Methods", SIGIR 2009.
package struct ReciprocalRankFusion: Sendable {
  /// Damps the lead of the first ranks; 60 in the paper.
  package var k: Double
  /// The weight of each leg; 1 when absent.
  package var weights: [RetrievalLeg: Double]

  package init(k: Double = 60, weights: [RetrievalLeg: Double] = [:]) {
    self.k = k
    self.weights = weights
  }

  /// A chunk with its fused score.
  package struct Fused: Sendable, Hashable {
    package var chunk: ChunkID
    package var score: Double
    package var legs: [RetrievalLeg: LegScore]
  }

  /// Fuses ranked lists, best first; equal scores are ordered by chunk id so that results are stable.
  package func fuse(_ legs: [RetrievalLeg: [Candidate]]) -> [Fused] {
    var fused: [ChunkID: Fused] = [:]
    for (leg, candidates) in legs {
      let weight = weights[leg] ?? 1
      guard weight > 0 else { continue }
      for (offset, candidate) in candidates.enumerated() {
        let share = weight / (k + Double(offset + 1))
        let legScore = LegScore(rank: offset + 1, score: candidate.score)
        fused[candidate.chunk, default: Fused(chunk: candidate.chunk, score: 0, legs: [:])].score += share
        fused[candidate.chunk]?.legs[leg] = legScore
      }
    }
    return fused.values.sorted { left, right in
      left.score == right.score ? left.chunk < right.chunk : left.score > right.score
    }
  }
}
