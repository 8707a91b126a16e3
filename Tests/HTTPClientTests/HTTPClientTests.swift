import Concurrency
import Foundation
import HTTPClient
import HTTPServer
import Testing

@Suite struct HTTPClientTests {
  private let client = HTTPClient()

  /// A server of the project's own engine, stopped at the end.
  private func withServer(
    _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
    _ body: (String) async throws -> Void
  ) async throws {
    var configuration = HTTPServerConfiguration()
    configuration.port = 0
    let server = HTTPServer(configuration: configuration, handler: handler)
    try server.start()
    do { try await body("http://127.0.0.1:\(server.port)") } catch {
      await server.shutdown(drain: .zero)
      throw error
    }
    await server.shutdown(drain: .zero)
  }

  private func text(_ response: HTTPClientResponse) async throws -> String {
    String(decoding: try await response.body.collect(upTo: 1 << 20), as: UTF8.self)
  }

  // MARK: - What is sent

  @Test(arguments: ["GET", "POST", "PUT", "DELETE", "PATCH"])
  func sendsMethodHeadersAndBody(method: String) async throws {
    let server = try ScriptedServer([.send("HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 2\r\n\r\nhi")])
    let response = try await client.execute(
      HTTPClientRequest(
        method: method, url: "http://127.0.0.1:\(server.port)/p?q=1",
        headers: [.init("X-Name", "value"), .init("X-Empty", "")], body: Array("body".utf8)))
    #expect(response.status == 200)
    #expect(response["X-A"] == "1")
    #expect(response.headers.map(\.value) == ["1", "2", "2"])
    #expect(try await text(response) == "hi")
    let sent = try #require(server.requests.first)
    #expect(sent.hasPrefix("\(method) /p?q=1 HTTP/1.1\r\n"))
    #expect(sent.contains("\r\nX-Name: value\r\n"))
    #expect(sent.contains("\r\nX-Empty:\r\n"))
    #expect(sent.contains("\r\nContent-Length: 4\r\n"))
    #expect(sent.hasSuffix("\r\n\r\nbody"))
    // libcurl's own ideas are kept out: a signature would not cover them.
    #expect(!sent.contains("Expect:") && !sent.contains("Accept:") && !sent.contains("Content-Type:"))
  }

  @Test(arguments: ["/a/../b", "/a%2Fb//./c", "/model/arn%3Aaws%3Abedrock%2Fx/invoke?a=&b=%20"])
  func sendsTheTargetAsItIsGiven(target: String) async throws {
    let server = try ScriptedServer([.send("HTTP/1.1 204 No Content\r\n\r\n")])
    let response = try await client.execute(HTTPClientRequest(url: "http://127.0.0.1:\(server.port)\(target)"))
    #expect(response.status == 204)
    #expect(server.requests.first?.hasPrefix("GET \(target) HTTP/1.1\r\n") == true)
  }

