import Foundation
import HTTPServer
import Testing

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "openssl is not installed"))
struct TLSTests {
  /// Runs openssl on a thread of its own and returns its output.
  private func openssl(_ arguments: [String], input: String = "") async throws -> Data {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        let (into, out) = (Pipe(), Pipe())
        process.standardInput = into
        process.standardOutput = out
        process.standardError = FileHandle.nullDevice
        do {
          try process.run()
          into.fileHandleForWriting.write(Data(input.utf8))
          try into.fileHandleForWriting.close()
          let data = out.fileHandleForReading.readDataToEndOfFile()
          process.waitUntilExit()
          continuation.resume(returning: data)
        } catch {
          continuation.resume(throwing: error)
        }
      }
    }
  }

  private func selfSigned() async throws -> HTTPServerConfiguration.TLS {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let key = folder.appendingPathComponent("key.pem").path
    let certificate = folder.appendingPathComponent("certificate.pem").path
    _ = try await openssl([
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
      certificate, "-subj", "/CN=localhost", "-days", "1",
    ])
    return .init(
      certificatePEM: try String(contentsOfFile: certificate, encoding: .utf8),
      keyPEM: try String(contentsOfFile: key, encoding: .utf8))
  }

  @Test func answersEncrypted() async throws {
    let tls = try await selfSigned()
    try await withServer {
      $0.tls = tls
    } handler: { request in
      try? await Task.sleep(for: .milliseconds(50))
      return HTTPResponse(
        status: 200,
        body: .stream { writer in
          for _ in 0..<1000 { try await writer.write("0123456789") }
          try await writer.write("TLS \(request.head.isTLS) \(request.body.count)")
        })
    } _: { server in
      let output = try await openssl(
        ["s_client", "-connect", "127.0.0.1:\(server.port)", "-quiet", "-ign_eof"],
        input: "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")
      let text = String(decoding: output, as: UTF8.self)
      #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(text.hasSuffix("9TLS true 3"))
      let plain = try await RawClient.connected(to: server.port)
      #expect(await plain.exchange("GET / HTTP/1.1\r\nHost: x\r\n\r\n").ended)
    }
  }

  @Test func saysWhy_whenKeyDoesNotBelongToCertificate() async throws {
    var configuration = HTTPServerConfiguration()
    configuration.tls = .init(
      certificatePEM: try await selfSigned().certificatePEM, keyPEM: try await selfSigned().keyPEM)
    let server = HTTPServer(configuration: configuration) { _ in HTTPResponse(status: 200) }
    let error = #expect(throws: HTTPServerError.self) { try server.start() }
    #expect(error?.code == "http.tls_invalid")
  }
}
