import Answering
public import Core
import Glibc
public import Ingestion
import OpenSearchStore
public import Telemetry

extension Library {
  /// Opens the library that `settings` name only to look at it: a store that does not exist is not made (an empty one
  /// in a temporary folder stands for it), and one of an earlier version is not brought up to date.
  /// - Throws: A ``CategorizedError`` of the store (`store.outdated_schema`), or what `body` throws.
  public static func withReading<Result>(
    _ settings: Settings, environment: [String: String], log: StructuredLog,
    _ body: (Library) async throws -> Result
  ) async throws -> Result {
    let remote = RemoteParts(settings: settings, environment: environment)
    if settings.store.kind == .opensearch {
      do {
        let store = try await OpenStore.open(settings, remote: remote, environment: environment, mustExist: true)
        return try await withOpen(
          settings, store: store, remote: remote, environment: environment, log: log, body)
      } catch let error as OpenSearchError where error.code == "store.missing" {
        // An empty one stands for it, as below.
      }
    }
    var status = stat()
    if settings.store.kind == .sqlite, stat(settings.store.path, &status) == 0,
      status.st_size > 0 || status.st_mode & S_IFMT != S_IFREG
    {
      let store = try await OpenStore.open(
        settings, remote: remote, environment: environment, mustExist: true, migrates: false)
      return try await withOpen(settings, store: store, remote: remote, environment: environment, log: log, body)
    }
    let folder = try TemporaryIndexFolder(environment: environment)
    defer { folder.remove() }
    var settings = settings
    settings.store.kind = .sqlite
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
        sample: sample, measuresEmbedding: settings.embedding.kind == .local,
        measuresRecognition: settings.ocr.pricePerThousandPages == 0),
      progress: progress)
  }

  /// What ingestion costs. What runs on this machine costs nothing.
  public func ingestionPrices() throws -> IngestionPrices {
    let model = try embedder().identity.model
    let configured = settings.prices[model]?.input
    return IngestionPrices(
      model: model, perThousandTokens: settings.embedding.kind == .local ? configured ?? 0 : configured,
      perThousandImages: settings.ocr.pricePerThousandPages)
  }
}

/// Prices of ingestion, USD; nil where the configuration has none.
public struct IngestionPrices: Sendable, Hashable {
  /// The embedding model's id.
  public var model: String
  /// For 1,000 tokens embedded.
  public var perThousandTokens: Double?
  /// For 1,000 pages read from their image.
  public var perThousandImages: Double?

  /// USD for embedding what a plan has to embed.
  public func embedding(_ plan: IngestionPlan) -> Double? {
    perThousandTokens.map { $0 * Double(plan.tokens) / 1000 }
  }

  /// USD for the images of a plan.
  public func images(_ plan: IngestionPlan) -> Double? {
    plan.recognizedPages == 0 ? 0 : perThousandImages.map { $0 * Double(plan.recognizedPages) / 1000 }
  }
}
