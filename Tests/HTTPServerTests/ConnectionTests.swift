import Concurrency
import HTTPServer
import Testing

/// Waits up to five seconds for `condition`.
func eventually(_ condition: () async -> Bool) async throws -> Bool {
  for _ in 0..<500 {
    if await condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return await condition()
}

@Suite struct ConnectionTests {
  private let get = "GET /g HTTP/1.1\r\nHost: x\r\n\r\n"

  @Test func answersPipelinedRequestsInOrder() async throws {
    try await withServer(handler: { request in
      if request.segments == ["slow"] { try? await Task.sleep(for: .milliseconds(100)) }
      return HTTPResponse(status: 200, text: "<\(request.head.target)>")
    }) { server in
      let client = try await RawClient.connected(to: server.port)
      let requests = ["/slow", "/b", "/slow?2", "/d"].map {
        "POST \($0) HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
      }
      await client.send(requests.joined())
      let text = await client.receive(containing: "</d>")
      let bodies = text.split(separator: "<").dropFirst().map { $0.prefix { $0 != ">" } }
      #expect(bodies == ["/slow", "/b", "/slow?2", "/d"])
    }
  }

  @Test func sendsHeadOnly_whenMethodIsHEAD() async throws {
    let file = try HTTPFile(path: "/proc/self/exe", offset: 0, length: 77)
    let bodies: [HTTPResponse.Body] = [
      .bytes(Array("hello".utf8)), .file(file), .stream { try await $0.write("never") }, .stream(length: 9) { _ in },
    ]
    let started = Locked(false)
    try await withServer(handler: { request in
      guard let index = request.segments.first.flatMap(Int.init) else { return HTTPResponse(status: 404) }
      guard index < bodies.count else {
        return HTTPResponse(status: 200, body: .stream { _ in started.withLock { $0 = true } })
      }
      return HTTPResponse(status: 200, body: bodies[index])
    }) { server in
      let client = try await RawClient.connected(to: server.port)
      for (index, length) in [(0, "5"), (1, "77"), (3, "9")] {
        await client.send("HEAD /\(index) HTTP/1.1\r\nHost: x\r\n\r\n")
        let text = await client.receive(containing: "\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
        #expect(text.contains("Content-Length: \(length)\r\n"))
      }
      // Of unknown length: nothing follows the head, not even the last chunk of no body.
      for index in [2, 4] {
        let client = try await RawClient.connected(to: server.port)
        let (text, ended) = await client.exchange("HEAD /\(index) HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(ended)
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(text.hasSuffix("\r\n\r\n") && !text.hasSuffix("0\r\n\r\n"), "\(text)")
      }
    }
    #expect(!started.withLock { $0 })
  }

  @Test func sendsFilePart() async throws {
    let file = try HTTPFile(path: #filePath, offset: 7, length: 11)
    try await withServer(handler: { _ in HTTPResponse(status: 200, body: .file(file)) }) { server in
      let client = try await RawClient.connected(to: server.port)
      let text = await client.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").text
      #expect(text.contains("Content-Length: 11\r\n"))
      #expect(text.hasSuffix("\r\n\r\nConcurrency"))
    }
    #expect(throws: HTTPServerError.self) { try HTTPFile(path: "/nonexistent") }
    #expect(throws: HTTPServerError.self) { try HTTPFile(path: "/etc") }
    #expect(throws: HTTPServerError.self) { try HTTPFile(path: #filePath, offset: 1 << 30) }
  }

  @Test func doesNotSplitResponse_whenHeaderValueHasLineBreak() async throws {
    try await withServer(handler: { _ in HTTPResponse(status: 200, headers: ["X": "a\r\nSet-Cookie: b"]) }) { server in
      let client = try await RawClient.connected(to: server.port)
      let (text, ended) = await client.exchange(get)
      #expect(text.hasPrefix("HTTP/1.1 500 "))
      #expect(!text.contains("Set-Cookie"))
      #expect(ended)
    }
  }

  @Test func cancelsHandlerWithinASecond_whenClientLeaves() async throws {
    let cancelledAfter = Locked<Duration?>(nil)
    let entered = Locked(false)
    try await withServer(handler: { _ in
      entered.withLock { $0 = true }
      try? await Task.sleep(for: .seconds(30))
      cancelledAfter.withLock { $0 = Task.isCancelled ? .zero : nil }
      return HTTPResponse(status: 200)
    }) { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(get)
      #expect(try await eventually { entered.withLock { $0 } })
      let start = ContinuousClock.now
      await client.close()
      #expect(try await eventually { cancelledAfter.withLock { $0 != nil } })
      #expect(ContinuousClock.now - start < .seconds(1))
      #expect(try await eventually { server.requestsInFlight == 0 && server.openConnections == 0 })
    }
  }

  @Test func stillAnswers_whenClientClosesItsSendingSide() async throws {
    try await withServer(handler: { _ in HTTPResponse(status: 200, text: "done") }) { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(get)
      await client.closeWriting()
      #expect(await client.receiveAll().text.hasSuffix("done"))
    }
  }

  @Test(arguments: [
    "", "GET / HT", "GET / HTTP/1.1\r\nX: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n",
  ])
  func endsClientThatDrips(beginning: String) async throws {
    try await withServer {
      $0.idleTimeout = .seconds(1)
      $0.requestReadDeadline = .milliseconds(400)
      $0.minBodyBytesPerSecond = 1000
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(beginning)
      var drops = 0
      while drops < 100, await client.send("a") {
        drops += 1
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(drops < 100)
      #expect(try await eventually { server.openConnections == 0 })
    }
  }

  @Test func closesSilentConnection() async throws {
    try await withServer {
      $0.idleTimeout = .seconds(1)
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      #expect(await client.receiveAll().ended)
    }
  }

  @Test func refusesRequestsBeyondLimit_withRetryAfter() async throws {
    let release = Locked(false)
    try await withServer {
      $0.maxConcurrentRequests = 1
      $0.retryAfterSeconds = 7
    } handler: { _ in
      while !release.withLock({ $0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
      return HTTPResponse(status: 200)
    } _: { server in
      let first = try await RawClient.connected(to: server.port)
      await first.send(get)
      #expect(try await eventually { server.requestsInFlight == 1 })
      try await Task.sleep(for: .milliseconds(50))
      let second = try await RawClient.connected(to: server.port)
      await second.send(get)
      let refused = await second.receive(containing: "later.\n")
      #expect(refused.hasPrefix("HTTP/1.1 503 "))
      #expect(refused.contains("Retry-After: 7\r\n"))
      release.withLock { $0 = true }
      #expect(await first.receive(containing: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
      await second.send(get)
      #expect(await second.receive(containing: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func answers503AndCancels_whenHandlerMissesItsDeadline() async throws {
    let cancelled = Locked(false)
    try await withServer {
      $0.handlerDeadline = .milliseconds(100)
    } handler: { _ in
      try? await Task.sleep(for: .seconds(30))
      cancelled.withLock { $0 = Task.isCancelled }
      return HTTPResponse(status: 200)
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(get)
      let text = await client.receive(containing: "allows.\n")
      #expect(text.hasPrefix("HTTP/1.1 503 "))
      #expect(text.contains("Retry-After: 1\r\n"))
      #expect(try await eventually { cancelled.withLock { $0 } && server.requestsInFlight == 0 })
    }
  }

  @Test func answersOthers_whenFiveHundredConnectionsIdle() async throws {
    try await withServer { server in
      var idle: [RawClient] = []
      for _ in 0..<500 { idle.append(try await .connected(to: server.port)) }
      #expect(try await eventually { server.openConnections == 500 })
      let client = try await RawClient.connected(to: server.port)
      let start = ContinuousClock.now
      for _ in 0..<20 {
        await client.send(get)
        #expect(await client.receive(containing: "GET /g 0\n").hasPrefix("HTTP/1.1 200 "))
      }
      #expect(ContinuousClock.now - start < .seconds(2))
      for client in idle { await client.close() }
      #expect(try await eventually { server.openConnections == 1 })
    }
  }

  @Test func closesFurtherConnectionsOfOneAddress() async throws {
    try await withServer {
      $0.maxConnectionsPerAddress = 2
    } _: { server in
      let clients = [try await RawClient.connected(to: server.port), try await .connected(to: server.port)]
      #expect(try await eventually { server.openConnections == 2 })
      let third = try await RawClient.connected(to: server.port)
      #expect(await third.receiveAll().ended)
      for client in clients { await client.close() }
    }
  }

  @Test func laterClientsWait_whenConnectionsAreUsedUp() async throws {
    try await withServer {
      $0.maxConnections = 2
    } _: { server in
      let clients = [try await RawClient.connected(to: server.port), try await .connected(to: server.port)]
      #expect(try await eventually { server.openConnections == 2 })
      let third = try await RawClient.connected(to: server.port)
      await third.send(get)
      #expect(await third.receive(containing: "0\n", seconds: 1).isEmpty)
      await clients[0].close()
      #expect(await third.receive(containing: "0\n").hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func refusesStreamFromEarlyHook() async throws {
    try await withServer {
      $0.early = { _ in HTTPResponse(status: 200, body: .stream { _ in }) }
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      #expect(await client.exchange(get).text.hasPrefix("HTTP/1.1 500 "))
    }
  }

  @Test func reportsEndedRequests() async throws {
    let events = Locked<[HTTPExchange]>([])
    try await withServer {
      $0.serverName = "test"
      $0.log = { event in
        if case .exchange(let exchange) = event { events.withLock { $0.append(exchange) } }
      }
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(get)
      #expect(await client.receive(containing: "GET /g 0\n").contains("Server: test\r\n"))
      await client.send("GET /bad HTTP/1.1\r\n\r\n")
      #expect(await client.receiveAll().ended)
      #expect(try await eventually { events.withLock { $0.count } == 2 })
      let logged = events.withLock { $0 }
      #expect(logged.map(\.status) == [200, 400])
      #expect(logged.map(\.target) == ["/g", "/bad"])
      #expect(logged.map(\.refusal?.code) == [nil, "malformed_request"])
      #expect(logged.map(\.remoteAddress) == ["127.0.0.1", "127.0.0.1"])
      #expect(logged[0].outcome == .completed)
    }
  }
}
