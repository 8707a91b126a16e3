package import Core

/// Fusion of scores: a chunk's score is the weighted sum of its cosine and its word score, each divided by the
/// best of the question's candidates.
///
/// Unlike fusion of ranks it keeps how much better a hit is, and uses the cosine of every candidate, whichever leg
/// found it. Source: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 2023;
/// docs/retrieval.md has the comparison on Quarry's own data.
package struct ConvexFusion: Sendable {
  /// The weight of each leg; 1 when absent. Word and trigram scores count by the better of the two.
  package var weights: [RetrievalLeg: Double]

  package init(weights: [RetrievalLeg: Double] = [:]) {
    self.weights = weights
  }

  /// Fuses scored lists, best first; equal scores are ordered by chunk id so that results are stable.
  package func fuse(_ candidates: Candidates) -> [FusedCandidate] {
    var fused: [ChunkID: FusedCandidate] = [:]
    var words: [ChunkID: Double] = [:]
    for (leg, hits) in candidates.legs {
      let best = hits.first.map(\.score) ?? 0
      for (offset, hit) in hits.enumerated() {
        fused[hit.chunk, default: FusedCandidate(chunk: hit.chunk)].legs[leg] = LegScore(
          rank: offset + 1, score: hit.score)
        guard leg != .dense, best > 0 else { continue }
        words[hit.chunk] = max(words[hit.chunk] ?? 0, (weights[leg] ?? 1) * max(0, hit.score) / best)
      }
    }
    // Cosines of a question that the model cannot read are noise: they are shown, but have no say.
    let usesCosine = candidates.legs[.dense] != nil
    let bestCosine = Double(candidates.similarities.values.max() ?? 0)
    for chunk in fused.keys {
      let cosine = Double(candidates.similarities[chunk] ?? 0)
      let dense = usesCosine && bestCosine > 0 ? (weights[.dense] ?? 1) * max(0, cosine) / bestCosine : 0
      fused[chunk]?.score = dense + (words[chunk] ?? 0)
    }
    return fused.values.sorted()
  }
}
