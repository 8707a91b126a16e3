import Core
import QuarryTesting
import Testing

@testable import Answering

struct SupportTests {
  /// The verdict on one sentence that cites a passage.
  private func verdict(
    _ sentence: String, by evidence: String, embedder: (any Embedder)? = nil, cites number: Int = 1
  ) async throws -> AnswerSentence {
    let document = Sample.document("survey.pdf")
    let indexed = Sample.indexed(document, texts: [evidence], embedder: FakeEmbedder())
    let passage = Passage(
      rank: 1, chunk: indexed.chunks[0].chunk,
      document: DocumentReference(
        id: document.id, name: "survey.pdf", uri: document.uri, version: document.version, collection: .default),
      similarity: 1, score: 1, legs: [:])
    var parser = CitationParser(passages: 1)
    _ = parser.add("\(sentence) [\(number)]")
    _ = parser.finish()
    let verdicts = await SupportCheck(embedder: embedder).judge(CitedSentence.all(of: parser), passages: [passage])
    return try #require(verdicts.first)
  }

  @Test(
    arguments: [
      ("The weir is 12 metres high.", "The weir is twelve metres high."),
      ("The weir cost 1,250,000 euros.", "The weir cost 1.25 million euros."),
      ("The weir cost two million euros.", "The weir cost 2,000,000 euros."),
      ("Repairs of the weir cost 3.40 euros.", "Repairs of the weir cost 3,4 euros."),
      ("The weir was opened on 3 May 2019.", "Weir opened: 2019-05-03."),
      ("The weir holds twenty-five gates.", "The weir holds 25 gates."),
      ("The crest is 40m wide.", "The crest is 40 m wide."),
      ("Alderford's weir is high.", "The weir at Alderford is high."),
      ("1. The weir is high.", "The weir is high."),
      ("Das Wehr ist zwölf Meter hoch.", "Das Wehr ist 12 Meter hoch."),
    ])
  func anotherSpellingIsSupported(_ sentence: String, _ evidence: String) async throws {
    let verdict = try await verdict(sentence, by: evidence)
    #expect(verdict.isSupported, "\(String(describing: verdict.reason)) \(verdict.missing)")
  }

  @Test(
    arguments: [
      ("The weir is 13 metres high.", "The weir is twelve metres high.", .number, ["13"]),
      ("The weir is thirteen metres high.", "The weir is 12 metres high.", .number, ["thirteen"]),
      ("The weir of 1962 is 12.5 metres high.", "The weir of 1962 is 125 metres high.", .number, ["12.5"]),
      ("The weir cost two million euros.", "The weir cost 2,500,000 euros.", .number, ["two"]),
      ("The weir was built by Brunel.", "The weir was built by the river trust.", .name, ["Brunel"]),
      ("The bearings of turbine T6 were replaced.", "The bearings of turbine T5 were replaced.", .name, ["T6"]),
      ("Penguins inhabit the northern spillway.", "The weir is high.", .words, []),
    ] as [(String, String, UnsupportedReason, [String])])
  func aNumberOrNameThatIsNotThereIsFlagged(
    _ sentence: String, _ evidence: String, _ reason: UnsupportedReason, _ missing: [String]
  ) async throws {
    let verdict = try await verdict(sentence, by: evidence)
    #expect(verdict.reason == reason && verdict.missing == missing, "\(verdict)")
    #expect(verdict.citations == [1])
  }

  @Test func capitalsTellNothing_whereNounsHaveThem() async throws {
    let evidence = "Das Wehr der Mühle in Alderford hat eine Krone aus Beton und ein Tor aus Stahl für das Wasser."
    let sentence = "Im Ort Alderford hat das Wehr der Mühle ein Tor aus Stahl und eine Krone aus Beton für Wasser."
    #expect(try await verdict(sentence, by: evidence).isSupported)
  }

  @Test func theSameInOtherWordsIsSupported_whenTheModelSaysSo() async throws {
    let sentence = "Dogs stay on leads."
    let evidence = "Canines must be kept leashed."
    #expect(try await verdict(sentence, by: evidence).reason == .words)
    #expect(try await verdict(sentence, by: evidence, embedder: OneDirectionEmbedder()).isSupported)
    // What the model cannot weigh are numbers.
    #expect(
      try await verdict("Dogs stay on 3 leads.", by: evidence, embedder: OneDirectionEmbedder()).reason == .number)
    let failing = FakeEmbedder()
    failing.fail(with: CoreError(code: "model.down", category: .unavailable, message: "down"))
    #expect(try await verdict(sentence, by: evidence, embedder: failing).reason == .words)
  }

  @Test func aSentenceThatCitesNothingIsFlagged() async throws {
    var parser = CitationParser(passages: 1)
    _ = parser.add("The weir is high. The weir is old [1].")
    let sentences = CitedSentence.all(of: parser)
    let verdicts = await SupportCheck(embedder: nil).judge(sentences, passages: [])
    #expect(verdicts.first?.reason == .uncited)
    #expect(sentences.map(\.range) == [0..<17, 18..<38])
  }

  @Test(
    arguments: [
      ("One. [1] Two. [2]", ["One.", "Two."], [[1], [2]], [0..<8, 9..<17]),
      ("One [1]. Two [2].", ["One.", "Two."], [[1], [2]], [0..<8, 9..<17]),
      ("Größe é. [2] Zwei [1, 2].", ["Größe é.", "Zwei."], [[2], [1, 2]], [0..<12, 13..<25]),
    ] as [(String, [String], [[Int]], [Range<Int>])])
  func citationsBelongToTheSentenceBeforeThem(
    _ text: String, _ words: [String], _ numbers: [[Int]], _ ranges: [Range<Int>]
  ) {
    var parser = CitationParser(passages: 2)
    _ = parser.add(text)
    _ = parser.finish()
    let sentences = CitedSentence.all(of: parser)
    #expect(sentences.map(\.text) == words)
    #expect(sentences.map { $0.marks.map(\.number) } == numbers)
    #expect(sentences.map(\.range) == ranges)
  }

  @Test(
    arguments: [
      ("A [9].", "A.", [9]), ("A [1] [9] b", "A [1] b", [1, 9]), ("A [1, 9].", "A [1].", [1, 9]),
      ("A. [9]", "A.", [9]), ("[9] A", " A", [9]), ("a [x] b", "a [x] b", []), ("A [0: \"q\"]", "A", [0]),
    ] as [(String, String, [Int])])
  func numbersThatAreNoPassagesAreTakenOut(_ said: String, _ shown: String, _ numbers: [Int]) {
    for piece in [1, 2, 100] {
      var parser = CitationParser(passages: 1)
      var text = ""
      var rest = said[...]
      while !rest.isEmpty {
        text += parser.add(String(rest.prefix(piece)))
        rest = rest.dropFirst(piece)
      }
      text += parser.finish()
      #expect(text == shown && parser.text == shown)
      #expect(parser.marks.map(\.number) == numbers)
    }
  }
}

/// Takes all texts for the same.
private struct OneDirectionEmbedder: Embedder {
  private let inner = FakeEmbedder()
  var identity: EmbeddingIdentity { inner.identity }
  var limit: EmbeddingLimit { inner.limit }
  var batchSize: Int { inner.batchSize }
  func embed(_ texts: [String], as input: EmbeddingInput) async throws -> [Embedding] {
    let one = try await inner.embed(["x"], as: input)[0]
    return texts.map { _ in one }
  }
}
