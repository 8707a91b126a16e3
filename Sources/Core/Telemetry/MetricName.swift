public import Core

/// The names of all metrics Quarry writes: one table, so that dashboards and code cannot drift apart.
/// ``MetricDefinition/all`` says what each is; docs/metrics.md is compared with it by a test.
public enum MetricName {
  /// Score of one passage of the final top-k of live traffic; no dimensions, 1-second resolution.
  public static let similarity = "similarity"
  /// Questions by outcome.
  public static let questions = "questions"
  /// Questions refused.
  public static let refusals = "refusals"
  /// Passages retrieved for a question.
  public static let hits = "hits"
  /// Cosine of the best passage.
  public static let topSimilarity = "top_similarity"
  /// Score that ranks the first passage.
  public static let topScore = "top_score"
  /// What the first passage's score is above the second's.
  public static let scoreMargin = "score_margin"
  /// Seconds of one stage; dimension `stage`.
  public static let stageSeconds = "stage_seconds"
  /// Seconds from asking the text model to its first token.
  public static let timeToFirstToken = "time_to_first_token"
  /// Citations whose quote was found in the stored text, as a share of all citations of an answer, 0 to 1.
  public static let citationSupport = "citation_support"
  /// Sentences of answers.
  public static let sentences = "sentences"
  /// Sentences of answers that what they cite does not support.
  public static let unsupportedSentences = "unsupported_sentences"
  /// Tokens of prompts.
  public static let inputTokens = "input_tokens"
  /// Tokens generated.
  public static let outputTokens = "output_tokens"
  /// USD of answers by the table of prices.
  public static let cost = "cost"
  /// Questions that failed by error code.
  public static let errors = "errors"
  /// Questions answered without the rewriting or reranking that was asked for, by error code; dimension `stage`.
  public static let fallbacks = "fallbacks"
  /// Attempts that a service of AWS throttled; dimensions `service`, `action`.
  public static let throttledCalls = "throttled_calls"
  /// Calls of a service of AWS that were sent again; dimensions `service`, `action`.
  public static let retriedCalls = "retried_calls"
  /// Documents by result of ingestion.
  public static let documents = "documents"
  /// Messages of queues of object events; dimension `outcome`: `received`, `deleted`, `passed_over` or `left`.
  public static let queueMessages = "queue_messages"
  /// Failed HTTP requests by error code.
  public static let requestErrors = "request_errors"
  /// A point that `quarry doctor` sends to see whether points are taken.
  public static let doctor = "doctor"
  /// Events and metrics lost: the queue was full, or the log, the spool or an exporter failed.
  public static let droppedTelemetry = "dropped_telemetry"
}

/// What a metric is.
public struct MetricDefinition: Sendable, Hashable {
  /// Its name.
  public let name: String
  /// The unit of its points.
  public let unit: MetricUnit
  /// The dimensions that a point may have; one without a value is left out.
  public let dimensions: [String]
  /// Whether points add up, as counts and costs do, rather than being spread.
  public let isSum: Bool
  /// One sentence.
  public let help: String

  private init(
    _ name: String, _ unit: MetricUnit, _ dimensions: [String], isSum: Bool? = nil, _ help: String
  ) {
    self.name = name
    self.unit = unit
    self.dimensions = dimensions
    self.isSum = isSum ?? (unit == .count)
    self.help = help
  }

  private static let place = [DimensionName.app, DimensionName.environment]
  private static let answer = place + [DimensionName.outcome, DimensionName.model]
  private static let service = [DimensionName.service, DimensionName.action]

  /// Every metric, in the order of the documentation.
  public static let all: [MetricDefinition] = [
    .init(MetricName.similarity, .none, [], "Score of one passage of the final top-k of live traffic."),
    .init(MetricName.topSimilarity, .none, answer, "Cosine of the best passage."),
    .init(MetricName.topScore, .none, answer, "Score that ranks the first passage."),
    .init(MetricName.scoreMargin, .none, answer, "What the first passage's score is above the second's."),
    .init(MetricName.hits, .count, answer, "Passages retrieved."),
    .init(MetricName.questions, .count, answer, "Questions."),
    .init(MetricName.refusals, .count, answer, "Questions refused."),
    .init(MetricName.stageSeconds, .seconds, place + [DimensionName.stage], "Time of one stage."),
    .init(MetricName.timeToFirstToken, .seconds, answer, "Time from asking the text model to its first token."),
    .init(MetricName.citationSupport, .none, answer, "Share of citations whose quote stands on the page."),
    .init(MetricName.sentences, .count, answer, "Sentences of answers."),
    .init(MetricName.unsupportedSentences, .count, answer, "Sentences that what they cite does not support."),
    .init(MetricName.inputTokens, .count, answer, "Tokens of prompts."),
    .init(MetricName.outputTokens, .count, answer, "Tokens generated."),
    .init(MetricName.cost, .none, answer, isSum: true, "USD by the table of prices."),
    .init(MetricName.errors, .count, place + [DimensionName.code], "Questions that failed."),
    .init(
      MetricName.fallbacks, .count, place + [DimensionName.stage, DimensionName.code],
      "Questions answered without a stage that failed."),
    .init(MetricName.throttledCalls, .count, service, "Attempts that a service of AWS throttled."),
    .init(MetricName.retriedCalls, .count, service, "Calls of AWS that were sent again."),
    .init(MetricName.documents, .count, [DimensionName.outcome, DimensionName.code], "Documents ingested, or failed."),
    .init(MetricName.queueMessages, .count, [DimensionName.outcome], "Messages of queues of object events."),
    .init(MetricName.requestErrors, .count, place + [DimensionName.code], "HTTP requests that failed."),
    .init(MetricName.doctor, .count, [], "Runs of the command doctor."),
    .init(MetricName.droppedTelemetry, .count, place, "Events and metrics lost."),
  ]

  /// A metric by its name; nil for one that is not Quarry's.
  public static func named(_ name: String) -> MetricDefinition? { byName[name] }

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
