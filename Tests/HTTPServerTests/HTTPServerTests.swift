import HTTPServer
import Testing

@Suite struct HTTPServerTests {
  @Test func answers_whenHandlerReturns() async throws {
    try await withServer { server in
      let client = try await RawClient.connected(to: server.port)
      let (text, ended) = await client.exchange("GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(text.hasSuffix("\r\n\r\nGET /a?b=c 0\n"))
      #expect(text.contains("\r\nDate: "))
      #expect(ended)
    }
  }
}
