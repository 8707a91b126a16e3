public import Answering
import Concurrency
public import Core
public import FoundationEssentials
import HTTPServer
public import Ingestion
public import Telemetry

/// The HTTP interface of Quarry: requests in, answers, pages and problems out. Knows no backend and no socket.
public struct API: Sendable {
  /// What the interface works with.
  public struct Parts: Sendable {
    /// Answers and searches.
    public var answering: QuestionAnswering
    /// The catalogue, and the text of pages.
    public var index: any DocumentIndex
    /// The originals, for images of pages.
    public var originals: any DocumentBytes
    /// Draws pages.
    public var renderer: any PageImageRenderer
    /// User passwords to try on encrypted documents.
    public var passwords: [String]
    /// The work on documents that is not done, or failed.
    public var jobs: any JobStore
    /// Takes uploads.
    public var uploads: UploadIntake
    /// Takes documents out.
    public var removal: DocumentRemoval
    /// How ingestion stands.
    public var ingestion: IngestionStatus
    /// The API keys.
    public var keys: any KeyStore
    /// Takes metrics and tombstones.
    public var recorder: TelemetryRecorder
    /// The log.
    public var log: StructuredLog
    /// Says why the service is not ready; empty when it is.
    public var readiness: @Sendable () async -> [ReasonBody]
    /// Has the watched sources of some collections listed now and returns how many; nil when nobody watches.
    public var syncNow: (@Sendable (@Sendable (CollectionName) -> Bool) -> Int)?
    /// The metrics of this process, in Prometheus's text format.
    public var metrics: @Sendable () async -> String
    /// The clock.
    public var now: @Sendable () -> Date

    /// Collects the parts.
    public init(
      answering: QuestionAnswering, index: any DocumentIndex, originals: any DocumentBytes,
      renderer: any PageImageRenderer, passwords: [String] = [], jobs: any JobStore, uploads: UploadIntake,
      removal: DocumentRemoval, ingestion: IngestionStatus, keys: any KeyStore, recorder: TelemetryRecorder,
      log: StructuredLog, readiness: @escaping @Sendable () async -> [ReasonBody],
      syncNow: (@Sendable (@Sendable (CollectionName) -> Bool) -> Int)? = nil,
      metrics: @escaping @Sendable () async -> String = { "" }, now: @escaping @Sendable () -> Date = { Date() }
    ) {
      self.answering = answering
      self.index = index
      self.originals = originals
      self.renderer = renderer
      self.passwords = passwords
      self.jobs = jobs
      self.uploads = uploads
      self.removal = removal
      self.ingestion = ingestion
      self.keys = keys
      self.recorder = recorder
      self.log = log
      self.readiness = readiness
      self.syncNow = syncNow
      self.metrics = metrics
      self.now = now
    }
  }

  /// How the interface behaves.
  public struct Settings: Sendable, Hashable {
    /// The application's name.
    public var app: String
    /// The environment's name.
    public var environment: String
    /// The version of Quarry.
    public var version: String
    /// Time for one request, streamed answers included.
    public var requestTimeout: Duration
    /// Time between heartbeats of a stream.
    public var heartbeat: Duration
    /// Most characters of a question, as `openapi.json` states it.
    public var questionCharacters: Int
    /// Most bytes of an upload.
    public var uploadBytes: Int
    /// Whether the server can be reached from this machine only.
    public var isLoopback: Bool
    /// Whether the operator said `--insecure`: no key is needed while none was made.
    public var isInsecure: Bool

    /// Creates settings.
    public init(
      app: String = "quarry", environment: String = "development", version: String,
      requestTimeout: Duration = .seconds(60), heartbeat: Duration = .seconds(15), questionCharacters: Int = 4000,
      uploadBytes: Int = 512 << 20, isLoopback: Bool = true, isInsecure: Bool = false
    ) {
      self.app = app
      self.environment = environment
      self.version = version
      self.requestTimeout = requestTimeout
      self.heartbeat = heartbeat
      self.questionCharacters = questionCharacters
      self.uploadBytes = uploadBytes
      self.isLoopback = isLoopback
      self.isInsecure = isInsecure
    }
  }

  let parts: Parts
  let settings: Settings
  let isDraining = Locked(false)
  let requestLog: RequestLog
  private let authentication: Authentication
  private let liveResponse: HTTPResponse
  private let openAPIResponse: HTTPResponse

  /// Creates the interface.
  public init(_ parts: Parts, settings: Settings) {
    self.parts = parts
    self.settings = settings
    requestLog = RequestLog(
      log: parts.log, recorder: parts.recorder, app: settings.app, environment: settings.environment)
    authentication = Authentication(
      keys: parts.keys, isLoopback: settings.isLoopback, isInsecure: settings.isInsecure)
    liveResponse = .json(HealthBody(status: "live", version: settings.version))
    openAPIResponse = HTTPResponse(
      status: 200, headers: ["Content-Type": "application/json"],
      body: .bytes(OpenAPIDocument.bytes(version: settings.version, questionCharacters: settings.questionCharacters)))
  }

