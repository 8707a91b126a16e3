public import Core

/// What an ingestion would do and take, before anything is computed, paid for or written.
public struct IngestionPlan: Sendable, Hashable {
  /// Documents that are not in the index.
  public var new = 0
  /// Documents whose bytes changed.
  public var changed = 0
  /// Documents that are up to date.
  public var unchanged = 0
  /// Files that have the bytes of a document whose file is gone: they keep its identity and cost nothing.
  public var renamed = 0
  /// Of the unchanged, those made by another pipeline: `--rebuild` renews them, `ingest` does not.
  public var stale = 0
  /// What is passed over, with reasons.
  public var skipped: [SkippedObject] = []
  /// What cannot be read, with reasons.
  public var failed: [FailedObject] = []
  /// New or changed documents by their stamp, and how many of them were read for this plan.
  public var candidates = 0
  /// Documents read for this plan.
  public var read = 0
  /// Pages of new and changed documents.
  public var pages = 0
  /// Pages whose image would be read; their text is not among chunks and tokens.
  public var recognizedPages = 0
  /// Chunks.
  public var chunks = 0
  /// Of these, the ones whose embedding is known, from the cache or from an equal chunk before.
  public var reusedEmbeddings = 0
  /// Tokens of the other chunks, which would be embedded.
  public var tokens = 0
  /// Whether a model's tokenizer counted; else four characters are taken for a token.
  public var areTokensCounted = true
  /// Time to read the documents, seconds: as long as it took for this plan.
  public var readingSeconds = 0.0
  /// Time to embed, seconds; nil when it was not measured.
  public var embeddingSeconds: Double?
  /// Tokens that were embedded to measure it.
  public var embeddingSampleTokens = 0
  /// Time to read pages from their image, seconds; nil when it was not measured.
  public var recognitionSeconds: Double?
  /// Pages that were read to measure it.
  public var recognitionSamplePages = 0

  /// Whether figures of documents that were not read are estimated by their bytes.
  public var isExtrapolated: Bool { read + failed.count < candidates }

  /// Chunks to embed.
  public var embeddings: Int { chunks - reusedEmbeddings }

  /// Reading, embedding and recognition one after the other, seconds; nil when a part is unknown.
  public var totalSeconds: Double? {
    guard let embedding = embeddings == 0 ? 0 : embeddingSeconds,
      let recognition = recognizedPages == 0 ? 0 : recognitionSeconds
    else { return nil }
    return readingSeconds + embedding + recognition
  }

  /// Multiplies what depends on pages by `factor`.
  mutating func extrapolate(by factor: Double) {
    func scaled(_ count: Int) -> Int { Int((Double(count) * factor).rounded()) }
    pages = scaled(pages)
    recognizedPages = scaled(recognizedPages)
    chunks = scaled(chunks)
    reusedEmbeddings = scaled(reusedEmbeddings)
    tokens = scaled(tokens)
    readingSeconds *= factor
  }
}

/// How far a plan goes to know.
public struct PlanningRequest: Sendable, Hashable {
  /// Most documents read; the others are estimated by their bytes. Nil reads all.
  public var sample: Int?
  /// Whether embedding a few chunks to measure its speed costs nothing.
  public var measuresEmbedding: Bool
  /// Whether reading a few images to measure its speed costs nothing.
  public var measuresRecognition: Bool

  /// Creates a request; by default everything is read and measured.
  public init(sample: Int? = nil, measuresEmbedding: Bool = true, measuresRecognition: Bool = true) {
    self.sample = sample.map { max(1, $0) }
    self.measuresEmbedding = measuresEmbedding
    self.measuresRecognition = measuresRecognition
  }
}
