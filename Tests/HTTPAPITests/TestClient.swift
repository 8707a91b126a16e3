import Concurrency
import Glibc

/// A client that speaks just enough HTTP/1.1 and shares no code with the server. It blocks, so it has a thread.
actor TestClient {
  private nonisolated let executor = SerialQueueExecutor(label: "test-client")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private var descriptor: Int32 = -1
  private var received: [UInt8] = []

  struct Failure: Error {
    let what: String
  }

  /// A whole response.
  struct Reply: Sendable {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  /// One request on a connection of its own.
  static func send(
    _ method: String, _ target: String, headers: [(String, String)] = [], body: String? = nil, to port: Int
  ) async throws -> Reply {
    let client = try await connected(to: port)
    var request = "\(method) \(target) HTTP/1.1\r\nConnection: close\r\n"
    if !headers.contains(where: { $0.0 == "Host" }) { request += "Host: localhost:\(port)\r\n" }
    for (name, value) in headers { request += "\(name): \(value)\r\n" }
    if let body { request += "Content-Length: \(body.utf8.count)\r\n" }
    await client.write(request + "\r\n" + (body ?? ""))
    return try await client.reply(hasBody: method != "HEAD")
  }

  static func connected(to port: Int) async throws -> TestClient {
    let client = TestClient()
    try await client.connect(to: port)
    return client
  }

  private func connect(to port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafeBytes(of: &address) { bytes in
      Glibc.connect(
        descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    guard result == 0 else { throw Failure(what: "connect: \(errno)") }
  }

  func write(_ text: String) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.send(descriptor, buffer.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      // A server that refuses early stops reading; what it says is still to be read.
      if count < 0 { return }
      sent += count
    }
  }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }

  /// Reads more; false at the end of the stream.
  private func readMore() throws -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&request, 1, 20_000) > 0 else { throw Failure(what: "nothing came for 20 seconds") }
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    let count = recv(descriptor, &piece, piece.count, 0)
    guard count > 0 else { return false }
    received.append(contentsOf: piece[0..<count])
    return true
  }

  /// Everything up to and with `text`, taken from what was received; to the end of the stream if it never comes.
  func take(through text: String) throws -> String {
    let wanted = Array(text.utf8)
    while true {
      if let end = received.indices.first(where: { received[$0...].starts(with: wanted) }) {
        defer { received.removeFirst(end + wanted.count) }
        return String(decoding: received[..<(end + wanted.count)], as: UTF8.self)
      }
      guard try readMore() else {
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
      }
    }
  }

  private func take(_ count: Int) throws -> [UInt8] {
    while received.count < count { guard try readMore() else { break } }
    defer { received.removeFirst(min(count, received.count)) }
    return Array(received.prefix(count))
  }

  /// Reads one response head.
  func head() throws -> Reply {
    let lines = try take(through: "\r\n\r\n").split(separator: "\r\n").map(String.init)
    let parts = (lines.first ?? "").split(separator: " ")
    guard parts.count >= 2, parts[0] == "HTTP/1.1", let status = Int(parts[1]) else {
      throw Failure(what: "no status line: \(lines)")
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    return Reply(status: status, headers: headers, body: [])
  }

  /// Reads one response.
  func reply(hasBody: Bool = true) throws -> Reply {
    var reply = try head()
    guard hasBody, reply.status != 204, reply.status != 304 else { return reply }
    if reply.headers["transfer-encoding"] == "chunked" {
      while let size = Int(try take(through: "\r\n").prefix(while: \.isHexDigit), radix: 16) {
        reply.body += try take(size)
        _ = try take(through: "\r\n")
        if size == 0 { break }
      }
    } else if let length = reply.headers["content-length"] {
      reply.body = try take(Int(length) ?? 0)
    } else {
      while try readMore() {}
      reply.body = received
    }
    return reply
  }
}
