import Concurrency
import HTTPServer
import Testing

/// Heads that two parsers could read differently, sent as bytes; the expected statuses are those of RFC 9110 and 9112.
@Suite struct RefusalTests {
  private static let host = "Host: x\r\n"

  static let malformed: [(String, Int)] = [
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 1\r\ncontent-length: 1\r\n\r\na", 400),
    ("POST / HTTP/1.1\r\n\(host)Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST / HTTP/1.0\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip\r\n\r\n", 501),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n", 501),
    ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X : y\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X\t: y\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host): y\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X: a\0b\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X: a\0\r\nY: c\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X: a\u{01}b\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X: a\r\n folded\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X: a\rY: b\r\n\r\n", 400),
    ("GET / HTTP/1.1\nHost: x\n\n", 400),
    ("GET / HTTP/1.1\r\n\(host)X: a\n\r\n", 400),
    ("GET  / HTTP/1.1\r\n\(host)\r\n", 400),
    ("GET /a b HTTP/1.1\r\n\(host)\r\n", 400),
    ("GET /a\0b HTTP/1.1\r\n\(host)\r\n", 400),
    ("G(T / HTTP/1.1\r\n\(host)\r\n", 400),
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\n\(host)\(host)\r\n", 400),
    ("GET /%zz HTTP/1.1\r\n\(host)\r\n", 400),
    ("POST / HTTP/1.1\r\n\(host)Expect: a-pony\r\nContent-Length: 1\r\n\r\n", 417),
    ("GET / HTTP/1.1\r\n\(host)\(String(repeating: "X: y\r\n", count: 200))\r\n", 431),
  ]

  @Test(arguments: malformed)
  func refusesInTheApplicationsWordsAndCloses(request: String, status: Int) async throws {
    let calls = Locked(0)
    try await withServer { configuration in
      configuration.errorResponse = { refusal, _ in
        HTTPResponse(status: refusal.status, contentType: "application/problem+json", text: "{}")
      }
    } handler: { _ in
      calls.withLock { $0 += 1 }
      return HTTPResponse(status: 200)
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      let (text, ended) = await client.exchange(request)
      #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(request.debugDescription): \(text)")
      #expect(text.contains("Content-Type: application/problem+json\r\n"))
      #expect(text.contains("Connection: close\r\n"))
      #expect(ended)
    }
    #expect(calls.withLock { $0 } == 0)
  }

  @Test(arguments: [
    ("GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505), ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\na", 400),
    ("GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "y", count: 40_000))\r\n\r\n", 431),
    ("GET /\(String(repeating: "y", count: 40_000)) HTTP/1.1\r\nHost: x\r\n\r\n", 414),
  ])
  func libraryRefusesWhatItCannotParse(request: String, status: Int) async throws {
    try await withServer { server in
      let client = try await RawClient.connected(to: server.port)
      let (text, ended) = await client.exchange(request)
      #expect(text.hasPrefix("HTTP/1.1 \(status) "), "\(text)")
      #expect(ended)
    }
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost:x\r\nEmpty:\r\nBlank: \t \r\nTail: a \t\r\nConnection: close\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: x\r\nCookie: a=\"b\"; c\r\nConnection: close\r\n\r\n",
    "PATCH /a?b=c&d HTTP/1.1\r\nHost: \u{e9}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n1;x=y\r\na\r\n0\r\nT: v\r\n\r\n",
  ])
  func acceptsWellFormedHeads(request: String) async throws {
    try await withServer { server in
      let client = try await RawClient.connected(to: server.port)
      let text = await client.exchange(request).text
      #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n") || text.hasPrefix("HTTP/1.0 200 OK\r\n"), "\(text)")
    }
  }

  @Test func trimsHeaderValues() async throws {
    try await withServer(handler: { HTTPResponse(status: 200, text: "[\($0.headers["X"] ?? "nil")]") }) { server in
      let client = try await RawClient.connected(to: server.port)
      let text = await client.exchange("GET / HTTP/1.1\r\nHost: x\r\nX: \t a b\t \r\nConnection: close\r\n\r\n").text
      #expect(text.hasSuffix("[a b]"))
    }
  }
}
