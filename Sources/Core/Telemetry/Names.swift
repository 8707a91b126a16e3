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
