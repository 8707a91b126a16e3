import Concurrency
import HTTPServer
import Testing

@Suite struct LifecycleTests {
  private let get = "GET /g HTTP/1.1\r\nHost: x\r\n\r\n"

  private func server(
    _ configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
    _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse = { _ in HTTPResponse(status: 200) }
  ) throws -> HTTPServer {
    let server = HTTPServer(configuration: configuration, handler: handler)
    try server.start()
    return server
  }

  @Test func namesPortAndRemedy_whenPortIsInUse() async throws {
    let first = try server()
    let error = #expect(throws: HTTPServerError.self) { try server(HTTPServerConfiguration(port: first.port)) }
    #expect(error?.code == "http.port_in_use")
    #expect(error?.message.contains("127.0.0.1:\(first.port)") == true)
    #expect(error?.remedy.isEmpty == false)
    await first.shutdown(drain: .zero)
  }

  @Test func freesItsPort_whenStopped() async throws {
    // Outside the range from which the kernel gives ports to clients and to listeners on port 0
    // (net.ipv4.ip_local_port_range, 32768 and up unless changed): another test could be given the freed port.
    var served = 0
    for port in (20_000..<30_000).shuffled().prefix(50) where served < 2 {
      guard let first = try? server(HTTPServerConfiguration(port: port)) else { continue }
      await first.shutdown(drain: .zero)
      let second = try server(HTTPServerConfiguration(port: port))
      await second.shutdown(drain: .zero)
      served += 1
    }
    #expect(served == 2)
  }

  @Test(arguments: [("nowhere.invalid", 0, "http.host_unknown"), ("192.0.2.1", 0, "http.address_unavailable")])
  func saysWhy_whenItCannotListen(host: String, port: Int, code: String) {
    let error = #expect(throws: HTTPServerError.self) { try server(HTTPServerConfiguration(host: host, port: port)) }
    #expect(error?.code == code)
  }

  @Test func listensOnIPv6() async throws {
    let server = try server(HTTPServerConfiguration(host: "::1"))
    #expect(server.port > 0)
    await server.shutdown(drain: .zero)
  }

  @Test func startsOnce() async throws {
    let server = try server()
    #expect(throws: HTTPServerError.self) { try server.start() }
    await server.shutdown(drain: .zero)
    await server.shutdown(drain: .zero)
  }

  @Test func drainsRequestsUnderWay() async throws {
    let entered = Locked(false)
    let mayEnd = Locked(false)
    let server = try server { _ in
      entered.withLock { $0 = true }
      while !mayEnd.withLock({ $0 }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
      return HTTPResponse(status: 200, text: Task.isCancelled ? "cancelled" : "complete")
    }
    let client = try await RawClient.connected(to: server.port)
    await client.send(get)
    #expect(try await eventually { entered.withLock { $0 } })
    let port = server.port
    async let stopped: Void = server.shutdown(drain: .seconds(60))
    // It drains from when it no longer listens.
    #expect(try await eventually { (try? await RawClient.connected(to: port)) == nil })
    mayEnd.withLock { $0 = true }
    let (text, ended) = await client.receiveAll()
    #expect(text.hasSuffix("complete"))
    #expect(text.contains("Connection: close\r\n"))
    #expect(ended)
    await stopped
    await #expect(throws: RawClient.Failure.self) { try await RawClient.connected(to: port) }
  }

  @Test func cancelsWhatOutlivesTheDrain() async throws {
    let entered = Locked(false)
    let server = try server { _ in
      entered.withLock { $0 = true }
      try? await Task.sleep(for: .seconds(30))
      return HTTPResponse(status: 200, text: "cancelled")
    }
    let client = try await RawClient.connected(to: server.port)
    await client.send(get)
    #expect(try await eventually { entered.withLock { $0 } })
    let start = ContinuousClock.now
    await server.shutdown(drain: .milliseconds(100))
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(await client.receiveAll().text.hasSuffix("cancelled"))
  }

  @Test func stops_whenHandlersAndStreamsIgnoreCancellation() async throws {
    let release = Locked(false)
    let entered = Locked(0)
    let server = try server { request in
      if request.segments == ["stream"] {
        return HTTPResponse(
          status: 200,
          body: .stream { writer in
            entered.withLock { $0 += 1 }
            while !release.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)); await Task.yield() }
            try await writer.write("late")
          })
      }
      entered.withLock { $0 += 1 }
      while !release.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)); await Task.yield() }
      return HTTPResponse(status: 200)
    }
    let clients = [try await RawClient.connected(to: server.port), try await .connected(to: server.port)]
    await clients[0].send(get)
    await clients[1].send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(try await eventually { entered.withLock { $0 } == 2 })
    await server.shutdown(drain: .zero)
    release.withLock { $0 = true }
    for client in clients { #expect(await client.receiveAll().ended) }
    #expect(try await eventually { server.requestsInFlight == 0 })
  }

  @Test func stops_whenConnectionsAreIdleOrHalfway() async throws {
    let server = try server()
    let idle = try await RawClient.connected(to: server.port)
    let half = try await RawClient.connected(to: server.port)
    await half.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab")
    #expect(try await eventually { server.requestsInFlight == 1 })
    await server.shutdown(drain: .milliseconds(50))
    #expect(await idle.receiveAll().ended)
    #expect(await half.receiveAll().ended)
  }
}
