import Concurrency
import Glibc

/// A TCP client that knows nothing of HTTP: it sends and returns bytes. It blocks, so it has a thread of its own.
actor RawClient {
  private nonisolated let executor = SerialQueueExecutor(label: "raw-client")
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private var descriptor: Int32 = -1

  struct Failure: Error {
    let call: String
    let number: Int32
  }

  static func connected(to port: Int, receiveBuffer: Int32? = nil) async throws -> RawClient {
    let client = RawClient()
    try await client.connect(to: port, receiveBuffer: receiveBuffer)
    return client
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  private func connect(to port: Int, receiveBuffer: Int32?) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var receiveBuffer {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafeBytes(of: &address) { bytes in
      Glibc.connect(
        descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
        socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    guard result == 0 else { throw Failure(call: "connect", number: errno) }
  }

  /// Sends everything; returns false when the peer has closed.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        Glibc.send(descriptor, buffer.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 { return false }
      sent += count
    }
    return true
  }

  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  /// What arrives until `isEnough`, the end of the stream, or `seconds` of silence.
  func receive(seconds: Int = 5, until isEnough: @Sendable ([UInt8]) -> Bool) -> (bytes: [UInt8], ended: Bool) {
    var received: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while !isEnough(received) {
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&request, 1, Int32(seconds * 1000)) > 0 else { return (received, false) }
      let count = recv(descriptor, &piece, piece.count, 0)
      guard count > 0 else { return (received, true) }
      received.append(contentsOf: piece[0..<count])
    }
    return (received, false)
  }

  /// Everything until the server closes, or `seconds` of silence.
  func receiveAll(seconds: Int = 5) -> (text: String, ended: Bool) {
    let (bytes, ended) = receive(seconds: seconds) { _ in false }
    return (String(decoding: bytes, as: UTF8.self), ended)
  }

  /// What arrives until it contains `text`, or what did arrive.
  func receive(containing text: String, seconds: Int = 5) -> String {
    let wanted = Array(text.utf8)
    let (bytes, _) = receive(seconds: seconds) { contains($0, wanted) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Sends and returns everything until the server closes.
  func exchange(_ text: String) -> (text: String, ended: Bool) {
    send(text)
    return receiveAll()
  }

  /// Reads at most `count` bytes.
  func read(_ count: Int) -> Int {
    receive { $0.count >= count }.bytes.count
  }

  func closeWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

  func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
  }
}

/// Whether `bytes` has `wanted` in it.
func contains(_ bytes: [UInt8], _ wanted: [UInt8]) -> Bool {
  guard bytes.count >= wanted.count else { return false }
  return (0...(bytes.count - wanted.count)).contains { start in
    bytes[start] == wanted[0] && bytes[start..<start + wanted.count].elementsEqual(wanted)
  }
}
