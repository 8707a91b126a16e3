public import Answering
public import Core
import Glibc
public import Ingestion
import SQLiteStore
public import Telemetry

extension Library {
  /// Opens the library that `settings` name only to look at it: a store that does not exist is not made (an empty one
  /// in a temporary folder stands for it), and one of an earlier version is not brought up to date.
  /// - Throws: A ``CategorizedError`` of the store (`store.outdated_schema`), or what `body` throws.
  public static func withReading<Result>(
    _ settings: Settings, environment: [String: String], log: StructuredLog,
    _ body: (Library) async throws -> Result
  ) async throws -> Result {
    var status = stat()
    if stat(settings.store.path, &status) == 0, status.st_size > 0 || status.st_mode & S_IFMT != S_IFREG {
      let database = try await SQLiteDatabase.open(settings.store.path, mustExist: true, migrates: false)
      return try await withOpen(settings, database: database, environment: environment, log: log, body)
    }
    let folder = try TemporaryIndexFolder(environment: environment)
    defer { folder.remove() }
    var settings = settings
    settings.store.path = folder.database
    return try await withOpen(settings, environment: environment, log: log, body)
  }

  /// Says what ingestion of `sources` would do and take. The built-in model and an OCR command cost nothing, so their
  /// speed is measured.
  public func plan(
    _ sources: [any DocumentSource], sample: Int?, progress: @escaping IngestionProgressHandler
  ) async throws -> IngestionPlan {
    try await ingester().plan(
      sources,
      request: PlanningRequest(
        sample: sample, measuresEmbedding: settings.embedding.kind == .local, measuresRecognition: true),
      progress: progress)
  }

  /// The embedding model's id and price; the price is nil when the table of prices does not have it. What runs on this
  /// machine costs nothing.
  public func embeddingPrice() throws -> (model: String, price: QuestionAnswering.TokenPrice?) {
    let model = try embedder().identity.model
    switch settings.embedding.kind {
    case .local: return (model, settings.prices[model] ?? .init(input: 0, output: 0))
    case .bedrock: return (model, settings.prices[model])
    }
  }
}
