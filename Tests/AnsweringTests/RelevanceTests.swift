import Answering
import Core
import QuarryTesting
import Testing

@Suite struct RelevanceTests {
  private func features(_ question: String, _ texts: String..., similarity: Float = 0.5) -> RelevanceFeatures {
    let passages = texts.enumerated().map { place, text in
      let chunk = Sample.chunk(of: Sample.page(place + 1, text: text), document: Sample.document(), ordinal: place)
      let document = Sample.document()
      return Passage(
        rank: place + 1, chunk: chunk,
        document: DocumentReference(
          id: document.id, name: document.name, uri: document.uri, version: document.version,
          collection: document.collection), similarity: similarity - Float(place) / 100, score: 0, legs: [:])
    }
    return RelevanceFeatures(question: question, passages: passages)
  }

  @Test(arguments: [
    (
      "What did the repair of the weir cost?", "The repair of the weir cost £5,000.",
      "The repair of the weir took 5 men."
    ),
    ("In which year did Pemberwick die?", "Pemberwick did die in 1871.", "Pemberwick did die of a fever, aged 71."),
    ("When was the weir repaired?", "The weir was repaired on 3 May.", "The weir was repaired by 3 men."),
    ("What percentage of eels die?", "Of the eels 12 % die.", "Of the eels 12 die."),
    ("How many turbines has the weir?", "The weir has six turbines.", "The weir has some turbines, T5 among them."),
    ("How deep is basin 7?", "Basin 7 is 4.5 metres deep.", "Basin 7 is quite deep."),
    ("Who repaired the weir?", "The weir was repaired by Anna Holt.", "The weir was repaired by a fitter."),
    ("Wie schwer ist der Generator?", "Der Generator wiegt 80 Tonnen.", "Der Generator ist sehr schwer."),
    ("Was kostet der Generator?", "Der Generator kostet 900 Euro.", "Der Generator kostet wenig."),
  ])
  func tellsWhether_theKindOfThingAskedForIsThere(question: String, answer: String, miss: String) {
    #expect(features(question, answer).expectedAnswer == 1)
    #expect(features(question, miss).expectedAnswer == 0)
  }

  @Test func comparesTheBestSentenceWithAnAnswer_withTheBestSentence() {
    let features = features(
      "What did the repair of the weir cost?", "The repair of the weir was hard. The cost was £3.")
    // "repair", "weir" against "cost".
    #expect(features.expectedAnswer == 0.5)
  }

  @Test func expectsNothing_ofAQuestionWithoutAKnownKind() {
    #expect(features("Why did the gate fall?", "The gate fell because a rope broke.").expectedAnswer == 1)
  }

  @Test func looksAtTheSamePassages_howeverManyThereAre() {
    let few = features("weir gate", "a", "b", "c", "d", "e")
    #expect(few == features("weir gate", "a", "b", "c", "d", "e", "the weir and the gate"))
  }

  @Test func neverFallsByMoreOfAFeature() {
    #expect(RelevanceModel.fitted.weights.count == RelevanceFeatures.names.count)
    #expect(RelevanceModel.fitted.weights.allSatisfy { $0 >= 0 })
  }
}
