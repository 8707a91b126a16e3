public import Core

/// An error of ingestion itself; errors of readers, stores and models pass through as they are.
public struct IngestionError: CategorizedError {
  /// A stable dotted code.
  public let code: String
  /// What happened.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The kind of failure.
  public let category: ErrorCategory
  /// The error beneath.
  public let underlying: (any Error)?

  init(
    code: String, category: ErrorCategory, message: String, remedy: String? = nil, underlying: (any Error)? = nil
  ) {
    self.code = code
    self.category = category
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }

  static func identityMismatch(active: EmbeddingIdentity, configured: EmbeddingIdentity) -> IngestionError {
    IngestionError(
      code: "index.identity_mismatch", category: .conflict,
      message: "the index holds vectors of \(active.summary), but the configured model makes \(configured.summary)",
      remedy: "Run `quarry ingest --rebuild` to embed everything anew, or configure the model of the index")
  }

  static let noVector = IngestionError(
    code: "ingest.embedding_missing", category: .internal,
    message: "the embedding model returned fewer vectors than texts")
}
