import Core

extension Event {
  /// What the event takes in memory, bytes, about: its texts and vectors count, the rest is taken as constant.
  var approximateBytes: Int {
    switch payload {
    case .answer(let event):
      var bytes = 2_048 + event.question.utf8.count + event.answer.utf8.count
      bytes += (event.rewrittenQuestion?.utf8.count ?? 0) + 4 * (event.questionEmbedding?.count ?? 0)
      bytes += event.prompt?.system.utf8.count ?? 0
      for turn in event.prompt?.turns ?? [] { bytes += turn.text.utf8.count }
      for passage in event.passages { bytes += 512 + passage.documentName.utf8.count + 8 * passage.pages.count }
      for citation in event.citations { bytes += 256 + citation.quote.utf8.count }
      bytes += 128 * (event.sentences?.count ?? 0)
      for (name, value) in event.retrievalParameters { bytes += name.utf8.count + value.utf8.count }
      for label in event.gateLabels { bytes += label.utf8.count }
      return bytes
    case .feedback(let event): return 512 + (event.comment?.utf8.count ?? 0)
    case .evaluation(let event): return 512 + event.name.utf8.count + (event.explanation?.utf8.count ?? 0)
    case .embedding(let event): return 1_024 + 4 * event.vector.count + 8 * event.pages.count
    case .tombstone: return 512
    }
  }
}
