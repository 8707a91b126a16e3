import Concurrency
import Foundation
import HTTPServer
import Testing

@Suite struct StreamTests {
  private let get = "GET /s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

  /// Takes chunks apart (RFC 9112, section 7.1); nil when the last chunk is missing.
  private func unchunk(_ response: String) -> String? {
    guard let start = response.range(of: "\r\n\r\n") else { return nil }
    var rest = Substring(response[start.upperBound...]).utf8
    var body: [UInt8] = []
    while let line = rest.firstIndex(of: 0x0D) {
      guard let size = Int(Substring(rest[..<line]), radix: 16) else { return nil }
      if size == 0 { return String(decoding: body, as: UTF8.self) }
      rest = rest[line...].dropFirst(2)
      body.append(contentsOf: rest.prefix(size))
      rest = rest.dropFirst(size + 2)
    }
    return nil
  }

  @Test func arrivesWhole_whenWrittenInPieces() async throws {
    let expected = (0..<20_000).map { "line \($0)\n" }.joined()
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in for number in 0..<20_000 { try await writer.write("line \(number)\n") } })
    }) { server in
      let client = try await RawClient.connected(to: server.port)
      let (text, ended) = await client.exchange(get)
      #expect(text.contains("Transfer-Encoding: chunked\r\n"))
      #expect(unchunk(text) == expected)
      #expect(ended)
    }
  }

  @Test func arrivesAtOnce_whenWriterWaitsBetweenPieces() async throws {
    let next = Locked(false)
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200, headers: ["Content-Type": "text/event-stream"],
        body: .stream { writer in
          try await writer.write("first\n")
          while !next.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
          try await writer.write("second\n")
        })
    }) { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(get)
      #expect(await client.receive(containing: "first\n").hasSuffix("first\n\r\n") == true)
      next.withLock { $0 = true }
      #expect(await client.receiveAll().text.contains("second\n\r\n0\r\n\r\n"))
    }
  }

  @Test func sendsContentLength_whenLengthIsKnown() async throws {
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream(length: 6) {
          try await $0.write("abc"); try await $0.write("def")
        })
    }) { server in
      let client = try await RawClient.connected(to: server.port)
      let text = await client.exchange(get).text
      #expect(text.contains("Content-Length: 6\r\n"))
      #expect(text.hasSuffix("\r\n\r\nabcdef"))
    }
  }

  @Test func suspendsWriter_whenClientDoesNotRead() async throws {
    let written = Locked(0)
    let ended = Locked(false)
    try await withServer {
      $0.streamBufferBytes = 64 << 10
    } handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          let piece = [UInt8](repeating: 0x61, count: 16 << 10)
          for _ in 0..<6400 {
            try await writer.write(piece)
            written.withLock { $0 += piece.count }
          }
          ended.withLock { $0 = true }
        })
    } _: { server in
      let client = try await RawClient.connected(to: server.port, receiveBuffer: 64 << 10)
      await client.send(get)
      let begun = await client.read(1)
      var last = -1
      while last != written.withLock({ $0 }) {
        last = written.withLock { $0 }
        try await Task.sleep(for: .milliseconds(200))
      }
      // 100 MiB wait to be written; what the kernel buffers is a few MiB.
      #expect(last < 16 << 20)
      #expect(!ended.withLock { $0 })
      #expect(await client.read(.max) + begun > 6400 << 14)
      #expect(ended.withLock { $0 })
    }
  }

  @Test func cancelsWriter_whenClientLeaves() async throws {
    let failure = Locked<String?>(nil)
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          do {
            while true {
              try await writer.write("tick\n")
              try await Task.sleep(for: .milliseconds(20))
            }
          } catch {
            failure.withLock { $0 = String(describing: type(of: error)) }
            throw error
          }
        })
    }) { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(get)
      _ = await client.receive(containing: "tick")
      await client.close()
      #expect(try await eventually { failure.withLock { $0 != nil } })
      #expect(try await eventually { server.requestsInFlight == 0 && server.openConnections == 0 })
    }
  }

  @Test func cancelsSilentWriter_whenClientLeaves() async throws {
    let cancelled = Locked(false)
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          try await writer.write("one\n")
          try? await Task.sleep(for: .seconds(30))
          cancelled.withLock { $0 = Task.isCancelled }
        })
    }) { server in
      let client = try await RawClient.connected(to: server.port)
      await client.send(get)
      _ = await client.receive(containing: "one")
      await client.close()
      #expect(try await eventually { cancelled.withLock { $0 } && server.openConnections == 0 })
    }
  }

  @Test func cutsConnection_whenWriterFails() async throws {
    struct Broken: Error {}
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          try await writer.write("half")
          throw Broken()
        })
    }) { server in
      let client = try await RawClient.connected(to: server.port)
      let (text, ended) = await client.exchange(get)
      #expect(unchunk(text) == nil)
      #expect(ended)
    }
  }

  @Test func keepsWritesWhole_whenTasksWriteTogether() async throws {
    try await withServer {
      $0.streamBufferBytes = 100
    } handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          try await withThrowingTaskGroup(of: Void.self) { group in
            for letter in ["a", "b", "c"] {
              group.addTask {
                for _ in 0..<500 { try await writer.write(String(repeating: letter, count: 70) + "\n") }
              }
            }
            try await group.waitForAll()
          }
        })
    } _: { server in
      let client = try await RawClient.connected(to: server.port)
      let lines = unchunk(await client.exchange(get).text)?.split(separator: "\n") ?? []
      #expect(lines.count == 1500)
      #expect(lines.allSatisfy { Set($0).count == 1 && $0.count == 70 })
    }
  }

  @Test func keepsConnection_whenStreamHasEnded() async throws {
    try await withServer(handler: { _ in HTTPResponse(status: 200, body: .stream { try await $0.write("x") }) }) {
      server in
      let client = try await RawClient.connected(to: server.port)
      for _ in 0..<3 {
        await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.receive(containing: "\r\n0\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
      }
    }
  }
}
