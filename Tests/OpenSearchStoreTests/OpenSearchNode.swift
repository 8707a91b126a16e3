import Concurrency
import Core
import FoundationEssentials
import Glibc
import HTTPClient
import OpenSearchStore
import Testing

/// A real OpenSearch node for tests: `../shared/opensearch`, one for all of a run, each test with an index name of its own.
enum OpenSearchNode {
  /// Why there is none here; nil when there is.
  static let absence: String? = {
    let path = folder + "/node"
    if access(path, X_OK) != 0 { return "no OpenSearch at \(path)" }
    return nil
  }()

  static let folder: String = {
    let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    for candidate in [ProcessInfo.processInfo.environment["QUARRY_SHARED"], "/\(here)/../shared", "/work/shared"] {
      if let candidate, access(candidate + "/opensearch/node", X_OK) == 0 { return candidate + "/opensearch" }
    }
    return "/\(here)/../shared/opensearch"
  }()

  private static let started = Locked<Result<String, any Error>?>(nil)

  /// The URL of the node, started at the first call and stopped when the test process ends.
  static func url() throws -> String {
    try started.withLock { started in
      if let started { return try started.get() }
      let result = Result { try start() }
      started = result
      return try result.get()
    }
  }

  struct Unavailable: Error, CustomStringConvertible { var description: String }

  private nonisolated(unsafe) static var directory: UnsafeMutablePointer<CChar>?

  private static func start() throws -> String {
    let path = "/tmp/quarry-opensearch-\(getpid())"
    let output = try run(["start", "--dir", path, "--port", "0", "--heap", "768m"])
    guard let url = output.split(whereSeparator: \.isWhitespace).last(where: { $0.hasPrefix("http") }) else {
      throw Unavailable(description: output)
    }
    directory = strdup(path)
    atexit {
      guard let path = OpenSearchNode.directory.map({ String(cString: $0) }) else { return }
      _ = try? OpenSearchNode.run(["kill", "--dir", path])
      _ = try? FileManager.default.removeItem(atPath: path)
    }
    return String(url)
  }

  /// Runs the node's script and returns what it said.
  @discardableResult
  static func run(_ arguments: [String]) throws -> String {
    let file = "/tmp/quarry-opensearch-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).out"
    defer { unlink(file) }
    let quoted = (["\(folder)/node"] + arguments).map { "'\($0)'" }.joined(separator: " ")
    let status = system("\(quoted) > '\(file)' 2>&1 < /dev/null")
    let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    guard status == 0 else { throw Unavailable(description: text) }
    return text
  }

  /// A client of the node with an index name that nobody else has.
  static func client(
    _ change: (inout OpenSearchConfiguration) -> Void = { _ in }
  ) throws -> OpenSearchClient {
    var configuration = OpenSearchConfiguration(
      endpoints: [try url()], index: "t\(getpid())-\(UInt32.random(in: 0...UInt32.max))", engine: .lucene)
    change(&configuration)
    return try OpenSearchClient(configuration, http: HTTPClient())
  }
}

/// Runs `body` with an opened, empty index of its own.
///
/// Indices are costly to make, so a few are kept and emptied between tests; those of other configurations are made for
/// the one test and removed.
func withCluster(
  _ change: ((inout OpenSearchConfiguration) -> Void)? = nil,
  _ body: (OpenSearchCluster) async throws -> Void
) async throws {
  let client: OpenSearchClient
  if let change { client = try OpenSearchNode.client(change) } else { client = try await ClientPool.shared.take() }
  let outcome: Result<Void, any Error>
  do {
    outcome = .success(try await body(try await OpenSearchCluster.open(client)))
  } catch { outcome = .failure(error) }
  if change == nil {
    await ClientPool.shared.giveBack(client)
  } else {
    try? await OpenSearchCluster.open(client).removeEverything()
  }
  try outcome.get()
}

/// Clients of indices that are used one after the other.
private actor ClientPool {
  static let shared = ClientPool()
  private static let most = 3

  private var free: [OpenSearchClient] = []
  private var made = 0
  private var waiting: [CheckedContinuation<Void, Never>] = []

  func take() async throws -> OpenSearchClient {
    while free.isEmpty, made == Self.most { await withCheckedContinuation { waiting.append($0) } }
    if let client = free.popLast() { return client }
    made += 1
    return try OpenSearchNode.client()
  }

  func giveBack(_ client: OpenSearchClient) async {
    do {
      try await OpenSearchCluster.open(client).empty()
      free.append(client)
    } catch {
      made -= 1
    }
    if !waiting.isEmpty { waiting.removeFirst().resume() }
  }
}
