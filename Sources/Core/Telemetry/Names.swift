/// The names of all metrics Quarry writes: one table, so that dashboards and code cannot drift apart.
public enum MetricName {
  /// Cosine of one passage of the final top-k of live traffic; no dimensions, 1-second resolution.
  public static let similarity = "similarity"
  /// Questions by outcome.
  public static let questions = "questions"
  /// Seconds of one stage; dimension `stage`.
  public static let stageSeconds = "stage_seconds"
  /// Cosine of the best passage.
  public static let topSimilarity = "top_similarity"
  /// Citations whose quote was found in the stored text, as a share of all citations of an answer, 0 to 1.
  public static let citationSupport = "citation_support"
  /// Tokens of prompts.
  public static let inputTokens = "input_tokens"
  /// Tokens generated.
  public static let outputTokens = "output_tokens"
  /// Documents by result of ingestion.
  public static let documents = "documents"
  /// Telemetry dropped because its queue was full.
  public static let droppedTelemetry = "dropped_telemetry"
  /// Failed HTTP requests by error code.
  public static let requestErrors = "request_errors"
  /// Attempts that a service of AWS throttled; dimensions `service`, `action`.
  public static let throttledCalls = "throttled_calls"
  /// Calls of a service of AWS that were sent again; dimensions `service`, `action`.
  public static let retriedCalls = "retried_calls"
  /// A point that `quarry doctor` sends to see whether points are taken.
  public static let doctor = "doctor"
}

/// The names of spans: stages of the two pipelines.
public enum SpanName: String, Sendable, CaseIterable {
  /// One document through the ingest pipeline.
  case ingestDocument = "ingest.document"
  /// Reading pages.
  case extract = "ingest.extract"
  /// Cleaning pages and cutting chunks.
  case chunk = "ingest.chunk"
  /// Embedding chunks.
  case embedChunks = "ingest.embed"
  /// Writing to the index.
  case commit = "ingest.commit"
  /// One question from request to answer.
  case answer = "ask"
  /// Embedding the question.
  case embedQuestion = "ask.embed"
  /// Searching and fusing.
  case retrieve = "ask.retrieve"
  /// Generating or extracting.
  case generate = "ask.generate"
  /// Checking quotes.
  case ground = "ask.ground"
  /// One HTTP request.
  case request = "http.request"
}

/// Dimension names of metrics.
public enum DimensionName {
  /// The application.
  public static let app = "app"
  /// The environment.
  public static let environment = "environment"
  /// The model.
  public static let model = "model"
  /// The collection.
  public static let collection = "collection"
  /// The outcome of a question or document.
  public static let outcome = "outcome"
  /// A stage.
  public static let stage = "stage"
  /// An error code.
  public static let code = "code"
  /// A service that is asked, such as `bedrock`.
  public static let service = "service"
  /// What it is asked, such as `InvokeModel`.
  public static let action = "action"
}
