import HTTPServer

/// Runs `body` against a server on a free port and shuts it down afterwards.
func withServer<Result>(
  _ configure: (inout HTTPServerConfiguration) -> Void = { _ in },
  handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse = { request in
    HTTPResponse(status: 200, text: "\(request.method) \(request.head.target) \(request.body.count)\n")
  },
  _ body: (HTTPServer) async throws -> Result
) async throws -> Result {
  var configuration = HTTPServerConfiguration()
  configure(&configuration)
  let server = HTTPServer(configuration: configuration, handler: handler)
  try server.start()
  do {
    let result = try await body(server)
    await server.shutdown(drain: .zero)
    return result
  } catch {
    await server.shutdown(drain: .zero)
    throw error
  }
}
