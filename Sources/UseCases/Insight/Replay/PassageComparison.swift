import Core

/// Passages then and now, paired by chunk, and where a document was cut anew, by its pages.
struct PassageComparison {
  typealias Recorded = AnswerEvent.RecordedPassage

  let passages: [ReplayReport.Passage]

  init(before: [Recorded], after: [Recorded]) {
    let known = Dictionary(before.map { ($0.chunkID, $0) }, uniquingKeysWith: { first, _ in first })
    let stays = Set(after.map(\.chunkID))
    var gone = before.filter { !stays.contains($0.chunkID) }
    var passages = after.map { now -> ReplayReport.Passage in
      if let then = known[now.chunkID] {
        return Self.passage(then.rank == now.rank ? .kept : .moved, then, now)
      }
      let place = gone.firstIndex { $0.documentID == now.documentID && !Set($0.pages).isDisjoint(with: now.pages) }
      guard let place else { return Self.passage(.new, nil, now) }
      return Self.passage(.replaced, gone.remove(at: place), now)
    }
    passages += gone.map { Self.passage(.gone, $0, nil) }
    self.passages = passages
  }

  private static func passage(
    _ status: ReplayReport.PassageStatus, _ then: Recorded?, _ now: Recorded?
  ) -> ReplayReport.Passage {
    let shown = now ?? then
    return ReplayReport.Passage(
      status: status, documentName: shown?.documentName ?? "", documentID: shown?.documentID.rawValue ?? "",
      pages: shown?.pages ?? [], chunkID: shown?.chunkID.rawValue ?? "", rankBefore: then?.rank, rankAfter: now?.rank,
      similarityBefore: then?.similarity, similarityAfter: now?.similarity)
  }
}
