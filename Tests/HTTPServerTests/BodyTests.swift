import Concurrency
import HTTPServer
import Testing

@Suite struct BodyTests {
  private func post(_ fields: String, _ body: String = "") -> String {
    "POST /p HTTP/1.1\r\nHost: x\r\n\(fields)\r\n\(body)"
  }

  @Test func joinsChunks() async throws {
    try await withServer(handler: { HTTPResponse(status: 200, body: .bytes($0.body)) }) { server in
      let client = try await RawClient.connected(to: server.port)
      let request = post(
        "Transfer-Encoding: chunked\r\nConnection: close\r\n", "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n")
      #expect(await client.exchange(request).text.hasSuffix("\r\n\r\nabc0123456789"))
    }
  }

  @Test func refusesLongBodyBeforeReadingIt() async throws {
    try await withServer {
      $0.maxBodyBytes = 1000
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      let (text, ended) = await client.exchange(post("Content-Length: 10000000\r\n"))
      #expect(text.hasPrefix("HTTP/1.1 413 "))
      #expect(ended)
    }
  }

  @Test func doesNotInviteLongBody_whenClientExpectsContinue() async throws {
    try await withServer {
      $0.maxBodyBytes = 1000
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      let text = await client.exchange(post("Content-Length: 1001\r\nExpect: 100-continue\r\n")).text
      #expect(text.hasPrefix("HTTP/1.1 413 "))
    }
  }

  @Test func invitesBody_whenClientExpectsContinue() async throws {
    try await withServer { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Content-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n"))
      #expect(await client.receive(containing: "\r\n\r\n").hasPrefix("HTTP/1.1 100 Continue\r\n\r\n"))
      #expect(await client.exchange("ab").text.hasSuffix("POST /p 2\n"))
    }
  }

  @Test func clientCanReadRefusal_whenItHasSentTheLongBody() async throws {
    try await withServer {
      $0.maxBodyBytes = 1000
    } _: { server in
      for _ in 0..<5 {
        let client = try await RawClient.connected(to: server.port)
        await client.send(post("Content-Length: 400000\r\n"))
        await client.send([UInt8](repeating: 0x61, count: 400_000))
        #expect(await client.receiveAll().text.hasPrefix("HTTP/1.1 413 "))
      }
    }
  }

  @Test func keepsConnection_whenRefusedBodyIsShort() async throws {
    try await withServer {
      $0.maxBodyBytes = 10
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Content-Length: 20\r\n", "01234567890123456789"))
      #expect(await client.receive(containing: "bytes.\n").hasPrefix("HTTP/1.1 413 "))
      #expect(await client.exchange(post("Connection: close\r\n")).text.hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test func refusesLongChunkedBody_afterDrainingIt() async throws {
    let bodies = Locked(0)
    try await withServer {
      $0.maxBodyBytes = 10
    } handler: { _ in
      bodies.withLock { $0 += 1 }
      return HTTPResponse(status: 200)
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      let chunk = "14\r\n01234567890123456789\r\n"
      await client.send(post("Transfer-Encoding: chunked\r\n", chunk + chunk + "0\r\n\r\n"))
      #expect(await client.receive(containing: "bytes.\n").hasPrefix("HTTP/1.1 413 "))
    }
    #expect(bodies.withLock { $0 } == 0)
  }

  @Test func cutsEndlessChunkedBody() async throws {
    try await withServer {
      $0.maxBodyBytes = 10
      $0.maxDrainedBytes = 100_000
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("Transfer-Encoding: chunked\r\n"))
      let chunk = Array("2710\r\n".utf8) + [UInt8](repeating: 0x61, count: 10_000) + Array("\r\n".utf8)
      var sent = 0
      while sent < 10_000, await client.send(chunk) { sent += 1 }
      #expect(sent < 10_000)
    }
  }

  @Test func refusesBodies_whenMemoryForThemIsTaken() async throws {
    try await withServer {
      $0.maxBodyBytes = 1000
      $0.maxBufferedBodyBytes = 1500
    } _: { server in
      let first = try await RawClient.connected(to: server.port)
      await first.send(post("Content-Length: 1000\r\nExpect: 100-continue\r\nConnection: close\r\n"))
      _ = await first.receive(containing: "100 Continue")
      let second = try await RawClient.connected(to: server.port)
      let text = await second.exchange(post("Content-Length: 1000\r\nExpect: 100-continue\r\n")).text
      #expect(text.hasPrefix("HTTP/1.1 503 "))
      #expect(text.contains("Retry-After: 1\r\n"))
      await first.send([UInt8](repeating: 0x61, count: 1000))
      #expect(await first.receiveAll().text.hasSuffix("POST /p 1000\n"))
      let third = try await RawClient.connected(to: server.port)
      await third.send(post("Content-Length: 1000\r\nConnection: close\r\n"))
      await third.send([UInt8](repeating: 0x61, count: 1000))
      #expect(await third.receiveAll().text.hasSuffix("POST /p 1000\n"))
    }
  }

  @Test func earlyHookAnswersBeforeBody_andKeepsConnectionWhereItCan() async throws {
    try await withServer { configuration in
      configuration.early = { $0.headers["Authorization"] == nil ? HTTPResponse(status: 401, text: "no\n") : nil }
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(post("", ""))
      #expect(await client.receive(containing: "no\n").hasPrefix("HTTP/1.1 401 "))
      await client.send(post("Content-Length: 3\r\n", "abc"))
      #expect(await client.receive(containing: "no\n").hasPrefix("HTTP/1.1 401 "))
      await client.send(post("Content-Length: 3\r\nAuthorization: a\r\n", "abc"))
      #expect(await client.receive(containing: "POST /p 3\n").hasPrefix("HTTP/1.1 200 "))
      let (text, ended) = await client.exchange(post("Content-Length: 3\r\nExpect: 100-continue\r\n"))
      #expect(text.hasPrefix("HTTP/1.1 401 "))
      #expect(ended)
    }
  }
}
