import Answering
import Core
import QuarryTesting
import Telemetry

/// A small library with a use case over it.
struct Fixture {
  let index = InMemoryDocumentIndex()
  let embedder = FakeEmbedder()
  let events = InMemoryEventLog()
  let conversations = InMemoryConversationStore()
  let recorder: TelemetryRecorder

  init() {
    recorder = TelemetryRecorder(
      identity: .init(app: "test", environment: "test", quarryVersion: "0"), eventLog: events)
  }

  static let texts = [
    "The upper weir is twelve metres high. It was built in 1962 by the river authority.",
    "Turbine two was overhauled in 2019. The bearings of turbine two were replaced.",
    "Visitors may enter the gallery on Sundays. Dogs must be kept on a lead.",
  ]

  func add(_ texts: [String] = Fixture.texts, name: String = "manual.pdf") async throws -> Document {
    let document = Sample.document(name)
    try await index.commit(Sample.indexed(document, texts: texts, embedder: embedder))
    return document
  }

  func retriever(_ settings: RetrievalSettings = .init()) -> HybridRetriever {
    HybridRetriever(index: index, embedder: embedder, settings: settings, relevance: Fixture.byCoverage)
  }

  /// Confidence is the best share of the question's words in one passage.
  static let byCoverage = RelevanceModel(bias: -5, weights: [0, 10, 0, 0])

  func extractive(gates: [any Gate] = []) -> QuestionAnswering {
    answering(ExtractiveAnswerer(embedder: embedder, index: index), gates: gates)
  }

  func answering(
    _ answerer: any Answerer, rewriter: QuestionRewriter? = nil, gates: [any Gate] = []
  ) -> QuestionAnswering {
    QuestionAnswering(
      retriever: retriever(), answerer: answerer, rewriter: rewriter, index: index, conversations: conversations,
      gates: gates,
      recorder: recorder)
  }

  func generative(_ responses: [ScriptedTextGenerator.Response]) -> (QuestionAnswering, ScriptedTextGenerator) {
    let generator = ScriptedTextGenerator(responses)
    return (answering(GenerativeAnswerer(generator: generator, index: index)), generator)
  }

  /// Delivers what was recorded and returns it.
  func recorded() async -> [Event] {
    recorder.finish()
    await recorder.run()
    return events.all
  }
}

/// Says no to texts that contain a word.
struct WordGate: Gate {
  let name = "words"
  var forbidden: String

  func examine(_ text: String, stage: GateStage, context: RequestContext) async throws -> GateVerdict {
    let found = text.contains(forbidden)
    return GateVerdict(gate: name, isAllowed: !found, labels: found ? ["word"] : [], message: found ? "no" : nil)
  }
}
