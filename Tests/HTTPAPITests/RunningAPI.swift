import Answering
import Concurrency
import Core
import Foundation
import Ingestion
import LocalFiles
import QuarryTesting
import Telemetry

import HTTPAPI

/// An API with everything in memory behind a real socket.
struct RunningAPI: Sendable {
  let port: Int
  let index: InMemoryDocumentIndex
  let jobs: InMemoryJobStore
  let uploads: DirectoryUploadStore
  let activity: IngestionActivity
  let folder: URL
  let keys: InMemoryKeyStore
  let renderer: RecordingRenderer
  let originals: OriginalsInMemory
  let generator: ScriptedTextGenerator
  let events: InMemoryEventLog
  let recorder: TelemetryRecorder
  let lines: Locked<[String]>
  let metrics: MetricsInMemory
  let notReady: Locked<[ReasonBody]>
  let api: API
  /// Collections whose sources were asked to be listed.
  let synced: Locked<[CollectionName]>
  let server: APIServer

  /// A request on a connection of its own; its answer must be one that openapi.json describes.
  func send(_ method: String, _ target: String, headers: [(String, String)] = [], body: String? = nil) async throws
    -> TestClient.Reply
  {
    let reply = try await TestClient.send(method, target, headers: headers, body: body, to: port)
    Described.check(method, target, reply)
    return reply
  }

  /// Makes a key and gives the header that carries it.
  func makeKey(
    collections: Set<CollectionName>? = nil, permission: KeyPermission = .write
  ) async throws -> (key: APIKey, header: (String, String)) {
    let made = KeySecret.makeKey(
      label: "test", collections: collections, permission: permission, now: Sample.date)
    try await keys.add(made.key)
    return (made.key, ("Authorization", "Bearer \(made.secret)"))
  }

  /// A JSON request.
  func post(_ target: String, _ body: String, headers: [(String, String)] = []) async throws -> TestClient.Reply {
    try await send("POST", target, headers: headers + [("Content-Type", "application/json")], body: body)
  }

  /// An upload.
  func upload(
    _ target: String, _ body: String = "%PDF-1.7 something", method: String = "POST",
    headers: [(String, String)] = []
  ) async throws -> TestClient.Reply {
    let hasType = headers.contains { $0.0 == "Content-Type" }
    return try await send(
      method, target, headers: headers + (hasType ? [] : [("Content-Type", "application/pdf")]), body: body)
  }

  /// The files that uploads have left, without the lock.
  func files() -> [String] {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    return paths.filter { $0.hasSuffix(".pdf") || $0.hasSuffix(".part") }.sorted()
  }

  /// The lines logged so far that have `text` in them.
  func lines(with text: String) -> [String] { lines.withLock { $0.filter { $0.contains(text) } } }
}

