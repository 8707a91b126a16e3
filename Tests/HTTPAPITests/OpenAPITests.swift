import Core
import FoundationEssentials
import HTTPAPI
import Ingestion
import QuarryTesting
import Testing

@Suite struct OpenAPITests {
  private static let document = Described.document

  @Test func describesExactlyTheRoutesThereAre() {
    var described: Set<String> = []
    for path in Self.document["paths"]?.names ?? [] {
      for method in Self.document["paths"]?[path]?.names ?? [] { described.insert("\(method.uppercased()) \(path)") }
    }
    #expect(described == Set(Route.all.map { "\($0.method) \($0.template)" }))
  }

  @Test func reachesEveryRoute_byItsDescription() async throws {
    try await withAPI { api in
      for (method, template) in Route.all {
        let target = template.replacing("{id}", with: Library.pump.document.id.rawValue).replacing("{page}", with: "1")
        let isUpload = method == "PUT" || (method, template) == ("POST", "/v1/documents")
        let reply =
          isUpload
          ? try await api.upload(method == "PUT" ? "/v1/documents/new.pdf" : "\(target)?name=new.pdf", method: method)
          : try await api.send(
            method, target, headers: [("Content-Type", "application/json")],
            body: method == "POST" ? #"{"question": "pump"}"# : nil)
        #expect((200..<300).contains(reply.status) || method == "GET" && reply.status == 404)
        #expect(reply.code != "request.not_found")
        // The document is deleted on the way; later routes need it back.
        if method == "DELETE" { _ = try await api.index.commit(Library.pump) }
      }
    }
  }

  @Test func describesExactlyTheParametersThereAre() async throws {
    try await withAPI { api in
      for (method, template) in Route.all where method == "GET" {
        let operation = Self.document["paths"]?[template]?[method.lowercased()]
        let parameters = (operation?["parameters"]?.elements ?? []).compactMap { Described.resolved($0) }
        let described = parameters.filter { $0["in"]?.text == "query" }.compactMap { $0["name"]?.text }
        let target = template.replacing("{id}", with: Library.pump.document.id.rawValue).replacing("{page}", with: "1")
        let reply = try await api.send("GET", target + "?no-such-parameter=1")
        #expect(reply.code == "request.unknown_parameter")
        for name in described {
          let one = try await api.send("GET", target + "?\(name)=")
          #expect(one.code != "request.unknown_parameter")
        }
        if let known = reply.json["remedy"]?.text, known.hasPrefix("There are: ") {
          #expect(Set(known.dropFirst(11).dropLast().split(separator: ", ").map(String.init)) == Set(described))
        } else {
          #expect(described.isEmpty)
        }
      }
    }
  }

  @Test func hasEverythingItRefersTo() {
    func check(_ value: JSONValue) {
      if let reference = value["$ref"]?.text {
        #expect(Described.resolved(value) != nil, "\(reference) is missing")
      }
      if case .object(let members) = value { for member in members { check(member.value) } }
      for element in value.elements { check(element) }
    }
    check(Self.document)
  }

  @Test func namesTheVersionAndTheLimit_ofTheRunningService() async throws {
    try await withAPI(settings: .init(version: "9.8.7", questionCharacters: 123)) { api in
      let served = try await api.send("GET", "/openapi.json").json
      #expect(served["openapi"]?.text == "3.1.0")
      #expect(served["info"]?["version"]?.text == "9.8.7")
      let question = served["components"]?["schemas"]?["QueryRequest"]?["properties"]?["question"]
      #expect(question?["maxLength"] == .number(123))
      #expect(served["paths"] == Self.document["paths"])
    }
  }

  @Test func describesTheStatusOfEveryCategory() {
    let described = Set(
      (Self.document["paths"]?.names ?? []).flatMap { path in
        (Self.document["paths"]?[path]?.names ?? []).flatMap { method in
          Self.document["paths"]?[path]?[method]?["responses"]?.names ?? []
        }
      })
    for category in ErrorCategory.allCases {
      #expect(described.contains(String(Problem.status(of: category))), "\(category)")
    }
  }

  @Test(arguments: WireSample.all.map(\.schema))
  func describesExactlyTheFieldsOfItsWireType(schema name: String) throws {
    let sample = try #require(WireSample.all.first { $0.schema == name })
    let schema = try #require(Self.document["components"]?["schemas"]?[name])
    let full = try JSONReader.read(try sample.full())
    let least = try JSONReader.read(try sample.least())
    #expect(Set(full.names) == Set(schema["properties"]?.names ?? []))
    #expect(Set(least.names) == Set(schema["required"]?.elements.compactMap(\.text) ?? []))
    #expect(Described.faults(full, schema, at: name) == [])
    #expect(Described.faults(least, schema, at: name) == [])
  }

  @Test func hasASampleOfEverySchema() {
    #expect(Set(WireSample.all.map(\.schema)) == Set(Self.document["components"]?["schemas"]?.names ?? []))
  }
}

/// A wire type with everything there, and with only what is always there.
struct WireSample: Sendable {
  var schema: String
  var full: @Sendable () throws -> [UInt8]
  var least: @Sendable () throws -> [UInt8]

