import AWS
public import Answering
import Concurrency
import Configuration
public import Core
import FoundationEssentials
public import Ingestion
import LocalFiles
import PDFReading
public import Telemetry

/// A library of documents opened under a configuration: everything that commands and the HTTP service work with.
///
/// This is where use cases meet backends; nothing above or below knows both.
public final class Library: Sendable {
  /// The configuration in force.
  public let settings: Settings
  /// The log.
  public let log: StructuredLog
  /// The index.
  public let index: any DocumentIndex
  /// The work on documents.
  public let jobs: any JobStore
  /// What ingestion in this process does.
  public let activity = IngestionActivity()
  /// The keys of the HTTP API.
  public let keys: any KeyStore
  /// Where events are read.
  public let eventLog: any EventReader
  /// The recorder of events and metrics.
  public let recorder: TelemetryRecorder

  let uploads: any UploadStore
  let store: OpenStore
  let environment: [String: String]
  let remote: RemoteParts
  /// What sends events to archives beyond this machine.
  let shippers: [EventShipper]
  let prometheus = PrometheusRegistry()
  private let embedderOnce = Locked<Result<any Embedder, any Error>?>(nil)

  private init(
    settings: Settings, environment: [String: String], log: StructuredLog, store: OpenStore, remote: RemoteParts,
    metricLines: (@Sendable (String) -> Void)?
  ) {
    self.settings = settings
    self.environment = environment
    self.log = log
    self.store = store
    self.remote = remote
    index = store.index
    jobs = store.jobs
    uploads = DirectoryUploadStore(
      directory: settings.uploadsDirectory, maximumBytes: settings.uploads.maximumBytes)
    keys = store.keys
    let events = Self.eventLog(settings, remote: remote, log: log)
    eventLog = events.log
    shippers = events.shippers
    recorder = TelemetryRecorder(
      identity: .init(
        app: settings.app, environment: settings.environment, quarryVersion: QuarryVersion.current),
      redaction: settings.events.redaction, eventLog: settings.events.isEnabled ? events.log : nil,
      exporters: Self.exporters(settings.metrics, remote: remote, prometheus: prometheus, lines: metricLines), log: log)
    remote.observe(with: recorder)
  }

  /// Opens the library that `settings` name, making its store when there is none unless it must exist; runs `body`;
  /// then delivers what telemetry was recorded and closes the store, whatever happened.
  /// - Parameter metricLines: Takes metrics in the embedded metric format, when the configuration asks for it; nil where
  ///   the standard output is somebody's.
  /// - Throws: A ``CategorizedError`` of the store, or what `body` throws.
  public static func withOpen<Result>(
    _ settings: Settings, environment: [String: String], log: StructuredLog, mustExist: Bool = false,
    metricLines: (@Sendable (String) -> Void)? = nil, _ body: (Library) async throws -> Result
  ) async throws -> Result {
    let remote = RemoteParts(settings: settings, environment: environment)
    let store = try await OpenStore.open(settings, remote: remote, environment: environment, mustExist: mustExist)
    return try await withOpen(
      settings, store: store, remote: remote, environment: environment, log: log, metricLines: metricLines, body)
  }

