import Concurrency
import Answering
import Core
import FoundationEssentials
import HTTPAPI
public import Ingestion
import Telemetry

extension Library {
  /// Serves the HTTP API until the process is told to stop.
  /// - Parameters:
  ///   - allowsInsecure: Whether an address beyond loopback needs no API key.
  ///   - watcher: Keeps the index equal to its sources meanwhile; nil when nobody does.
  ///   - started: Told the address once the service listens.
  /// - Throws: A ``CategorizedError`` when it cannot start: a port in use, a missing key or certificate.
  public func serve(
    allowsInsecure: Bool, watcher: Watcher? = nil, started: @escaping @Sendable (String) -> Void
  ) async throws {
    Signals.ignoreBrokenPipes()
    try BindPolicy.check(host: settings.server.host, keys: try await keys.keys(), isInsecure: allowsInsecure)
    let queue = uploadQueue()
    let server = APIServer(
      try await api(allowsInsecure: allowsInsecure, queue: queue, watcher: watcher), settings: try serverSettings())
    try server.start()
    let scheme = settings.server.tlsCertificate == nil ? "http" : "https"
    let host = settings.server.host.contains(":") ? "[\(settings.server.host)]" : settings.server.host
    started("\(scheme)://\(host):\(server.port)")
    log.log(
      .info, "the service listens",
      [
        ("host", .string(settings.server.host)), ("port", .int(server.port)),
        ("version", .string(QuarryVersion.current)),
      ])

    let log = log
    let http = GroupedService(name: "http", shutdown: { await server.shutdown() }, run: { await server.run() })
    let group = ServiceGroup(
      // The uploads' queue is cancelled: a document in work is queued again and goes on where it was.
      [GroupedService(name: "uploads", run: { await queue.run() }), http] + (watcher.map(Self.services) ?? []),
      gracePeriod: settings.server.drainTimeout + .seconds(5)
    ) { event in
      if case .stopping = event { log.log(.info, "the service stops; running requests may finish") }
    }
    try await group.run()
  }

  /// Ingests uploads in the background.
  private func uploadQueue() -> UploadQueue {
    let log = log
    let activity = activity
    return UploadQueue(
      jobs: jobs, store: uploads, ingester: { try await self.ingester() }, context: { self.requestContext() },
      progress: { progress in
        activity.record(progress)
        log.record(progress)
      },
      failed: { error in
        let known = error as? any CategorizedError
        log.log(
          .error, "uploads cannot be ingested; they are tried again",
          [
            ("error_code", .string(known?.code ?? "internal")), ("error", .string(known?.message ?? "\(error)")),
            ("remedy", .string(known?.remedy ?? "")),
          ])
      })
  }

  /// The places documents come from, as far as they can be told now.
  private func places() -> [IngestionStatus.Place] {
    let configured = (try? sources(paths: [], collection: nil)) ?? []
    return configured.map { .init(root: $0.root, collection: $0.collection) }
      + [.init(root: .uploads, collection: nil)]
  }

  private func api(allowsInsecure: Bool, queue: UploadQueue, watcher: Watcher?) async throws -> API {
    // Loaded now, so that the first question does not wait and a missing model is told at once.
    let embedder = try embedder()
    let index = index
    return API(
      API.Parts(
        answering: try await questionAnswering(), index: index, originals: originals(), renderer: renderer(),
        passwords: try await passwords(), jobs: jobs,
        uploads: UploadIntake(
          store: uploads, index: index, jobs: jobs, maxConcurrent: settings.uploads.maxConcurrent,
          queued: { queue.wake() }),
        removal: removal(), ingestion: IngestionStatus(jobs: jobs, activity: activity, places: places()), keys: keys,
        recorder: recorder, log: log,
        readiness: {
          do {
            if let active = try await index.activeIdentity(), active != embedder.identity {
              return [
                ReasonBody(
                  code: "index.identity_mismatch",
                  message: "the index has vectors of \(active.summary), the configured model is "
                    + embedder.identity.summary, remedy: "Run: quarry ingest --rebuild")
              ]
            }
            return []
          } catch let error as any CategorizedError {
            return [ReasonBody(code: error.code, message: error.message, remedy: error.remedy)]
          } catch {
            return [ReasonBody(code: "internal", message: "the index cannot be read")]
          }
        }, syncNow: watcher.map { watcher in { @Sendable isMeant in watcher.syncNow(where: isMeant) } },
        metrics: metrics),
      settings: API.Settings(
        app: settings.app, environment: settings.environment, version: QuarryVersion.current,
        requestTimeout: settings.server.requestTimeout, questionCharacters: settings.answering.questionCharacters,
        uploadBytes: settings.uploads.maxBodyBytes, isLoopback: BindPolicy.isLoopback(settings.server.host),
        isInsecure: allowsInsecure))
  }

  /// What `GET /metrics` shows.
  private func metrics() async -> String {
    let counters = recorder.counters
    return prometheus.text(
      gauges: await archiveGauges() + [
        ("telemetry_delivered", "Events and metrics delivered since the start.", Double(counters.delivered)),
        ("telemetry_dropped", "Events and metrics dropped because the queue was full.", Double(counters.dropped)),
        ("telemetry_failed", "Events and metrics that could not be delivered.", Double(counters.failed)),
      ])
  }

  private func serverSettings() throws -> APIServer.Settings {
    APIServer.Settings(
      host: settings.server.host, port: settings.server.port,
      certificatePEM: try settings.server.tlsCertificate.map { try Self.pem($0, key: "server.tlsCertificate") },
      keyPEM: try settings.server.tlsKey.map { try Self.pem($0, key: "server.tlsKey") },
      maxBodyBytes: settings.server.maxBodyBytes, maxConnections: settings.server.maxConnections,
      maxConcurrentRequests: settings.server.maxConcurrentRequests, idleTimeout: settings.server.idleTimeout,
      readTimeout: min(settings.server.requestTimeout, .seconds(20)), drainTimeout: settings.server.drainTimeout)
  }

  private static func pem(_ path: String, key: String) throws -> String {
    guard let data = try? Data(contentsOf: URL(filePath: path)), data.count <= 1 << 20,
      let text = String(data: data, encoding: .utf8)
    else {
      throw CoreError(
        code: "server.tls_file", category: .invalidConfiguration,
        message: "\(key): cannot read '\(path)' as a PEM file",
        remedy: "Name a PEM file that Quarry's user may read.")
    }
    return text
  }
}