  @Test func sendsAPostWithoutBody_withLengthZero() async throws {
    let server = try ScriptedServer([.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")])
    _ = try await client.execute(HTTPClientRequest(method: "POST", url: "http://127.0.0.1:\(server.port)/"))
    #expect(server.requests.first?.contains("Content-Length: 0\r\n") == true)
  }

  @Test(arguments: [
    HTTPClientRequest(method: "GET /x HTTP/1.1\r\nA:", url: "http://127.0.0.1:1/"),
    HTTPClientRequest(url: "http://127.0.0.1:1/", headers: [.init("A\r\nB", "1")]),
    HTTPClientRequest(url: "http://127.0.0.1:1/", headers: [.init("A", "1\r\nB: 2")]),
    HTTPClientRequest(url: "http://127.0.0.1:1/a b"), HTTPClientRequest(url: "file:///etc/passwd"),
    HTTPClientRequest(url: "gopher://127.0.0.1:1/"), HTTPClientRequest(url: "nonsense"),
  ])
  func refusesWhatWouldBeReadAsAnotherRequest(request: HTTPClientRequest) async {
    let error = await #expect(throws: HTTPClientError.self) { _ = try await client.execute(request) }
    #expect(error?.code == .invalidRequest || error?.code == .nameNotResolved)
  }

  // MARK: - What comes back

  @Test func returnsTheHeadBeforeTheBody() async throws {
    let server = try ScriptedServer([.sendAndStall("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")])
    let response = try await client.execute(HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/"))
    var iterator = response.body.makeAsyncIterator()
    #expect(try await iterator.next() == Array("first".utf8))
  }

  @Test func passesOverInterimResponsesAndTrailers() async throws {
    let server = try ScriptedServer([
      .send(
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
          + "3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n")
    ])
    let response = try await client.execute(HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/"))
    #expect(response.status == 200)
    #expect(response["Link"] == nil)
    #expect(try await text(response) == "abc")
  }

  @Test func answersHead_withoutWaitingForABody() async throws {
    let server = try ScriptedServer([.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")])
    let response = try await client.execute(
      HTTPClientRequest(method: "HEAD", url: "http://127.0.0.1:\(server.port)/"))
    #expect(response["content-length"] == "1000")
    #expect(try await response.body.collect(upTo: 10).isEmpty)
  }

  @Test func servesManyAtOnce_overFewConnections() async throws {
    try await withServer({ request in HTTPResponse(status: 200, text: request.head.target) }) { url in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<300 {
          group.addTask {
            let response = try await client.execute(HTTPClientRequest(url: "\(url)/\(number)"))
            #expect(try await text(response) == "/\(number)")
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test func holdsTheServerBack_whenNobodyReads() async throws {
    let written = Locked(0)
    try await withServer({ _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          let block = [UInt8](repeating: 7, count: 65_536)
          for _ in 0..<1_024 {
            try await writer.write(block)
            written.withLock { $0 += block.count }
          }
        })
    }) { url in
      let response = try await client.execute(HTTPClientRequest(url: url + "/"))
      var before = -1
      // Until the server gets no further: the sockets' buffers take some megabytes at most.
      while written.withLock({ $0 }) != before {
        before = written.withLock { $0 }
        try await Task.sleep(for: .milliseconds(300))
      }
      #expect(before < 32 << 20)
      var count = 0
      for try await chunk in response.body { count += chunk.count }
      #expect(count == 64 << 20)
    }
  }

  @Test func limitsWhatIsCollected() async throws {
    try await withServer({ _ in HTTPResponse(status: 200, body: .bytes([UInt8](repeating: 0, count: 100_000))) }) {
      url in
      let response = try await client.execute(HTTPClientRequest(url: url + "/"))
      let error = await #expect(throws: HTTPClientError.self) { _ = try await response.body.collect(upTo: 99_999) }
      #expect(error?.code == .bodyTooLarge)
    }
  }

  // MARK: - Ends

  @Test(.timeLimit(.minutes(5)), arguments: [true, false])
  func endsTheTransfer_whenNobodyWantsItAnyMore(byCancelling: Bool) async throws {
    let left = Locked(false)
    try await withServer({ _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          do {
            while true { try await writer.write([UInt8](repeating: 0, count: 65_536)) }
          } catch {
            left.withLock { $0 = true }
            throw error
          }
        })
    }) { url in
      if byCancelling {
        let task = Task {
          let response = try await client.execute(HTTPClientRequest(url: url + "/"))
          for try await _ in response.body {}
        }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
      } else {
        _ = try await client.execute(HTTPClientRequest(url: url + "/"))
      }
      while !left.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(10)) }
    }
  }

  @Test(.timeLimit(.minutes(5)))
  func throwsCancellation_beforeAnyAnswer() async throws {
    let server = try ScriptedServer([.sendAndStall("")])
    let url = "http://127.0.0.1:\(server.port)/"
    let task = Task { try await client.execute(HTTPClientRequest(url: url)) }
    while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func replacesAConnectionThatTheServerClosed() async throws {
    let hello = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    let server = try ScriptedServer([.sendAndClose(hello), .sendAndClose(hello), .sendAndClose(hello)])
    for _ in 0..<3 {
      let response = try await client.execute(HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/"))
      #expect(try await text(response) == "hi")
    }
    #expect(server.requests.count == 3)
  }

  // MARK: - Failures

  private func failure(_ request: HTTPClientRequest) async -> HTTPClientError? {
    await #expect(throws: HTTPClientError.self) {
      let response = try await client.execute(request)
      _ = try await response.body.collect(upTo: 1 << 20)
    }
  }

  @Test func saysWhatFailed_namingTheHost() async throws {
    let unresolved = await failure(HTTPClientRequest(url: "http://nowhere.invalid/secret?token=1"))
    #expect(unresolved?.code == .nameNotResolved)
    #expect(unresolved?.message.contains("nowhere.invalid") == true)
    #expect(unresolved?.description.contains("secret") == false)
    // Port 1 of the loopback is nobody's.
    let refused = await failure(HTTPClientRequest(url: "http://user:pass@127.0.0.1:1/x"))
    #expect(refused?.code == .connectionFailed)
    #expect(refused?.message.contains("127.0.0.1:1") == true)
    #expect(refused?.description.contains("pass") == false)
    #expect(refused?.isTransient == true)
  }

  @Test func toldApart_cutBodiesSilenceAndNonsense() async throws {
    let cut = try ScriptedServer([.sendAndClose("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")])
    let lost = await failure(HTTPClientRequest(url: "http://127.0.0.1:\(cut.port)/"))
    #expect(lost?.code == .connectionLost)
    #expect(lost?.hadResponse == true)
    let silent = try ScriptedServer([.sendAndStall("")])
    let late = await failure(HTTPClientRequest(url: "http://127.0.0.1:\(silent.port)/", timeout: .milliseconds(200)))
    #expect(late?.code == .timedOut)
    #expect(late?.hadResponse == false)
    let foreign = try ScriptedServer([.sendAndClose("SSH-2.0-OpenSSH_9.2\r\n\r\n")])
    let strange = await failure(HTTPClientRequest(url: "http://127.0.0.1:\(foreign.port)/"))
    #expect(strange?.code == .protocolError)
  }

  @Test func endsAnIdleBody() async throws {
    let server = try ScriptedServer([.sendAndStall("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")])
    let error = await failure(
      HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/", timeout: nil, idleTimeout: .seconds(5)))
    #expect(error?.code == .timedOut)
    #expect(error?.hadResponse == true)
  }

  @Test func endsWhatIsUnderWay_whenTheClientGoes() async throws {
    let server = try ScriptedServer([.sendAndStall("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")])
    var short: HTTPClient? = HTTPClient()
    let response = try await short?.execute(HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/"))
    short = nil
    let error = await #expect(throws: HTTPClientError.self) { _ = try await response?.body.collect(upTo: 100) }
    #expect(error?.code == .shutDown)
  }
}
