import Answering
import Core
import FoundationEssentials
import Insight
import QuarryTesting
import Testing

@Suite struct RefusalCalibrationTests {
  /// The numbers of SplitMix64 as fractions, as in the Python of the oracles.
  private struct Uniform {
    var state: UInt64
    mutating func next() -> Double {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return Double((mixed ^ (mixed >> 31)) >> 11) / 9_007_199_254_740_992
    }
  }

  private func rows(_ count: Int, seed: UInt64) -> (features: [[Double]], labels: [Bool]) {
    var uniform = Uniform(state: seed)
    var features: [[Double]] = []
    var labels: [Bool] = []
    for _ in 0..<count {
      let (a, b, c) = (uniform.next(), uniform.next(), uniform.next())
      features.append([a, b * 10, 1])
      labels.append(a + 0.05 * b * 10 + 0.4 * (c - 0.5) > 0.75)
    }
    return (features, labels)
  }

  /// Oracle: scikit-learn 1.9.1, LogisticRegression(C=1/λ, solver='newton-cholesky', tol=1e-12) on StandardScaler's
  /// columns, weights divided by the deviations.
  @Test(arguments: [
    (1.0, -7.435131897906554, 8.5109728, 0.4985645), (0.1, -14.6555265374729, 16.59744725, 1.02516143),
  ])
  func fitsAsScikitLearn(penalty: Double, bias: Double, first: Double, second: Double) {
    let (features, labels) = rows(60, seed: 7)
    #expect(labels.count { $0 } == 25)
    let model = LogisticRegression(features: features, labels: labels, penalty: penalty)
    #expect(abs(model.bias - bias) < 1e-6)
    #expect(abs(model.weights[0] - first) < 1e-6 && abs(model.weights[1] - second) < 1e-6)
    #expect(model.weights[2] == 0, "a feature that never varies says nothing")
  }

  @Test func staysFinite_onSeparableSamples() {
    let model = LogisticRegression(features: [[0], [1], [2], [3]], labels: [false, false, true, true], penalty: 0.01)
    #expect(model.weights[0].isFinite && model.probability([3]) > 0.9 && model.probability([0]) < 0.1)
  }

  @Test func leavesOut_whatWouldSpeakAgainst_whenNegativeWeightsAreNotAllowed() {
    let (features, labels) = rows(60, seed: 7)
    let turned = features.map { [$0[0], -$0[1]] }
    let model = LogisticRegression(features: turned, labels: labels, allowsNegative: false)
    let alone = LogisticRegression(features: features.map { [$0[0]] }, labels: labels)
    #expect(model.weights[1] == 0)
    #expect(abs(model.weights[0] - alone.weights[0]) < 1e-9 && abs(model.bias - alone.bias) < 1e-9)
  }

  @Test func countsASample_asOftenAsItsImportance() {
    let (features, labels) = rows(60, seed: 9)
    let importance = labels.indices.map { $0 < 20 ? 2.0 : 1.0 }
    let weighted = LogisticRegression(features: features, labels: labels, importance: importance)
    // Deviations of features differ between the two, so only the likelihood is compared: hardly any penalty.
    let twice = LogisticRegression(
      features: features + features.prefix(20), labels: labels + labels.prefix(20), penalty: 1e-9)
    let unpenalised = LogisticRegression(features: features, labels: labels, importance: importance, penalty: 1e-9)
    #expect(abs(unpenalised.weights[0] - twice.weights[0]) < 1e-4 * abs(twice.weights[0]))
    #expect(weighted.weights[0] != unpenalised.weights[0])
  }

  private func kinds(_ labels: [Bool]) -> [RefusalSample.Kind] { labels.map { $0 ? .answerable : .nearMiss } }

  /// Oracle: sklearn.metrics.roc_auc_score([0,0,1,1,0,1,0,1], [.1,.4,.35,.8,.8,.65,.2,.9]).
  @Test func measuresTheArea_asScikitLearn() {
    let curve = ReceiverOperating(
      scores: [0.1, 0.4, 0.35, 0.8, 0.8, 0.65, 0.2, 0.9],
      kinds: kinds([false, false, true, true, false, true, false, true]))
    #expect(curve.area() == 0.78125 && curve.area(against: .nearMiss) == 0.78125)
    #expect(curve.area(against: .foreign) == nil)
    #expect(ReceiverOperating(scores: [1], kinds: [.answerable]).area() == nil)
  }

