import Concurrency
import Answering
import Core
import FoundationEssentials
import HTTPAPI
import Telemetry

extension Library {
  /// Serves the HTTP API until the process is told to stop.
  /// - Parameters:
  ///   - allowsInsecure: Whether an address beyond loopback needs no API key.
  ///   - started: Told the address once the service listens.
  /// - Throws: A ``CategorizedError`` when it cannot start: a port in use, a missing key or certificate.
  public func serve(allowsInsecure: Bool, started: @escaping @Sendable (String) -> Void) async throws {
    Signals.ignoreBrokenPipes()
    try BindPolicy.check(host: settings.server.host, keys: try await keys.keys(), isInsecure: allowsInsecure)
    let server = APIServer(try await api(allowsInsecure: allowsInsecure), settings: try serverSettings())
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
    let group = ServiceGroup(
      [GroupedService(name: "http", shutdown: { await server.shutdown() }, run: { await server.run() })],
      gracePeriod: settings.server.drainTimeout + .seconds(5)
    ) { event in
      if case .stopping = event { log.log(.info, "the service stops; running requests may finish") }
    }
    try await group.run()
  }

  private func api(allowsInsecure: Bool) async throws -> API {
    // Loaded now, so that the first question does not wait and a missing model is told at once.
    let embedder = try embedder()
    let index = index
    return API(
      API.Parts(
        answering: try questionAnswering(), index: index, originals: originals(), renderer: renderer(),
        passwords: try await passwords(), keys: keys, recorder: recorder, log: log,
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
        }),
      settings: API.Settings(
        app: settings.app, environment: settings.environment, version: QuarryVersion.current,
        requestTimeout: settings.server.requestTimeout, questionCharacters: settings.answering.questionCharacters,
        isLoopback: BindPolicy.isLoopback(settings.server.host), isInsecure: allowsInsecure))
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