  /// The answer to a liveness probe, given before any task runs: a busy service is alive.
  func early(_ head: HTTPRequestHead) -> HTTPResponse? {
    guard head.path == "/health/live", head.method == "GET", head.queryItems.isEmpty else { return nil }
    var response = liveResponse
    Tracing.complete(&response, traceID: Tracing.traceID(of: head))
    return response
  }

  /// The problem that a refusal of the engine is; logged here, because no handler sees it.
  func refusal(_ refusal: HTTPRefusal, _ head: HTTPRequestHead?) -> HTTPResponse {
    let traceID = Tracing.traceID(of: head)
    let problem = Problem(refusal, traceID: traceID)
    requestLog.refused(head, problem, context: context(.init(id: "unknown"), traceID))
    var response = problem.response
    Tracing.complete(&response, traceID: traceID)
    return response
  }

  /// Serves one request; every failure is a problem.
  func handle(_ request: HTTPRequest) async -> HTTPResponse {
    let start = ContinuousClock.now
    let traceID = Tracing.traceID(of: request.head)
    var context = context(.init(id: "unknown"), traceID)
    var route: Route?
    var response: HTTPResponse
    var failure: (any Error)?
    do {
      let found = try Route(request.head)
      route = found
      if !found.isPublic { context.caller = try await authentication.caller(of: request.head) }
      if found.changesLibrary, context.caller.permission != .write {
        throw HTTPAPIError(
          code: "auth.read_only", category: .forbidden, message: "this key may read, but not change anything",
          remedy: "Use a key made without --read-only.")
      }
      context.traffic = try Tracing.traffic(of: request.head)
      context.deadline = start + settings.requestTimeout
      response = try await answer(found, request, context)
    } catch {
      failure = error
      response = Problem(error, traceID: traceID).response
    }
    Tracing.complete(&response, traceID: traceID)
    let entry = RequestLog.Entry(head: request.head, route: route, start: start, status: response.status)
    guard case .stream(let length, let produce) = response.body else {
      requestLog.ended(entry, error: failure, context: context)
      return response
    }
    // A stream is logged when it ends.
    let streamContext = context
    response.body = .stream(length: length) { [requestLog] writer in
      do {
        try await produce(writer)
        requestLog.ended(entry, error: nil, context: streamContext)
      } catch {
        requestLog.ended(entry, error: error, context: streamContext)
        throw error
      }
    }
    return response
  }

  private func context(_ caller: Caller, _ traceID: TraceID) -> RequestContext {
    RequestContext(caller: caller, app: settings.app, environment: settings.environment, traceID: traceID)
  }

  private func answer(_ route: Route, _ request: HTTPRequest, _ context: RequestContext) async throws -> HTTPResponse {
    let parameters = try QueryParameters(request.head, of: route)
    // Streams keep their own deadline, which ends them by an event.
    if route == .query { return try await query(request, context) }
    // The body of an upload takes as long as it takes; the engine ends one that drips.
    switch route {
    case .upload: return try await upload(request, parameters, context)
    case .uploadNamed(let name): return try await upload(request, named: name, parameters, context)
    default: break
    }
    return try await withinDeadline(context) {
      switch route {
      case .query, .search, .upload, .uploadNamed: try await search(request, context)
      case .ingestion: try await showIngestion(context)
      case .documents: try await listDocuments(parameters, context)
      case .document(let id): try await showDocument(id, context)
      case .deleteDocument(let id): try await deleteDocument(id, context)
      case .page(let id, let page): try await showPage(page, of: id, parameters, context)
      case .pageImage(let id, let page): try await drawPage(page, of: id, parameters, request.head, context)
      case .sync: try sync(context)
      case .live: liveResponse
      case .ready: await readiness(context)
      case .metrics:
        HTTPResponse(
          status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", text: await parts.metrics())
      case .openAPI: openAPIResponse
      }
    }
  }

  /// Runs `operation`, cancelled at the request's deadline.
  /// - Throws: `request.timed_out`.
  func withinDeadline<Result: Sendable>(
    _ context: RequestContext, _ operation: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    guard let deadline = context.deadline else { return try await operation() }
    do {
      return try await withDeadline(deadline, operation: operation)
    } catch is DeadlineExceeded {
      throw HTTPAPIError(
        code: "request.timed_out", category: .timedOut,
        message: "the request took longer than \(settings.requestTimeout.components.seconds) seconds",
        remedy: "Try again later, or raise server.requestTimeout.")
    }
  }

  private func readiness(_ context: RequestContext) async -> HTTPResponse {
    var reasons = await parts.readiness()
    if isDraining.withLock({ $0 }) {
      reasons.insert(ReasonBody(code: "service.stopping", message: "the service is stopping"), at: 0)
    }
    guard !reasons.isEmpty else { return .json(HealthBody(status: "ready", version: settings.version)) }
    var problem = Problem(
      status: 503, title: "The service is not ready", code: "service.not_ready",
      detail: reasons.map(\.message).joined(separator: "; "), remedy: nil, traceID: context.traceID)
    problem.body.reasons = reasons
    return problem.response
  }
}