  @Test func choosesTheHighestThreshold_thatRefusesFewEnough() {
    let curve = ReceiverOperating(
      scores: [0.2, 0.5, 0.6, 0.8, 0.1, 0.3, 0.55, 0.9],
      kinds: kinds([true, true, true, true, false, false, false, false]))
    let expected = [(0.0, 0.0, 0.25), (0.25, 0.25, 0.5), (0.5, 0.5, 0.75)]
    for (limit, answerable, nearMisses) in expected {
      let point = curve.point(at: curve.threshold(refusingAtMost: limit))
      #expect(point.answerable == answerable && point.nearMisses == nearMisses && point.foreign == nil)
    }
  }

  /// Fewer folds and draws than by default: tests run unoptimised.
  private let quick = RefusalCalibration.Settings(folds: 5, bootstrap: Bootstrap(resamples: 40))

  private func samples(_ count: Int, seed: UInt64, set: String, informative: Bool) -> [RefusalSample] {
    var uniform = Uniform(state: seed)
    return (0..<count).map { place in
      let kind: RefusalSample.Kind = place % 3 != 0 ? .answerable : place % 2 == 0 ? .nearMiss : .foreign
      let features = RelevanceFeatures.names.map { _ in
        uniform.next() + (informative && kind == .answerable ? 0.6 : 0)
      }
      return .init(library: set, set: set, id: "\(place)", features: features, kind: kind)
    }
  }

  @Test func reportsChance_whenFeaturesSayNothing() throws {
    let report = try RefusalCalibration.fit(samples(240, seed: 3, set: "noise", informative: false), settings: quick)
    let area = try #require(report.outOfFold.areas.all.value)
    // Scores of samples that the model saw would be well above one half.
    #expect(area < 0.6, "\(area)")
    #expect(report.transfers.isEmpty)
  }

  @Test func keepsItsRule_onQuestionsItDidNotSee() throws {
    let report = try RefusalCalibration.fit(
      samples(300, seed: 4, set: "one", informative: true) + samples(150, seed: 5, set: "two", informative: true),
      settings: quick)
    let rates = report.outOfFold
    #expect(try #require(rates.areas.nearMisses.value) > 0.9 && #require(rates.areas.foreign.value) > 0.9)
    #expect(try #require(rates.answerable.value) < 0.16)
    #expect(try #require(rates.nearMisses.value) > 0.7 && #require(rates.foreign.value) > 0.7)
    #expect(report.transfers.map(\.library) == ["one", "two"])
    #expect(try #require(report.transfers[0].rates.areas.all.value) > 0.9)
    #expect(report.model.weights.allSatisfy { $0 >= 0 })
    #expect(report.text.contains("RelevanceModel(bias: "))
    let json = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
    #expect(json.contains("\"refused_near_misses\"") && json.contains("\"out_of_fold\""))
  }

  @Test func refuses_tooFewQuestionsOfAKind() {
    let error = #expect(throws: InsightError.self) {
      try RefusalCalibration.fit(samples(20, seed: 1, set: "few", informative: true))
    }
    #expect(error?.code == "refusal.samples")
  }

  @Test func measuresQuestions_asEvaluationTraffic_leavingOutWhatIsMissing() async throws {
    let found = Make.retrieval([Make.passage("a.pdf", pages: [1], rank: 1, similarity: 0.7)])
    var words = found
    words.legs = [.lexical]
    let retriever = ScriptedRetriever([
      "question yes": found, "question no": found, "question gone": found, "question script": words,
    ])
    let calibration = RefusalCalibration(retriever: retriever, index: try await Make.index(["a.pdf"]))
    let set = QuestionSet(
      name: "s",
      questions: [
        Make.question("yes", [("a.pdf", 1)]), Make.question("no", [], isAnswerable: false),
        Make.question("gone", [("gone.pdf", 1)]), Make.question("script", [("a.pdf", 1)]),
      ])
    let samples = try await calibration.samples(of: set, context: RequestContext())
    #expect(samples.map(\.id) == ["yes", "no"])
    #expect(samples.map(\.kind) == [.answerable, .nearMiss])
    #expect(abs(samples[0].features[0] - 0.7) < 1e-6)
    #expect(retriever.calls.allSatisfy { $0.context.traffic == .evaluation })
    let foreign = try await calibration.samples(of: set, askedOf: "other", context: RequestContext())
    #expect(foreign.map(\.kind) == [.foreign, .foreign, .foreign])
    #expect(foreign.allSatisfy { $0.library == "other" && $0.set == "s" })
  }
}
