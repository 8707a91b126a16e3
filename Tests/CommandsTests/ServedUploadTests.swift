import Commands
import Concurrency
import Foundation
import Testing

/// Uploads through the real programs.
@Suite(.enabled(if: hasModel, "the embedding model is missing; run 'make setup'"), .serialized)
struct ServedUploadTests {
  private let workspace: Workspace

  init() throws { workspace = try Workspace() }

  private struct Service {
    var process: Process
    var port: Int
  }

  private func serve() throws -> Service {
    let process = Process()
    process.executableURL = buildFolder.appendingPathComponent("quarry")
    process.arguments = ["serve", "--port", "0", "--log-level", "error"]
    process.environment = workspace.environment
    let error = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = error
    try process.run()
    let line = String(decoding: error.fileHandleForReading.availableData, as: UTF8.self)
    let port = try #require(line.firstMatch(of: /127\.0\.0\.1:(\d+)/)?.1)
    return Service(process: process, port: try #require(Int(port)))
  }

  private func request(
    _ method: String, _ target: String, _ body: Data? = nil, to service: Service
  ) async throws -> (status: Int, body: Data) {
    let port = service.port
    return try await runBlocking(label: "upload-client") {
      try SimpleClient.request(method, target, body: body, port: port)
    }
  }

  private func object(_ data: Data) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
  }

  private func state(_ id: String, _ service: Service) async throws -> String? {
    let reply = try await request("GET", "/v1/documents/\(id)", to: service)
    return (try object(reply.body)["document"] as? [String: Any])?["state"] as? String
  }

  private func waitUntilReady(_ id: String, _ service: Service) async throws {
    let end = ContinuousClock.now + .seconds(120)
    while try await state(id, service) != "ready" {
      guard ContinuousClock.now < end else {
        Issue.record("the document was not ready within two minutes")
        return
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  @Test func whatWasAnsweredIsIngested_evenWhenTheServiceIsKilledAtOnce() async throws {
    var service = try serve()
    defer { service.process.terminate() }
    let reply = try await request("PUT", "/v1/documents/weir.pdf", TextPDF.weir, to: service)
    kill(service.process.processIdentifier, SIGKILL)
    service.process.waitUntilExit()
    #expect(reply.status == 202)
    let id = try #require(try object(reply.body)["id"] as? String)
    // A piece of an upload that was cut off by the kill.
    let piece = try workspace.write(".local/share/quarry/uploads/incoming/half.part", "%PDF-1.7 half")

    service = try serve()
    try await waitUntilReady(id, service)
    #expect(!FileManager.default.fileExists(atPath: piece))
    let again = try await request("PUT", "/v1/documents/weir.pdf", TextPDF.weir, to: service)
    #expect(again.status == 200)
    let image = try await request("GET", "/v1/documents/\(id)/pages/1.png?dpi=36", to: service)
    #expect(image.status == 200 && image.body.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    let gone = try await request("DELETE", "/v1/documents/\(id)", to: service)
    #expect(gone.status == 204)
    let after = try await request("GET", "/v1/documents/\(id)", to: service)
    #expect(after.status == 404)
  }

  @Test func whatFailsIsListed_andCanBeRetried() async throws {
    let service = try serve()
    defer { service.process.terminate() }
    let reply = try await request("PUT", "/v1/documents/broken.pdf", Data("%PDF-1.7 no more".utf8), to: service)
    #expect(reply.status == 202)
    let id = try #require(try object(reply.body)["id"] as? String)
    let end = ContinuousClock.now + .seconds(120)
    while try await state(id, service) != "failed", ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(50))
    }
    let list = await workspace.run("documents", "list", "--state", "failed")
    #expect(list.output.contains(id) && list.output.contains("broken.pdf – "))
    let json = try await workspace.run("documents", "list", "--state", "parked", "--json").object()
    #expect((json["documents"] as? [[String: Any]])?.first?["id"] as? String == id)
    let retry = await workspace.run("documents", "retry", "broken.pdf")
    #expect(retry.exitCode == ExitCode.someDocumentsFailed, "\(retry.error)")
    #expect(retry.output.contains("Documents: 1 failed"))
    let nothing = await workspace.run("documents", "retry", "other.pdf")
    #expect(nothing.exitCode == ExitCode.notFound)
    #expect(await workspace.run("documents", "retry").exitCode == ExitCode.usage)
  }
}

/// One request over a socket; blocks.
enum SimpleClient {
  struct Failure: Error {
    var what: String
  }

  static func request(_ method: String, _ target: String, body: Data?, port: Int) throws -> (status: Int, body: Data) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafeBytes(of: &address) { bytes in
      connect(
        descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    guard connected == 0 else { throw Failure(what: "connect: \(errno)") }
    var head = "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    if let body { head += "Content-Type: application/pdf\r\nContent-Length: \(body.count)\r\n" }
    let bytes = [UInt8](head.utf8) + [UInt8]("\r\n".utf8) + [UInt8](body ?? Data())
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        send(descriptor, buffer.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { break }
      sent += count
    }
    var received = Data()
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(descriptor, &piece, piece.count, 0)
      guard count > 0 else { break }
      received.append(contentsOf: piece.prefix(count))
    }
    guard let end = received.range(of: Data("\r\n\r\n".utf8)),
      let status = Int(String(decoding: received.dropFirst(9).prefix(3), as: UTF8.self))
    else { throw Failure(what: "no answer") }
    return (status, received[end.upperBound...])
  }
}