  init(
    _ schema: String, _ full: some Encodable & Sendable,
    least: some Encodable & Sendable
  ) {
    self.schema = schema
    self.full = { try WireCoding.encode(full) }
    self.least = { try WireCoding.encode(least) }
  }

  init(_ schema: String, _ value: some Encodable & Sendable) {
    self.schema = schema
    full = { try WireCoding.encode(value) }
    least = full
  }

  private static let reference = DocumentReference(
    id: Library.pump.document.id, name: "pump.pdf", uri: Library.pump.document.uri,
    version: Library.pump.document.version, collection: .default)
  private static let range = PageRange(page: 1, label: "i", range: 0..<4)
  private static let passage = Passage(
    rank: 1, chunk: Library.pump.chunks[0].chunk, document: reference, similarity: 0.5, score: 0.1,
    legs: [.dense: LegScore(rank: 1, score: 0.5)], alsoIn: [reference])
  private static let rerankedPassage: Passage = {
    var copy = Self.passage
    copy.rerankScore = 0.9
    return copy
  }()
  private static func sentence(full: Bool) -> AnswerSentence {
    AnswerSentence(
      start: 0, end: 7, citations: [1], coverage: 1, reason: full ? .number : nil, missing: full ? ["7"] : [])
  }
  private static func citation(label: String?) -> Citation {
    Citation(
      number: 1, chunk: passage.chunk.id, document: reference, pages: [PageRange(page: 1, label: label, range: 0..<4)],
      quote: "The", isVerified: true, recognition: label.map { _ in recognition })
  }
  private static let recognition = TextRecognition(recognizer: "eyes 1.0", confidence: 0.5)
  private static let warning = AnswerWarning(code: "a.b", message: "Beware.")
  private static func answer(full: Bool) -> Answer {
    Answer(
      id: AnswerID(rawValue: "a"), traceID: .random(), conversation: full ? ConversationID(rawValue: "c") : nil,
      outcome: .answered, text: "The [1].", citations: [citation(label: nil)],
      sentences: [sentence(full: full)], passages: [passage],
      warnings: [warning], model: full ? "m" : nil, timings: timings(full: full),
      usage: full ? TokenUsage(inputTokens: 1, outputTokens: 2) : nil)
  }
  private static func timings(full: Bool) -> StageTimings {
    full
      ? StageTimings(
        rewriting: 1, embedding: 1, retrieval: 1, reranking: 1, timeToFirstToken: 1, generation: 1, grounding: 1,
        total: 5)
      : StageTimings(total: 1)
  }
  private static func entry(full: Bool) -> CatalogueEntry {
    CatalogueEntry(
      document: Library.pump.document,
      metadata: full
        ? DocumentMetadata(
          title: "t", author: "a", created: Sample.date, modified: Sample.date, attributes: ["k": "v"])
        : DocumentMetadata(), state: .incomplete, reason: full ? "r" : nil, pageCount: 2, coverage: [.text: 2],
      chunkCount: 2, byteCount: 10, pipeline: Sample.pipeline, indexed: Sample.date)
  }
  private static func job(full: Bool) -> IngestionJob {
    full
      ? IngestionJob(
        uri: SourceURI(uploadNamed: "a.pdf", collection: .default), collection: .default, stamp: "v", state: .retrying,
        attempts: 1, nextTry: Sample.date, lastErrorCode: "c", lastError: "m", updated: Sample.date)
      : IngestionJob(uri: Library.pump.document.uri, collection: .default, stamp: "s", updated: Sample.date)
  }
  private static let receipt = UploadIntake.Receipt(
    document: Library.pump.document.id, uri: SourceURI(uploadNamed: "a.pdf", collection: .default),
    collection: .default, content: UploadedContent(version: Library.pump.document.version, byteCount: 1),
    outcome: .queued)
  private static func report(full: Bool) -> IngestionStatus.Report {
    let jobs =
      full
      ? JobSummary(
        counts: [.queued: 1, .parked: 1], oldestWaiting: Sample.date, lastDone: Sample.date,
        lastFailure: job(full: true)
      ) : JobSummary()
    var activity = IngestionActivity.Snapshot()
    activity.inWork = [
      .init(
        uri: Library.pump.document.uri, stage: .reading, done: full ? 1 : 0, total: full ? 2 : 0, elapsed: .seconds(1))
    ]
    return IngestionStatus.Report(
      jobs: jobs, places: [(.init(root: .uploads, collection: full ? .default : nil), jobs)], activity: activity,
      time: Sample.date)
  }
  private static func page(full: Bool) -> Page {
    var page = Sample.page(1, text: "a b", label: full ? "i" : nil, coverage: .garbled, reason: full ? "r" : nil)
    page.recognition = full ? recognition : nil
    return page
  }
  private static func problem(full: Bool) -> ProblemBody {
    var body = ProblemBody(
      type: "urn:quarry:problem:a", title: "t", status: 400, detail: "d", instance: "urn:quarry:trace:1", code: "a",
      traceID: "1")
    guard full else { return body }
    body.remedy = "r"
    body.field = "f"
    body.position = .init(line: 1, column: 1)
    body.reasons = [ReasonBody(code: "c", message: "m", remedy: "r")]
    return body
  }