/// Runs `body` against an API whose library has a few small documents.
/// - Parameter script: What the text model says; nil for extractive answers.
func withAPI(
  script: [ScriptedTextGenerator.Response]? = nil, settings: API.Settings = .init(version: "1.2.3"),
  limits: APIServer.Settings = .init(port: 0, drainTimeout: .milliseconds(200)), retriever: (any Retriever)? = nil,
  uploadLimit: Int = 1 << 30, concurrentUploads: Int = 4, isWatching: Bool = true,
  _ body: (RunningAPI) async throws -> Void
) async throws {
  let index = InMemoryDocumentIndex()
  try await index.commit(Library.pump)
  try await index.commit(Library.valve)
  try await index.commit(Library.secret)
  let embedder = FakeEmbedder()
  let events = InMemoryEventLog()
  let lines = Locked<[String]>([])
  let log = StructuredLog(level: .debug, format: .json) { line in lines.withLock { $0.append(line) } }
  let metrics = MetricsInMemory()
  let recorder = TelemetryRecorder(
    identity: .init(app: "quarry", environment: "test", quarryVersion: "1.2.3"), eventLog: events,
    exporters: [metrics], log: log)
  let generator = ScriptedTextGenerator(script ?? [])
  let answerer: any Answerer =
    script == nil
    ? ExtractiveAnswerer(embedder: embedder, index: index)
    : GenerativeAnswerer(generator: generator, index: index)
  let answering = QuestionAnswering(
    retriever: retriever ?? HybridRetriever(index: index, embedder: embedder, settings: .init()),
    answerer: answerer, index: index, conversations: InMemoryConversationStore(), recorder: recorder, log: log,
    settings: .init(refusalThreshold: 0, questionCharacters: settings.questionCharacters))
  let keys = InMemoryKeyStore()
  let jobs = InMemoryJobStore()
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("quarry-api-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: folder) }
  let uploads = DirectoryUploadStore(directory: folder.path, maximumBytes: uploadLimit)
  let activity = IngestionActivity()
  let renderer = RecordingRenderer()
  let originals = OriginalsInMemory()
  let notReady = Locked<[ReasonBody]>([])
  let synced = Locked<[CollectionName]>([])
  let watched = [CollectionName.default, Library.secret.document.collection]
  let syncNow: @Sendable (@Sendable (CollectionName) -> Bool) -> Int = { isMeant in
    let meant = watched.filter(isMeant)
    synced.withLock { $0 += meant }
    return meant.count
  }
  let api = API(
    .init(
      answering: answering, index: index, originals: originals, renderer: renderer, jobs: jobs,
      uploads: UploadIntake(store: uploads, index: index, jobs: jobs, maxConcurrent: concurrentUploads),
      removal: DocumentRemoval(index: index, jobs: jobs, uploads: uploads, telemetry: recorder),
      ingestion: IngestionStatus(
        jobs: jobs, activity: activity,
        places: [
          .init(root: Library.pump.document.uri, collection: .default), .init(root: .uploads, collection: nil),
        ]), keys: keys, recorder: recorder, log: log, readiness: { notReady.withLock { $0 } },
      syncNow: isWatching ? syncNow : nil),
    settings: settings)
  let server = APIServer(api, settings: limits)
  try server.start()
  let running = RunningAPI(
    port: server.port, index: index, jobs: jobs, uploads: uploads, activity: activity, folder: folder, keys: keys,
    renderer: renderer, originals: originals, generator: generator,
    events: events, recorder: recorder, lines: lines, metrics: metrics, notReady: notReady, api: api, synced: synced,
    server: server)
  let delivery = Task { await recorder.run() }
  do {
    try await body(running)
    await server.shutdown()
  } catch {
    await server.shutdown()
    delivery.cancel()
    throw error
  }
  recorder.finish()
  await delivery.value
}

/// The documents of every test.
enum Library {
  static let pump = Sample.indexed(
    Sample.document("pump.pdf"),
    texts: ["The pump moves water from the lower basin.", "Grease the bearing every six months."], title: "Pump")
  static let valve = Sample.indexed(
    Sample.document("valve.pdf"), texts: ["The valve closes when the pressure rises above four bar."],
    attributes: ["plant": "north"])
  static let secret = Sample.indexed(
    Sample.document("secret.pdf", collection: CollectionName(rawValue: "board")),
    texts: ["The board meets on Tuesday in the north tower."])
}

/// Keeps metric points.
final class MetricsInMemory: MetricExporter {
  let name = "memory"
  let points = Locked<[MetricPoint]>([])

  func export(_ points: [MetricPoint]) async throws { self.points.withLock { $0 += points } }
}

/// Draws nothing and remembers what it was asked.
final class RecordingRenderer: PageImageRenderer {
  struct Call: Sendable {
    var path: String
    var page: Int
    var dotsPerInch: Double
    var highlights: [Box]
  }

  let calls = Locked<[Call]>([])

  func png(path: String, page: Int, dotsPerInch: Double, highlights: [Box], passwords: [String]) async throws
    -> [UInt8]
  {
    calls.withLock {
      $0.append(Call(path: path, page: page, dotsPerInch: dotsPerInch, highlights: highlights))
    }
    return [0x89, 0x50, 0x4E, 0x47]
  }
}

/// Has the bytes of every version but those named.
final class OriginalsInMemory: DocumentBytes {
  let missing = Locked<Set<ContentVersion>>([])

  func file(for version: ContentVersion, uri: SourceURI) async throws -> String {
    if missing.withLock({ $0.contains(version) }) {
      throw CoreError(code: "document.bytes_gone", category: .gone, message: "these bytes are gone")
    }
    return "/originals/\(version)"
  }
}

extension TestClient.Reply {
  /// The body as JSON; null when it is none.
  var json: JSONValue { (try? JSONReader.read(body)) ?? .null }
  /// The code of a problem.
  var code: String? { json["code"]?.text }
}
