import Answering
import Concurrency
import Core
import QuarryTesting
import Telemetry
import Testing

struct AnswerMetricsTests {
  private let fixture = Fixture()
  private let points = KeptPoints()
  private let question = Question(text: "How high is the upper weir in metres?")

  /// Answers once; gives the points by name.
  private func publish(
    _ response: ScriptedTextGenerator.Response, question: Question? = nil,
    settings: QuestionAnswering.Settings = .init(),
    traffic: TrafficKind = .live
  ) async throws -> [String: [MetricPoint]] {
    _ = try await fixture.add()
    let recorder = TelemetryRecorder(
      identity: .init(app: "a", environment: "e", quarryVersion: "0"), eventLog: nil, exporters: [points])
    let answering = QuestionAnswering(
      retriever: fixture.retriever(),
      answerer: GenerativeAnswerer(generator: ScriptedTextGenerator([response]), index: fixture.index),
      index: fixture.index, conversations: fixture.conversations, recorder: recorder, settings: settings)
    _ = try? await answering.answer(
      question ?? self.question, context: .init(app: "a", environment: "e", traffic: traffic))
    recorder.finish()
    await recorder.run()
    let all = points.all
    for point in all {
      let definition = try #require(MetricDefinition.named(point.name), "\(point.name) is not defined")
      #expect(point.unit == definition.unit, "\(point.name)")
      #expect(Set(point.dimensions.keys).isSubset(of: definition.dimensions), "\(point.name)")
    }
    return Dictionary(grouping: all, by: \.name)
  }

  private let halfSupported = ScriptedTextGenerator.Response.text(
    "The upper weir is twelve metres high [1]. It is 40 years old [1].")

  @Test func anAnswerTellsQualityUseAndCost() async throws {
    let points = try await publish(
      halfSupported, settings: .init(prices: ["scripted": .init(input: 1, output: 2)]))
    func values(_ name: String) -> [Double] { points[name]?.map(\.value) ?? [] }
    #expect(values(MetricName.questions) == [1] && values(MetricName.refusals) == [0])
    #expect(values(MetricName.sentences) == [2] && values(MetricName.unsupportedSentences) == [1])
    #expect(values(MetricName.hits) == [3] && values(MetricName.similarity).count == 3)
    #expect(points[MetricName.similarity]?.allSatisfy { $0.isHighResolution && $0.dimensions.isEmpty } == true)
    #expect(values(MetricName.topSimilarity) == [values(MetricName.similarity).max() ?? -1])
    #expect(values(MetricName.topScore).count == 1 && values(MetricName.scoreMargin).allSatisfy { $0 > 0 })
    #expect(values(MetricName.timeToFirstToken).count == 1)
    let (input, output) = (values(MetricName.inputTokens).first ?? 0, values(MetricName.outputTokens).first ?? 0)
    #expect(input > 0 && output > 0)
    #expect(values(MetricName.cost) == [(input + 2 * output) / 1000])
    #expect(
      points[MetricName.questions]?.first?.dimensions == [
        "app": "a", "environment": "e", "outcome": "answered", "model": "scripted",
      ])
    let stages = points[MetricName.stageSeconds]?.compactMap { $0.dimensions["stage"] } ?? []
    #expect(Set(stages) == ["embedding", "retrieval", "generation", "grounding", "total"])
  }

  @Test func aPriceThatIsMissingIsNoCost() async throws {
    #expect(try await publish(halfSupported)[MetricName.cost] == nil)
  }

  @Test func aRefusalAndAFailureAreCounted() async throws {
    let refusal = try await publish(.text("NO_ANSWER"))
    #expect(refusal[MetricName.refusals]?.map(\.value) == [1])
    let failure = try await AnswerMetricsTests().publish(
      .failure(CoreError(code: "model.down", category: .unavailable, message: "down")))
    #expect(failure[MetricName.errors]?.map(\.dimensions) == [["app": "a", "environment": "e", "code": "model.down"]])
    #expect(failure[MetricName.questions]?.first?.dimensions["outcome"] == "failed")
  }

  @Test func rawSimilarityIsTheEmbeddingLegsScore_ofWhatItFound() async throws {
    let raw = try await publish(halfSupported, settings: .init(similarityMetric: .raw))
    let found = try await fixture.retriever().retrieve(question, context: .init())
    #expect(raw[MetricName.similarity]?.map(\.value) == found.passages.compactMap { $0.legs[.dense]?.score })
  }

  @Test(arguments: [TrafficKind.evaluation, .replay, .canary])
  func onlyLiveTrafficIsCounted(_ traffic: TrafficKind) async throws {
    #expect(try await publish(halfSupported, traffic: traffic).isEmpty)
  }
}

/// Keeps what is exported.
final class KeptPoints: MetricExporter {
  let name = "kept"
  private let points = Locked<[MetricPoint]>([])
  var all: [MetricPoint] { points.withLock { $0 } }
  func export(_ new: [MetricPoint]) async throws { points.withLock { $0 += new } }
}