  static let all: [WireSample] = [
    WireSample(
      "QueryRequest",
      QueryBody(
        question: "q", conversationID: "c", collection: "default", filters: FiltersBody(), topK: 1, stream: false),
      least: QueryBody(question: "q")),
    WireSample(
      "SearchRequest", QueryBody(question: "q", collection: "default", filters: FiltersBody(), topK: 1),
      least: QueryBody(question: "q")),
    WireSample("DocumentReference", DocumentReferenceBody(reference)),
    WireSample(
      "PageRange", PageRangeBody(range), least: PageRangeBody(PageRange(page: 1, range: 0..<4))),
    WireSample("LegScore", LegScoreBody(rank: 1, score: 0.5)),
    WireSample("Passage", PassageBody(rerankedPassage), least: PassageBody(passage)),
    WireSample("Sentence", SentenceBody(sentence(full: true)), least: SentenceBody(sentence(full: false))),
    WireSample("Citation", CitationBody(citation(label: "i")), least: CitationBody(citation(label: nil))),
    WireSample("Warning", WarningBody(warning)),
    WireSample("Timings", TimingsBody(timings(full: true)), least: TimingsBody(timings(full: false))),
    WireSample("Usage", UsageBody(inputTokens: 1, outputTokens: 2)),
    WireSample("Answer", AnswerBody(answer(full: true)), least: AnswerBody(answer(full: false))),
    WireSample(
      "SearchResult",
      SearchBody(
        Retrieval(
          passages: [passage], legs: [], questionEmbedding: nil, embeddingIdentity: nil, storeVersion: StoreVersion(1),
          confidence: 1, warnings: [warning]), traceID: .random())),
    WireSample("PassagesEvent", PassagesEventBody(passages: [PassageBody(passage)])),
    WireSample("TokenEvent", TokenEventBody(text: "a")),
    WireSample(
      "Document", DocumentBody(entry(full: true)),
      least: DocumentBody(job(full: false), id: Library.pump.document.id)),
    WireSample(
      "PageCoverage",
      PageCoverageBody(PageState(page: 1, label: "i", coverage: .empty, reason: "r", recognition: recognition)),
      least: PageCoverageBody(PageState(page: 1, label: nil, coverage: .text, reason: nil))),
    WireSample("Recognition", RecognitionBody(recognition)),
    WireSample(
      "DocumentDetail",
      DocumentDetailBody(
        document: DocumentBody(entry(full: true)),
        pages: [PageCoverageBody(PageState(page: 1, label: nil, coverage: .text, reason: nil))],
        job: JobBody(job(full: true))),
      least: DocumentDetailBody(document: DocumentBody(job(full: false), id: Library.pump.document.id), pages: [])),
    WireSample("Job", JobBody(job(full: true)), least: JobBody(job(full: false))),
    WireSample("Upload", UploadBody(receipt)),
    WireSample("Ingestion", IngestionBody(report(full: true))),
    WireSample(
      "IngestionQueue", IngestionBody(report(full: true)).queue, least: IngestionBody(report(full: false)).queue),
    WireSample(
      "IngestionSource", IngestionBody(report(full: true)).sources[0],
      least: IngestionBody(report(full: false)).sources[0]),
    WireSample("IngestionFailure", IngestionBody(report(full: true)).sources[0].lastError),
    WireSample(
      "IngestionWork", IngestionBody(report(full: true)).inWork[0], least: IngestionBody(report(full: false)).inWork[0]),
    WireSample(
      "DocumentList", DocumentListBody(documents: [DocumentBody(entry(full: true))], nextCursor: "c"),
      least: DocumentListBody(documents: [], nextCursor: nil)),
    WireSample(
      "Page", PageBody(page(full: true), document: Library.pump.document.id),
      least: PageBody(page(full: false), document: Library.pump.document.id)),
    WireSample("SyncResult", SyncBody(sources: 1)),
    WireSample("Health", HealthBody(status: "live", version: "1")),
    WireSample("Reason", ReasonBody(code: "c", message: "m", remedy: "r"), least: ReasonBody(code: "c", message: "m")),
    WireSample("TextPosition", HTTPAPIError.TextPosition(line: 1, column: 1)),
    WireSample("Problem", problem(full: true), least: problem(full: false)),
  ]
}
