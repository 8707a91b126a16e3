import Core
import Telemetry

/// Only live traffic counts in metrics of quality and use. docs/metrics.md has the table.
extension QuestionAnswering {
  /// Publishes what an answer says of quality, use and cost.
  /// - Parameter cost: USD; nil when a price is not known.
  func publish(_ answer: Answer, cost: Double?, work: Work, context: RequestContext) {
    guard context.traffic == .live else { return }
    let points = Points(recorder: recorder, dimensions: dimensions(answer.outcome, answer.model, context))
    points.count(MetricName.questions, 1)
    points.count(MetricName.refusals, answer.outcome == .refused ? 1 : 0)
    publishPassages(answer.passages, points)
    if !answer.citations.isEmpty {
      let share = Double(answer.citations.count(where: \.isVerified)) / Double(answer.citations.count)
      points.value(MetricName.citationSupport, share)
    }
    if !answer.sentences.isEmpty {
      points.count(MetricName.sentences, answer.sentences.count)
      points.count(MetricName.unsupportedSentences, answer.sentences.count { !$0.isSupported })
    }
    if let seconds = answer.timings.timeToFirstToken {
      points.value(MetricName.timeToFirstToken, seconds, unit: .seconds)
    }
    if let usage = answer.usage {
      points.count(MetricName.inputTokens, usage.inputTokens)
      points.count(MetricName.outputTokens, usage.outputTokens)
    }
    if let cost { points.value(MetricName.cost, cost) }
    publishStages(answer.timings, context)
    publishFallbacks(work, context)
  }

  /// Publishes that a question failed.
  func publishFailure(code: String, context: RequestContext) {
    guard context.traffic == .live else { return }
    recorder.metric(MetricName.questions, 1, unit: .count, dimensions: dimensions(.failed, nil, context))
    recorder.metric(
      MetricName.errors, 1, unit: .count, dimensions: place(context).merging([DimensionName.code: code]) { $1 })
  }

  private struct Points {
    let recorder: TelemetryRecorder
    let dimensions: [String: String]

    func count(_ name: String, _ number: Int) {
      recorder.metric(name, Double(number), unit: .count, dimensions: dimensions)
    }

    func value(_ name: String, _ value: Double, unit: MetricUnit = .none) {
      recorder.metric(name, value, unit: unit, dimensions: dimensions)
    }
  }

  private func publishPassages(_ passages: [Passage], _ points: Points) {
    for passage in passages {
      let score: Double? =
        switch settings.similarityMetric {
        case .cosine: Double(passage.similarity)
        case .raw: passage.legs[.dense]?.score
        }
      if let score { recorder.metric(MetricName.similarity, score, isHighResolution: true) }
    }
    points.count(MetricName.hits, passages.count)
    guard let first = passages.first, let best = passages.map(\.similarity).max() else { return }
    points.value(MetricName.topSimilarity, Double(best))
    // The score that ranked them: a reranker's where there was one.
    func score(_ passage: Passage) -> Double { passage.rerankScore ?? passage.score }
    points.value(MetricName.topScore, score(first))
    if passages.count > 1 { points.value(MetricName.scoreMargin, score(first) - score(passages[1])) }
  }

  private func publishStages(_ timings: StageTimings, _ context: RequestContext) {
    let stages: [(String, Double?)] = [
      ("rewriting", timings.rewriting), ("embedding", timings.embedding), ("retrieval", timings.retrieval),
      ("reranking", timings.reranking), ("generation", timings.generation), ("grounding", timings.grounding),
      ("total", timings.total),
    ]
    for (stage, seconds) in stages {
      guard let seconds else { continue }
      recorder.metric(
        MetricName.stageSeconds, seconds, unit: .seconds,
        dimensions: place(context).merging([DimensionName.stage: stage]) { $1 })
    }
  }

  private func publishFallbacks(_ work: Work, _ context: RequestContext) {
    let failures = [("rewriting", work.rewriting?.record.failure), ("reranking", work.retrieval?.rerankFailure)]
    for (stage, code) in failures {
      guard let code else { continue }
      recorder.metric(
        MetricName.fallbacks, 1, unit: .count,
        dimensions: place(context).merging([DimensionName.stage: stage, DimensionName.code: code]) { $1 })
    }
  }

  private func place(_ context: RequestContext) -> [String: String] {
    [DimensionName.app: context.app, DimensionName.environment: context.environment]
  }

  private func dimensions(_ outcome: Outcome, _ model: String?, _ context: RequestContext) -> [String: String] {
    var dimensions = place(context)
    dimensions[DimensionName.outcome] = outcome.rawValue
    dimensions[DimensionName.model] = model
    return dimensions
  }
}
