import Concurrency
import HTTPServer
import Testing

/// Bodies that the handler reads while they arrive.
@Suite struct StreamedBodyTests {
  private static let limit = 1 << 20

  private func post(_ fields: String, _ body: String = "") -> String {
    "POST /p HTTP/1.1\r\nHost: x\r\n\(fields)\r\n\(body)"
  }

  private func withStreams(
    limit: Int = Self.limit, _ handler: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse,
    _ body: (HTTPServer) async throws -> Void
  ) async throws {
    try await withServer {
      $0.maxBodyBytes = 10
      $0.streamedBodyLimit = { _ in limit }
    } handler: { request in
      do { return try await handler(request) } catch { return HTTPResponse(status: 500, text: "\(error)\n") }
    } _: { server in
      try await body(server)
    }
  }

  /// Counts a body.
  @Sendable private static func count(_ request: HTTPRequest) async throws -> HTTPResponse {
    var total = 0
    while let piece = try await request.pieces.next() { total += piece.count }
    return HTTPResponse(status: 200, text: "\(total) bytes\n")
  }

  @Test func handlerHasTheBeginning_beforeTheEndWasSent() async throws {
    let seen = Locked("")
    try await withStreams { request in
      while let piece = try await request.pieces.next() {
        seen.withLock { $0 += String(decoding: piece, as: UTF8.self) }
      }
      return HTTPResponse(status: 200, text: "done\n")
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Content-Length: 20\r\n", "0123456789"))
      try await poll { seen.withLock { $0 } == "0123456789" }
      await client.send("abcdefghij")
      #expect(await client.receive(containing: "done\n").hasPrefix("HTTP/1.1 200 "))
      #expect(seen.withLock { $0 } == "0123456789abcdefghij")
      // The connection is good for another one.
      await client.send(post("Content-Length: 3\r\n", "xyz"))
      #expect(await client.receive(containing: "done\n").hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func clientIsHeldBack_whileTheHandlerIsSlow() async throws {
    let largest = Locked(0)
    let taken = Locked<[UInt8]>([])
    let block = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let bytes = (0..<4000).flatMap { _ in block }
    try await withStreams(limit: 16 << 20) { request in
      var pieces = 0
      while let piece = try await request.pieces.next() {
        largest.withLock { $0 = max($0, piece.count) }
        taken.withLock { $0 += piece }
        pieces += 1
        if pieces < 20 { try await Task.sleep(for: .milliseconds(5)) }
      }
      return HTTPResponse(status: 200, text: "done\n")
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Content-Length: \(bytes.count)\r\n"))
      await client.send(bytes)
      #expect(await client.receive(containing: "done\n", seconds: 30).hasPrefix("HTTP/1.1 200 "))
    }
    let isWhole = taken.withLock { $0 == bytes }
    #expect(isWhole)
    let most = HTTPServerConfiguration().requestBufferBytes + HTTPServerConfiguration().maxHeadBytes
    #expect(largest.withLock { $0 } <= most)
  }

  @Test func manySmallChunks_areHeldBackToo() async throws {
    let chunks = 20_000
    try await withServer {
      $0.requestBufferBytes = 500
      $0.streamedBodyLimit = { _ in Self.limit }
    } handler: { request in
      var total = 0
      do {
        while let piece = try await request.pieces.next() {
          total += piece.count
          await Task.yield()
        }
      } catch { return HTTPResponse(status: 500, text: "\(error)\n") }
      return HTTPResponse(status: 200, text: "\(total)\n")
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Transfer-Encoding: chunked\r\n"))
      await client.send(Array((String(repeating: "5\r\nabcde\r\n", count: chunks) + "0\r\n\r\n").utf8))
      #expect(await client.receive(containing: "\(chunks * 5)\n", seconds: 30).hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func chunksAreJoined_andEmptyBodiesEndAtOnce() async throws {
    try await withStreams(Self.count) { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"))
      #expect(await client.receive(containing: "\r\n\r\n13 bytes\n").contains("\r\n\r\n13 bytes\n"))
      await client.send(post("Content-Length: 0\r\n"))
      #expect(await client.receive(containing: "0 bytes\n").hasSuffix("\r\n\r\n0 bytes\n"))
      await client.send(post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"))
      #expect(await client.receive(containing: "0 bytes\n").hasSuffix("\r\n\r\n0 bytes\n"))
    }
  }

  @Test func bodyIsInvited_onlyWhenTheHandlerWantsIt() async throws {
    try await withStreams { request in
      guard request.headers["Authorization"] != nil else { return HTTPResponse(status: 401, text: "no\n") }
      return try await Self.count(request)
    } _: { server in
      let refused = try await RawClient.connected(to: server.port)
      let (text, ended) = await refused.exchange(post("Content-Length: 100\r\nExpect: 100-continue\r\n"))
      #expect(text.hasPrefix("HTTP/1.1 401 "))
      #expect(ended)
      let invited = try await RawClient.connected(to: server.port)
      await invited.send(post("Content-Length: 2\r\nExpect: 100-continue\r\nAuthorization: a\r\n"))
      #expect(await invited.receive(containing: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      await invited.send("ab")
      #expect(await invited.receive(containing: "\r\n\r\n2 bytes\n").contains("\r\n\r\n2 bytes\n"))
    }
  }

  @Test func refusalWithoutReading_isHeardAndKeepsTheConnectionWhereItCan() async throws {
    try await withStreams { request in
      request.head.target == "/p" ? HTTPResponse(status: 403, text: "no\n") : HTTPResponse(status: 200, text: "yes\n")
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Content-Length: 5\r\n", "abcde"))
      #expect(await client.receive(containing: "no\n").hasPrefix("HTTP/1.1 403 "))
      await client.send("GET /q HTTP/1.1\r\nHost: x\r\n\r\n")
      #expect(await client.receive(containing: "yes\n").hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func clientCanReadTheAnswer_whenItComesInTheMiddleOfTheBody() async throws {
    try await withStreams(limit: 8 << 20) { request in
      _ = try await request.pieces.next()
      return HTTPResponse(status: 415, text: "not that\n")
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Content-Length: \(4 << 20)\r\n"))
      await client.send([UInt8](repeating: 0x61, count: 4 << 20))
      #expect(await client.receive(containing: "not that\n", seconds: 20).hasPrefix("HTTP/1.1 415 "))
    }
  }

  @Test func longBodies_areRefusedByTheirLengthOrAsTheyCome() async throws {
    let thrown = Locked<[String]>([])
    try await withStreams(limit: 1000) { request in
      do { return try await Self.count(request) } catch {
        thrown.withLock { $0.append((error as? HTTPServerError)?.code ?? "\(error)") }
        throw error
      }
    } _: { server in
      let declared = try await RawClient.connected(to: server.port)
      #expect(await declared.exchange(post("Content-Length: 1000000\r\n")).text.hasPrefix("HTTP/1.1 413 "))
      #expect(thrown.withLock { $0.isEmpty })
      let chunked = try await RawClient.connected(to: server.port)
      let chunk = "400\r\n" + String(repeating: "a", count: 1024) + "\r\n"
      await chunked.send(post("Transfer-Encoding: chunked\r\n", chunk + chunk + "0\r\n\r\n"))
      #expect(await chunked.receive(containing: "bytes.\n").hasPrefix("HTTP/1.1 413 "))
      try await poll { thrown.withLock { $0 } == ["http.body_too_large"] }
    }
  }

  @Test func handlerHears_thatTheClientLeft() async throws {
    let ends = Locked<[String]>([])
    try await withStreams { request in
      do { return try await Self.count(request) } catch {
        ends.withLock { $0.append((error as? HTTPServerError)?.code ?? "\(type(of: error))") }
        throw error
      }
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Content-Length: 100\r\n", "0123456789"))
      try await poll { server.requestsInFlight == 1 }
      await client.close()
      try await poll { ends.withLock { $0.count } == 1 }
      #expect(["http.client_left", "CancellationError"].contains(ends.withLock { $0[0] }))
      try await poll { server.requestsInFlight == 0 }
    }
  }

  @Test func clientIsCut_whenItsBodyDrips() async throws {
    try await withServer {
      $0.streamedBodyLimit = { _ in Self.limit }
      $0.requestReadDeadline = .milliseconds(200)
    } handler: { request in
      (try? await Self.count(request)) ?? HTTPResponse(status: 500)
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      #expect(await client.exchange(post("Content-Length: 100\r\n", "0123456789")).ended)
    }
  }

  @Test func handlerThatDoesNothing_isGivenUp() async throws {
    try await withServer {
      $0.streamedBodyLimit = { _ in Self.limit }
      $0.handlerDeadline = .milliseconds(100)
    } handler: { _ in
      try? await Task.sleep(for: .seconds(3600))
      return HTTPResponse(status: 200)
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Content-Length: 10\r\n", "0123456789"))
      #expect(await client.receive(containing: "allows.\n", seconds: 20).hasPrefix("HTTP/1.1 503 "))
    }
  }

  @Test func shutdownEndsAnUpload() async throws {
    let ended = Locked(false)
    let server = HTTPServer(configuration: Self.streaming) { request in
      let response = try? await Self.count(request)
      ended.withLock { $0 = true }
      return response ?? HTTPResponse(status: 503)
    }
    try server.start()
    let client = try await RawClient.connected(to: server.port)
    await client.send(post("Content-Length: 100\r\n", "0123456789"))
    try await poll { server.requestsInFlight == 1 }
    await server.shutdown(drain: .zero)
    try await poll { ended.withLock { $0 } }
    #expect(await client.receiveAll().ended)
  }

  private static var streaming: HTTPServerConfiguration {
    var configuration = HTTPServerConfiguration()
    configuration.streamedBodyLimit = { _ in limit }
    return configuration
  }

  /// Waits until `isTrue`, or fails.
  private func poll(_ isTrue: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while !isTrue() {
      guard ContinuousClock.now < end else {
        Issue.record("it did not happen within 20 seconds")
        return
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
