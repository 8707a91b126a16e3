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

  /// Fuses ranked lists, best first; equal scores are ordered by chunk id so that results are stable.
  package func fuse(_ legs: [RetrievalLeg: [Candidate]]) -> [FusedCandidate] {
    var fused: [ChunkID: FusedCandidate] = [:]
    for (leg, candidates) in legs {
      let weight = weights[leg] ?? 1
      guard weight > 0 else { continue }
      for (offset, candidate) in candidates.enumerated() {
        let share = weight / (k + Double(offset + 1))
        let legScore = LegScore(rank: offset + 1, score: candidate.score)
        fused[candidate.chunk, default: FusedCandidate(chunk: candidate.chunk)].score += share
        fused[candidate.chunk]?.legs[leg] = legScore
      }
    }
    return fused.values.sorted()
  }
}