  /// The same with a store that is open already; closes it.
  static func withOpen<Result>(
    _ settings: Settings, store: OpenStore, remote: RemoteParts, environment: [String: String], log: StructuredLog,
    metricLines: (@Sendable (String) -> Void)? = nil, _ body: (Library) async throws -> Result
  ) async throws -> Result {
    let library = Library(
      settings: settings, environment: environment, log: log, store: store, remote: remote, metricLines: metricLines)
    let recorder = library.recorder
    let delivery = Task { await recorder.run() }
    let shipping = Task { await library.shipEvents() }
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(library)) } catch { outcome = .failure(error) }
    recorder.finish()
    await delivery.value
    shipping.cancel()
    await shipping.value
    await library.flushEvents()
    let counters = recorder.counters
    if counters.dropped > 0 {
      log.log(.warning, "telemetry was dropped because its queue was full", [("dropped", .int(counters.dropped))])
    }
    await store.close()
    return try outcome.get()
  }

  /// The context of a request of the local user.
  public func requestContext(traffic: TrafficKind = .live) -> RequestContext {
    RequestContext(app: settings.app, environment: settings.environment, traffic: traffic)
  }

  // MARK: - Document → pages → chunks → embeddings → index

  /// The pipeline of ingestion.
  /// - Parameter retriesParked: Whether what was given up is tried again: right when a person asks.
  /// - Throws: `pdf.reader_missing`, `model.missing` and the like, with what to do.
  public func ingester(attributes: [String: String] = [:], retriesParked: Bool = true) async throws -> Ingester {
    let configuration = readerConfiguration
    let embedder = try embedder()
    return Ingester(
      index: index, jobs: jobs, cache: embeddingCache,
      reader: PDFPageReader(
        configuration: configuration,
        popplerVersion: try await PDFPageReader.popplerVersion(configuration: configuration)),
      embedder: embedder, chunker: chunker(for: embedder), telemetry: recorder,
      settings: IngestionSettings(
        extractionWidth: settings.pdf.readers, passwords: try await passwords(), attributes: attributes,
        retriesParked: retriesParked), recognition: try await recognition())
  }

  /// What reads pages that are images; nil while that is off.
  /// - Throws: `ocr.command_missing`, `ocr.command_unusable` or `aws.region_missing`, with what to do.
  func recognition() async throws -> PageRecognition? {
    guard let kind = settings.ocr.recognizer else { return nil }
    let recognizer: any TextRecognizer
    switch kind {
    case .command(let command): recognizer = try await CommandTextRecognizer.start(command)
    case .textract(let concurrency):
      recognizer = TextractRecognizer(client: try remote.aws(), concurrency: concurrency)
    }
    return PageRecognition(recognizer: recognizer, renderer: renderer(), settings: settings.ocr.pages)
  }

  /// The sources that paths name, or the configured ones when there are none.
  ///
  /// A configured source that is not there now (an unmounted disk) is a failure of that source alone, told by its
  /// listing. So is a path with `mayBeMissing`: a synchronised folder may be gone for good.
  /// - Parameter settles: Whether files that changed a moment ago are left until they are complete.
  /// - Throws: `source.missing` for a path that leads nowhere.
  public func sources(
    paths: [String], collection: CollectionName?, mayBeMissing: Bool = false, settles: Bool = false
  ) throws -> [any DocumentSource] {
    let configured =
      paths.isEmpty
      ? settings.sources : paths.map { Settings.Source(uri: $0, collection: collection ?? .default) }
    return try configured.map { source in
      if source.uri.hasPrefix("s3://") { return try s3Source(source) }
      let path = source.uri.hasPrefix("file://") ? String(source.uri.dropFirst("file://".count)) : source.uri
      return try DirectorySource(
        path: path, collection: source.collection, include: source.include.map(PathPattern.init),
        exclude: source.exclude.map(PathPattern.init), mayBeMissing: mayBeMissing || paths.isEmpty,
        settleTime: settles ? settings.watch.settleTime : nil, debounce: settings.watch.debounce)
    }
  }

  /// Deletes a document; its file stays and does not bring it back by itself, the bytes of an upload go.
  public func delete(_ id: DocumentID, context: RequestContext) async throws {
    _ = try await removal().remove(id, context: context)
  }

  func removal() -> DocumentRemoval {
    DocumentRemoval(index: index, jobs: jobs, uploads: uploads, telemetry: recorder)
  }

  /// Original bytes of documents.
  public func originals() -> any DocumentBytes {
    LibraryOriginals(local: OriginalBytes(uploads: uploads), remote: remote)
  }

  /// Draws pages.
  public func renderer() -> any PageImageRenderer { PDFPageImageRenderer(configuration: readerConfiguration) }

  /// The embedding model, loaded at its first use.
  /// - Throws: `model.missing` and the like, with the command that fetches the model.
  public func embedder() throws -> any Embedder {
    try embedderOnce.withLock { once in
      if let once { return try once.get() }
      let made = Result<any Embedder, any Error> {
        try Self.embedder(of: settings, environment: environment, remote: remote)
      }
      once = made
      return try made.get()
    }
  }

  /// Cuts pages into chunks that fit an embedding model.
  public func chunker(for embedder: any Embedder) -> any Chunker {
    SentenceChunker(limit: embedder.limit, settings: settings.chunking)
  }

  // MARK: - Question → retrieval → prompt → answer → telemetry

  /// Finds passages in this library, or in another index with vectors of the same model.
  public func retriever(over other: (any DocumentIndex)? = nil) throws -> any Retriever {
    let reranker: (any Reranker)? =
      switch settings.rerank.kind {
      case .none: nil
      case .bedrock: BedrockReranker(client: try remote.aws(), model: settings.rerank.model)
      }
    return HybridRetriever(
      index: other ?? index, embedder: try embedder(), settings: settings.retrieval, reranker: reranker)
  }

  /// Answers questions. Without a text model, answers are extractive.
  /// - Throws: `configuration.secret` for a key that is not where its reference points; `prompt.template_…` for a
  ///   template that cannot be used; failures of the models.
  public func questionAnswering() async throws -> QuestionAnswering {
    try questionAnswering(with: await answeringParts())
  }

  /// Finds passages without answering: the text model is not asked, and its key need not be there.
  /// - Throws: A ``CategorizedError``.
  public func search(_ question: Question, context: RequestContext) async throws -> Retrieval {
    let extracts = ExtractiveAnswerer(embedder: try embedder(), index: index)
    return try await questionAnswering(with: AnsweringParts(answerer: extracts)).search(question, context: context)
  }

  private func questionAnswering(with parts: AnsweringParts) throws -> QuestionAnswering {
    QuestionAnswering(
      retriever: try retriever(), answerer: parts.answerer, rewriter: parts.rewriter, index: index,
      conversations: store.conversations, recorder: recorder, log: log, settings: settings.answering)
  }

  // MARK: - Parts

  var embeddingCache: any EmbeddingCache {
    store.embeddingCache(maximumBytes: settings.store.embeddingCacheBytes)
  }

  var readerConfiguration: PDFReaderConfiguration { settings.readerConfiguration }

  /// The configured user passwords, references resolved.
  func passwords() async throws -> [String] {
    var passwords: [String] = []
    for setting in settings.pdf.passwords {
      passwords.append(try await secret(setting).revealed)
    }
    return passwords
  }
}

extension Settings {
  /// Where uploads are kept.
  var uploadsDirectory: String { dataDirectory + "/uploads" }

  /// How PDFs are read.
  var readerConfiguration: PDFReaderConfiguration {
    PDFReaderConfiguration(
      readerPath: pdf.reader,
      limits: PDFLimits(
        addressSpaceBytes: pdf.memory, cpuSeconds: Int(pdf.cpuTime.components.seconds),
        pageCPUSeconds: Int(pdf.pageCpuTime.components.seconds), wallTime: pdf.wallTime, maxPages: pdf.maxPages,
        maxOutputBytes: pdf.outputBytes, maxScalarsPerPage: pdf.pageCharacters))
  }
}
