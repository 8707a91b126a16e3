import Answering
package import Configuration
import Core
import Ingestion
import Telemetry

extension Settings {
  /// Asks the reader for every key; problems are the reader's to report.
  package init(_ reader: ConfigurationReader, environment variables: [String: String]) {
    let home = variables["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/"
    let data = variables["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(home)/.local/share"
    app = reader.value(
      "app", .nonEmptyString, default: "quarry", doc: "The application's name, in events, metrics and logs.")
    environment = reader.value(
      "environment", .nonEmptyString, default: "development",
      doc: "The environment's name, in events, metrics and logs.")
    dataDirectory = reader.value(
      "dataDirectory", .nonEmptyString, default: "\(data)/quarry",
      doc: "Where Quarry keeps its data: the SQLite store, the event log, uploads.")
    store = Store(reader.nested("store"), dataDirectory: dataDirectory)
    sources = Self.sources(reader)
    embedding = EmbeddingModel(reader.nested("embedding"))
    generation = Generation(reader.nested("generation"))
    aws = AWS(reader.nested("aws"))
    metrics = Metrics(reader.nested("metrics"))
    chunking = ChunkingSettings(reader.nested("chunking"))
    retrieval = RetrievalSettings(reader.nested("retrieval"))
    rerank = Rerank(reader.nested("retrieval.rerank"))
    answering = QuestionAnswering.Settings(reader)
    prompting = Prompting(reader.nested("answering"))
    pdf = PDF(reader.nested("pdf"))
    ocr = OCR(reader.nested("ocr"))
    watch = Watch(reader.nested("watch"))
    server = Server(reader.nested("server"))
    uploads = Uploads(reader.nested("uploads"))
    events = Events(reader.nested("events"), dataDirectory: dataDirectory)
    log = Log(
      level: reader.value("log.level", .oneOf(), default: LogLevel.info, doc: "The lowest level of log lines."),
      format: reader.optional(
        "log.format", .oneOf(LogFormat.self),
        doc: "`json` or `text`; by default JSON for `serve` and `watch`, and text for the other commands."))
  }

  private static func sources(_ reader: ConfigurationReader) -> [Source] {
    var queues: [String: String] = [:]
    return reader.list(
      "sources", shorthand: "uri", doc: "Where documents come from when a command names no path."
    ) { item in
      let collection = item.value(
        "collection", .nonEmptyString, default: CollectionName.default.rawValue,
        doc: "The collection of what is found there.")
      if !CollectionName.isValid(collection) {
        item.reject("collection", "must be 1 to 64 lower-case letters, digits, '-', '_' or '.'")
      }
      let uri = item.required("uri", .nonEmptyString, doc: "A directory or file, or `s3://bucket/prefix`.")
      let queue = item.optional(
        "queue", .nonEmptyString,
        doc: "The URL or ARN of an SQS queue that S3 or EventBridge tells of the objects of an `s3://` source, for "
          + "`watch`; each source has its own.")
      if let queue {
        if !uri.hasPrefix("s3://") { item.reject("queue", "is for sources s3://bucket/prefix only") }
        if let other = queues.updateValue(uri, forKey: queue) {
          // Each would delete the other's messages, as none of its own.
          item.reject("queue", "is the queue of \(other) already; give each source its own")
        }
      }
      return Source(
        uri: uri, collection: CollectionName(rawValue: collection),
        include: item.value(
          "include", .list(of: .nonEmptyString), default: [],
          doc: "Patterns of paths below the source that are taken (`*` within a name, `**` across names); empty "
            + "for every PDF."),
        exclude: item.value(
          "exclude", .list(of: .nonEmptyString), default: [], doc: "Patterns of paths that are left out."), queue: queue
      )
    }
  }
}

extension Settings.Store {
  fileprivate init(_ reader: ConfigurationReader, dataDirectory: String) {
    kind = reader.value(
      "kind", .oneOf(), default: Settings.StoreKind.sqlite, doc: "Which backend holds the index.")
    path = reader.value(
      "path", .nonEmptyString, default: "\(dataDirectory)/quarry.sqlite", doc: "The file of the SQLite store.")
    embeddingCacheBytes = reader.value(
      "embeddingCacheBytes", .byteSize(in: 0...(1 << 46)), default: 1 << 30,
      doc: "Most bytes of the cache that spares embedding a text twice; the least recently used go beyond that.")
    cluster = Settings.Cluster(reader, isUsed: kind == .opensearch)
  }
}

extension Settings.EmbeddingModel {
  fileprivate init(_ reader: ConfigurationReader) {
    kind = reader.value(
      "kind", .oneOf(), default: Settings.EmbeddingKind.local,
      doc: "Which model embeds: `local` is all-MiniLM-L6-v2 on this machine's CPU, `bedrock` one of Amazon Bedrock, "
        + "`sagemaker` one behind an endpoint of SageMaker.")
    numericScheme = reader.value(
      "numericScheme", .oneOf(), default: Settings.NumericScheme.fp32,
      doc: "What the local model computes with: `fp32`, `bf16` or `int8`. Part of the embedding identity: an index "
        + "made with another one is renewed by `quarry ingest --rebuild`.")
    directory = reader.optional(
      "directory", .nonEmptyString,
      doc: "The folder of the model's files; by default the cache folder that `make setup` fills.")
    threads = reader.optional(
      "threads", .int(in: 1...256), doc: "Threads that embed; by default one a core.")
    model =
      reader.optional(
        "model", .nonEmptyString,
        doc:
          "The id of a Bedrock model, such as `amazon.titan-embed-text-v2:0`; with SageMaker a name for the model, so "
          + "that another endpoint with the same model serves the same index.")
      ?? ""
    endpoint = Settings.Endpoint(reader)
    dialect = Settings.EmbeddingDialect(reader)
    pooling = reader.value(
      "pooling", .oneOf(), default: Settings.Pooling.mean,
      doc: "How the vectors of tokens become one, where an endpoint of SageMaker answers those: `mean` or `cls`.")
    batchSize = reader.optional(
      "batchSize", .int(in: 1...1_024), doc: "Texts of one call of SageMaker; by default what the dialect takes.")
    maxCharacters = reader.optional(
      "maxCharacters", .int(in: 100...1_000_000),
      doc: "Characters of a text that are certain to fit a model of SageMaker: chunks are cut to it. By default 1,000, "
        + "for models of 512 tokens, and 4,000 for GPT-J.")
    dimensions = reader.optional(
      "dimensions", .int(in: 64...8_192),
      doc: "The dimensions to ask of a Bedrock model, by default its own; those of SageMaker's, which must be named.")
    requestsPerMinute = reader.optional(
      "requestsPerMinute", .double(in: 1...1_000_000), doc: "Calls of AWS a minute, retries included.")
    tokensPerMinute = reader.optional(
      "tokensPerMinute", .double(in: 100...1_000_000_000), doc: "Tokens sent to AWS a minute.")
    concurrency = reader.value(
      "concurrency", .int(in: 1...64), default: 8,
      doc: "Most calls of AWS at one time; throttling lowers their number, success raises it again.")
    if kind == .bedrock, model.isEmpty { reader.reject("model", "must name the embedding model") }
    if kind == .sagemaker, endpoint.name.isEmpty { reader.reject("endpoint", "must name the endpoint of SageMaker") }
    if kind == .sagemaker, dimensions == nil, ![.gptJ, .gptJText].contains(dialect.kind) {
      reader.reject("dimensions", "must say how many the model behind the endpoint has")
    }
  }
}

extension ChunkingSettings {
  fileprivate init(_ reader: ConfigurationReader) {
    let fallback = ChunkingSettings()
    self.init(
      target: reader.value(
        "tokens", .int(in: 32...8192), default: fallback.target,
        doc: "The size of a chunk, in tokens of the embedding model, prefix included; the model's own limit "
          + "applies too."),
      overlap: reader.value(
        "overlap", .double(in: 0...0.5), default: fallback.overlap,
        doc: "The part of a chunk that the next one repeats; whole sentences."),
      floor: reader.value(
        "floor", .double(in: 0...1), default: fallback.floor,
        doc: "Sections shorter than this part of a chunk are merged with their neighbours."),
      prefix: reader.value(
        "prefix", .oneOf(), default: fallback.prefix,
        doc: "What is put before the text that is embedded and indexed; the text cited never has it."),
      prefixShare: reader.value(
        "prefixShare", .double(in: 0...0.5), default: fallback.prefixShare,
        doc: "The part of a chunk that the prefix may take."))
  }
}

extension RetrievalSettings {
  fileprivate init(_ reader: ConfigurationReader) {
    func weight(_ leg: RetrievalLeg, _ doc: String) -> (RetrievalLeg, Double) {
      (
        leg,
        reader.value(
          "weights.\(leg.rawValue)", .double(in: 0...100), default: RetrievalSettings.defaultWeights[leg] ?? 1, doc: doc
        )
      )
    }
    self.init(
      topK: reader.value(
        "topK", .int(in: 1...RetrievalSettings.largestTopK), default: 5,
        doc: "Passages retrieved when a question names no number."),
      depth: reader.value(
        "depth", .int(in: 10...1000), default: 100, doc: "Candidates taken from each leg before fusion."),
      fusion: reader.value(
        "fusion", .oneOf(), default: RetrievalSettings().fusion,
        doc: "How the legs become one ranking: `convex` adds weighted scores, `reciprocal_rank` weighted ranks."),
      fusionK: reader.value(
        "fusionK", .double(in: 1...1000), default: 60, doc: "The constant of reciprocal rank fusion."),
      weights: Dictionary(
        uniqueKeysWithValues: [
          weight(.dense, "Weight of the embedding leg; 0 leaves it out."),
          weight(.lexical, "Weight of the word leg; 0 leaves it out."),
          weight(.trigram, "Weight of the trigram leg; 0 leaves it out."),
        ]),
      phraseWeight: reader.value(
        "phraseWeight", .double(in: 0...10), default: RetrievalSettings().phraseWeight,
        doc: "What a passage with all of the question's phrases gets on top of its score; convex fusion only."),
      rerankCandidates: reader.value(
        "rerank.candidates", .int(in: 1...1_000), default: RetrievalSettings().rerankCandidates,
        doc: "Passages of the search given to the reranker."),
      rerankTimeout: reader.value(
        "rerank.timeout", .duration(in: .milliseconds(100) ... .seconds(600)),
        default: RetrievalSettings().rerankTimeout,
        doc: "The longest wait for the reranker; the order of the search then stands."),
      minimumSimilarity: reader.optional(
        "minimumSimilarity", .double(in: -1...1), doc: "The lowest cosine a passage may have."
      ).map(Float.init),
      lowValueFactor: reader.value(
        "lowValueFactor", .double(in: 0...1), default: RetrievalSettings().lowValueFactor,
        doc: "What the score of contents and index pages is multiplied by."))
  }
}

extension QuestionAnswering.Settings {
  fileprivate init(_ reader: ConfigurationReader) {
    let prices = reader.map("prices", doc: "Prices by model id; a model that is missing has an unknown price.") {
      _, item in
      QuestionAnswering.TokenPrice(
        input: item.required("input", .double(in: 0...1_000_000), doc: "USD for 1,000 input tokens."),
        output: item.required("output", .double(in: 0...1_000_000), doc: "USD for 1,000 output tokens."))
    }
    let answering = reader.nested("answering")
    self.init(
      refusalThreshold: answering.value(
        "refusalThreshold", .double(in: 0...1), default: QuestionAnswering.Settings().refusalThreshold,
        doc: "Retrieval below this confidence is refused without asking a model."),
      questionCharacters: answering.value(
        "questionCharacters", .int(in: 10...100_000), default: 4000, doc: "Most characters of a question."),
      historyTurns: answering.value(
        "historyTurns", .int(in: 0...1000), default: 10,
        doc: "Most earlier turns of a conversation given to the text model."),
      similarityMetric: reader.value(
        "telemetry.similarity", .oneOf(), default: QuestionAnswering.SimilarityMetric.cosine,
        doc: "What the metric `similarity` is: the `cosine` of question and passage, or the `raw` score of the "
          + "embedding leg in the store's own scale."),
      prices: prices)
  }
}

extension Settings.PDF {
  fileprivate init(_ reader: ConfigurationReader) {
    maxPages = reader.value(
      "maxPages", .int(in: 1...100_000), default: 5000, doc: "Most pages; a document with more is refused whole.")
    memory = reader.value(
      "memory", .byteSize(in: (64 << 20)...(1 << 40)), default: 2 << 30,
      doc: "Address space of the process that reads one document.")
    cpuTime = reader.value(
      "cpuTime", .duration(in: .seconds(1) ... .seconds(86400)), default: .seconds(300),
      doc: "CPU time for one document.")
    pageCpuTime = reader.value(
      "pageCpuTime", .duration(in: .seconds(1) ... .seconds(86400)), default: .seconds(10),
      doc: "CPU time for one page, in whole seconds.")
    wallTime = reader.value(
      "wallTime", .duration(in: .seconds(1) ... .seconds(86400)), default: .seconds(600),
      doc: "Wall time for one document.")
    outputBytes = reader.value(
      "outputBytes", .byteSize(in: (1 << 20)...(1 << 40)), default: 1 << 30,
      doc: "Most bytes of text and geometry that one document may give.")
    pageCharacters = reader.value(
      "pageCharacters", .int(in: 1000...100_000_000), default: 500_000,
      doc: "Most characters on one page; a document with more is refused whole.")
    readers = reader.value(
      "readers", .int(in: 1...64), default: 2, doc: "Documents read at the same time.")
    passwords = reader.value(
      "passwords", .list(of: .anySecret), default: [],
      doc: "User passwords tried on encrypted documents: \(ValueKind.secretForms).")
    self.reader = reader.optional(
      "reader", .nonEmptyString, doc: "The reader program; by default `quarry-pdf-reader` beside `quarry`.")
  }
}

extension Settings.Watch {
  fileprivate init(_ reader: ConfigurationReader) {
    interval = reader.value(
      "interval", .duration(in: .seconds(1) ... .seconds(30 * 86400)), default: .seconds(3600),
      doc: "Time between two listings of everything; changes in between are noticed, but notices can be lost.")
    settleTime = reader.value(
      "settleTime", .duration(in: .milliseconds(10) ... .seconds(3600)), default: .seconds(2),
      doc: "Time for which a file must stay as it is before it counts as completely written, unless its writer is "
        + "seen to close it.")
    debounce = reader.value(
      "debounce", .duration(in: .milliseconds(10) ... .seconds(60)), default: .milliseconds(500),
      doc: "A pause of this length ends a burst of changes, which are then taken together.")
  }
}

extension Settings.Server {
  fileprivate init(_ reader: ConfigurationReader) {
    host = reader.value(
      "host", .nonEmptyString, default: "127.0.0.1",
      doc: "The address to listen on; one beyond loopback needs an API key or `--insecure`.")
    port = reader.value("port", .int(in: 0...65535), default: 8080, doc: "The port; 0 for any free one.")
    tlsCertificate = reader.optional(
      "tlsCertificate", .nonEmptyString, doc: "PEM file of the certificate chain; turns TLS on.")
    tlsKey = reader.optional("tlsKey", .nonEmptyString, doc: "PEM file of the private key.")
    if (tlsCertificate == nil) != (tlsKey == nil) {
      reader.reject(tlsKey == nil ? "tlsCertificate" : "tlsKey", "needs the other one of certificate and key")
    }
    maxBodyBytes = reader.value(
      "maxBodyBytes", .byteSize(in: 1024...(1 << 30)), default: 256 << 10, doc: "Most bytes of a request's body.")
    maxConnections = reader.value(
      "maxConnections", .int(in: 1...1_000_000), default: 10_000, doc: "Most connections.")
    maxConcurrentRequests = reader.value(
      "maxConcurrentRequests", .int(in: 1...100_000), default: 64,
      doc: "Most requests served at once; more get 503.")
    let span: ClosedRange<Duration> = .milliseconds(100) ... .seconds(86400)
    requestTimeout = reader.value(
      "requestTimeout", .duration(in: span), default: .seconds(60), doc: "Time a request may take.")
    idleTimeout = reader.value(
      "idleTimeout", .duration(in: span), default: .seconds(60), doc: "Time a connection may be idle.")
    drainTimeout = reader.value(
      "drainTimeout", .duration(in: span), default: .seconds(20), doc: "Time requests get to finish at shutdown.")
  }
}

extension Settings.Uploads {
  fileprivate init(_ reader: ConfigurationReader) {
    maxBodyBytes = reader.value(
      "maxBodyBytes", .byteSize(in: 1024...(1 << 40)), default: 512 << 20, doc: "Most bytes of one uploaded document.")
    maximumBytes = reader.value(
      "maximumBytes", .byteSize(in: 0...(1 << 50)), default: 50 << 30,
      doc: "Most bytes of all uploads kept; beyond that uploads get 507.")
    maxConcurrent = reader.value(
      "maxConcurrent", .int(in: 1...1000), default: 4, doc: "Most uploads taken at once; more get 429.")
  }
}
