import Concurrency
import Foundation
import HTTPClient
import HTTPServer

/// A proxy before a server, which can let uploads hang before or after the server took them.
final class FaultyProxy: Sendable {
  enum Mode: Sendable {
    case passes
    /// Uploads are neither passed on nor answered.
    case hangsBefore
    /// Uploads are passed on and never answered.
    case hangsAfter
  }

  let url: String
  private let server: HTTPServer
  private let state: Locked<(mode: Mode, uploads: Int)>

  init(to target: String) throws {
    let state = Locked<(mode: Mode, uploads: Int)>((.passes, 0))
    self.state = state
    let http = HTTPClient()
    server = HTTPServer(configuration: HTTPServerConfiguration(port: 0)) { request in
      let isUpload = request.head.method == "PUT"
      let mode = state.withLock { $0.mode }
      if !isUpload || mode != .hangsBefore {
        let names = ["Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Content-Sha256"]
        let response = try? await http.execute(
          HTTPClientRequest(
            method: request.head.method, url: target + request.head.target,
            headers: names.compactMap { name in request.head.headers[name].map { .init(name, $0) } },
            body: request.body))
        let body = (try? await response?.body.collect(upTo: 64 << 20)) ?? []
        if !isUpload || mode == .passes {
          state.withLock { $0.uploads += isUpload ? 1 : 0 }
          return HTTPResponse(status: response?.status ?? 502, body: .bytes(body))
        }
      }
      state.withLock { $0.uploads += 1 }
      try? await Task.sleep(for: .seconds(600))
      return HTTPResponse(status: 503)
    }
    try server.start()
    url = "http://127.0.0.1:\(server.port)"
  }

  /// Uploads that were answered, or hang.
  var uploads: Int { state.withLock { $0.uploads } }

  func set(_ mode: Mode) { state.withLock { $0 = (mode, 0) } }

  func stop() async { await server.shutdown(drain: .zero) }
}
