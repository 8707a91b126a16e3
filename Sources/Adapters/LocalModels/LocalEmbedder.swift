import Concurrency
public import Core
import FoundationEssentials

/// The built-in embedding model, all-MiniLM-L6-v2, on this machine's CPU: no network, no account.
///
/// Mean pooling, L2 normalisation, 384 dimensions, no prefixes, 256 tokens; English. A text's vector depends on
/// the text alone. Work runs on the embedder's own threads: documents on one lane that uses all threads it may,
/// questions on others with one thread each, so that a question never waits for a batch of documents.
public final class LocalEmbedder: Embedder {
  /// The model's limit: tokens of a text, `[CLS]` and `[SEP]` included.
  public static let tokenLimit = 256

  /// What makes its vectors comparable.
  public let identity: EmbeddingIdentity
  /// Counts tokens exactly as the model does.
  public let tokenizer: WordPieceTokenizer
  /// Texts of one call beyond this number gain nothing.
  public let batchSize = 32

  private let encoder: Encoder
  private let threads: Int
  private let documentLane: BlockingQueue
  private let queryLanes: Lanes

  /// Loads the model, in some 50 ms.
  /// - Parameters:
  ///   - files: Where the model is.
  ///   - scheme: How vectors are computed; part of their identity.
  ///   - threads: How many threads documents may use, at least 1; the machine's cores when nil.
  ///   - kernels: Instructions to use; the widest available when nil. What the CPU lacks is replaced by `.plain`.
  /// - Throws: ``LocalModelsError``: `model.missing` or `model.changed` name the command to run.
  public init(
    files: ModelFiles, scheme: NumericScheme = .fp32, threads: Int? = nil, kernels: KernelPath? = nil
  ) throws(LocalModelsError) {
    let opened = try files.open()
    guard let weights = opened["model.safetensors"], let vocabulary = opened["vocab.txt"],
      let configurationFile = opened["config.json"]
    else { throw .missing("model.safetensors", in: files.directory) }
    let configuration = try BERTConfiguration.read(configurationFile.bytes)
    tokenizer = try WordPieceTokenizer(vocabulary: vocabulary.bytes.bindMemory(to: UInt8.self))
    self.threads = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
    encoder = try Encoder(
      configuration: configuration, weights: weights, scheme: scheme, path: kernels, threads: self.threads)
    guard tokenizer.vocabularySize <= configuration.vocabulary, configuration.positions >= Self.tokenLimit else {
      throw .unsupported("vocab.txt and config.json are not of one model")
    }
    documentLane = BlockingQueue(label: "quarry.embedding.documents")
    queryLanes = Lanes(count: self.threads, label: "quarry.embedding.queries")
    identity = EmbeddingIdentity(
      model: ModelFiles.model, revision: ModelFiles.digests[0].sha256, dimension: configuration.hidden,
      pooling: "mean", normalisation: "l2", truncation: "\(Self.tokenLimit) tokens", numericScheme: scheme.rawValue)
  }

  /// 256 tokens, counted exactly.
  public var limit: EmbeddingLimit { .tokens(Self.tokenLimit, counter: tokenizer) }

  /// Latin only: the model was trained on English, and retrieval in other scripts is near random.
  public func reads(_ script: Script) -> Bool { script == .latin }

  /// Embeds `texts`, in order; longer ones than the limit are cut. Cancellation takes effect between batches.
  /// - Throws: ``LocalModelsError``, or `CancellationError`.
  public func embed(_ texts: [String], as input: EmbeddingInput) async throws -> [Embedding] {
    guard !texts.isEmpty else { return [] }
    let lane = input == .query ? queryLanes.next() : documentLane
    let threads = input == .query ? 1 : threads
    let sequences = await lane.run { [tokenizer] in
      texts.map { tokenizer.encode($0, limit: Self.tokenLimit) }
    }
    // Longest first: a batch holds like lengths, and its last sequences to start are its shortest.
    let order = sequences.indices.sorted { left, right in
      (sequences[right].count, left) < (sequences[left].count, right)
    }
    var result = [Embedding?](repeating: nil, count: texts.count)
    var first = 0
    while first < order.count {
      try Task.checkCancellation()
      let batch = order[first..<min(first + batchSize, order.count)]
      let embeddings = try await lane.run { [encoder] () throws(LocalModelsError) in
        try encoder.embed(batch.map { sequences[$0] }, threads: threads)
      }
      for (index, embedding) in zip(batch, embeddings) { result[index] = embedding }
      first += batchSize
    }
    return result.compactMap { $0 }
  }
}
