import Core
import Glibc

/// The places that retrieval found for one question, and how right they are.
///
/// The best chunk of a page ranks the page. A chunk over several pages credits each of them at its one rank, and a
/// page is listed once: a chunk that brings no new page takes no rank.
struct RankedPages {
  private struct Place: Hashable {
    var document: String
    var page: Int?
  }

  private var ranks: [Place: Int] = [:]
  private var documentRanks: [String: Int] = [:]

  /// Ranks the pages of passages, best first.
  init(_ passages: [Passage]) {
    var rank = 1
    for passage in passages {
      var isNew = false
      func credit(_ place: Place) {
        if ranks[place] == nil {
          ranks[place] = rank
          isNew = true
        }
        if documentRanks[place.document] == nil { documentRanks[place.document] = rank }
      }
      for range in passage.chunk.pages { credit(Place(document: passage.document.name, page: range.page)) }
      // An equal passage is shown once for all the documents that have it. Its pages in the others are not known:
      // it counts there for the document, not for a page.
      for other in passage.alsoIn where documentRanks[other.name] == nil {
        documentRanks[other.name] = rank
        isNew = true
      }
      if isNew { rank += 1 }
    }
  }

  /// The rank, from 1, of a right place; nil when it was not found.
  private func rank(of evidence: EvaluationQuestion.Evidence) -> Int? {
    guard let page = evidence.page else { return documentRanks[evidence.document] }
    return ranks[Place(document: evidence.document, page: page)]
  }

  /// The rank of the first right place; nil when none was found.
  func firstRight(_ evidence: [EvaluationQuestion.Evidence]) -> Int? { evidence.compactMap(rank).min() }

  /// Normalised discounted cumulative gain of the first `depth` ranks, 0 to 1: Σ grade ÷ log₂(rank + 1), divided by
  /// that sum for the ideal order of all right places.
  ///
  /// Right pages that one chunk credits at one rank could sum to more than the ideal order: the value ends at 1.
  /// Source: Järvelin & Kekäläinen (2002), doi:10.1145/582415.582418, with the linear gain of trec_eval's `ndcg_cut`.
  func gain(_ evidence: [EvaluationQuestion.Evidence], depth: Int) -> Double {
    var seen: Set<Place> = []
    let distinct = evidence.filter { seen.insert(Place(document: $0.document, page: $0.page)).inserted }
    var ideal = 0.0
    for (place, grade) in distinct.map(\.grade).sorted(by: >).prefix(depth).enumerated() {
      ideal += grade / log2(Double(place + 2))
    }
    guard ideal > 0 else { return 0 }
    var found = 0.0
    for evidence in distinct {
      if let rank = rank(of: evidence), rank <= depth { found += evidence.grade / log2(Double(rank + 1)) }
    }
    return min(1, found / ideal)
  }
}
