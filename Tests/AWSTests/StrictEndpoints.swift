import Concurrency
import Foundation
import HTTPServer

/// A server on loopback that stands for a metadata service, an agent or STS, and is as strict as the real ones.
final class StrictEndpoint: Sendable {
  let url: String
  private let server: HTTPServer
  private let seen: Locked<[String]>

  init(_ answer: @escaping @Sendable (HTTPRequest) -> HTTPResponse) throws {
    let seen = Locked<[String]>([])
    self.seen = seen
    server = HTTPServer(configuration: HTTPServerConfiguration(port: 0)) { request in
      seen.withLock { $0.append("\(request.head.method) \(request.head.target)") }
      return answer(request)
    }
    try server.start()
    url = "http://127.0.0.1:\(server.port)"
  }

  /// Method and target of every request, in order.
  var requests: [String] { seen.withLock { $0 } }

  func stop() async { await server.shutdown(drain: .zero) }
}

/// A folder for a test's shared files, removed when it is released.
final class SharedFiles: Sendable {
  let home: String

  init(config: String = "", credentials: String = "", files: [String: String] = [:]) throws {
    home = NSTemporaryDirectory() + "aws-" + UUID().uuidString
    let all = ["/.aws/config": config, "/.aws/credentials": credentials].merging(files) { $1 }
    for (path, text) in all {
      let url = URL(fileURLWithPath: home + path)
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: url, atomically: true, encoding: .utf8)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: home) }
}
