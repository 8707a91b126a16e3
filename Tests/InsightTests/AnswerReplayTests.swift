import Core
import FoundationEssentials
import QuarryTesting
import Testing

@testable import Insight

@Suite struct AnswerReplayTests {
  private func passage(_ chunk: String, _ document: String = "d", pages: [Int] = [1], rank: Int)
    -> AnswerEvent.RecordedPassage
  {
    AnswerEvent.RecordedPassage(
      chunkID: ChunkID(rawValue: chunk), documentID: DocumentID(rawValue: document), documentName: "\(document).pdf",
      version: ContentVersion(rawValue: "v"), pages: pages, rank: rank, similarity: Float(rank) / 10, score: 1,
      legs: [:],
      usedInPrompt: false)
  }

  @Test func pairsPassagesByChunk_thenByPagesOfTheDocument() {
    let before = [
      passage("a", rank: 1), passage("b", rank: 2), passage("c", "e", pages: [4, 5], rank: 3), passage("x", rank: 4),
    ]
    let after = [
      passage("a", rank: 1), passage("c2", "e", pages: [5], rank: 2), passage("b", rank: 3),
      passage("n", "f", rank: 4),
    ]
    let found = PassageComparison(before: before, after: after).passages
    #expect(found.map(\.status) == [.kept, .replaced, .moved, .new, .gone])
    #expect(found.map(\.chunkID) == ["a", "c2", "b", "n", "x"])
    #expect(found.map(\.rankBefore) == [1, 3, 2, nil, 4])
    #expect(found.map(\.rankAfter) == [1, 2, 3, 4, nil])
    #expect(found[1].similarityBefore == 0.3 && found[1].similarityAfter == 0.2 && found[4].similarityAfter == nil)
  }

  @Test func asksWithWhatRetrievalWasAskedFor() throws {
    var answer = Sample.answerEvent(question: "And why?")
    answer.rewrittenQuestion = "Why is the dam high?"
    answer.retrievalParameters = [
      "top_k": "7", "minimum_similarity": "0.25", "collections": "a,b", "documents": "d1",
      "attributes": #"{"k=":"v,w"}"#,
    ]
    var notes: [String] = []
    let question = try AnswerReplay.question(of: answer, event: Sample.event(.answer(answer)), notes: &notes)
    #expect(question.text == "Why is the dam high?" && question.conversation == nil)
    #expect(question.topK == 7 && question.minimumSimilarity == 0.25)
    #expect(question.filter.collections == [CollectionName(rawValue: "a"), CollectionName(rawValue: "b")])
    #expect(question.filter.documents == [DocumentID(rawValue: "d1")] && question.filter.attributes == ["k=": "v,w"])
    #expect(notes.count == 1)

    answer = Sample.answerEvent()
    answer.conversationID = nil
    answer.rewrittenQuestion = nil
    answer.retrievalParameters = ["top_k": "default", "minimum_similarity": "default"]
    notes = []
    let plain = try AnswerReplay.question(of: answer, event: Sample.event(.answer(answer)), notes: &notes)
    #expect(plain.topK == nil && plain.filter.collections == [.default] && notes.isEmpty)
  }

  @Test(arguments: ["question", "rewritten_question", "retrieval_parameters"])
  func saysWhichRedactedFieldPreventsIt(field: String) {
    let event = Sample.event(.answer(Sample.answerEvent()), redacted: ["answer", field])
    var notes: [String] = []
    let error = #expect(throws: InsightError.self) {
      _ = try AnswerReplay.question(of: Sample.answerEvent(), event: event, notes: &notes)
    }
    #expect(error?.code == "replay.redacted" && error?.message.contains("its \(field) was redacted") == true)
  }
}
