import Concurrency
import Foundation

/// A server that answers each connection's requests with given bytes, whatever they are, and notes what it was sent.
final class ScriptedServer: Sendable {
  /// What is done with one request.
  enum Answer: Sendable {
    /// Bytes; the connection stays open.
    case send(String)
    /// Bytes, then the connection is closed.
    case sendAndClose(String)
    /// The bytes are sent, and then nothing.
    case sendAndStall(String)
  }

  let port: Int
  private let listener: Int32
  private let received = Locked<[String]>([])
  private let connections = Locked(0)

  /// Serves `answers` in order, over as many connections as the client opens; after the last, closes.
  init(_ answers: [Answer]) throws {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        bind(socket, name, length) == 0 && listen(socket, 64) == 0 && getsockname(socket, name, &length) == 0
      }
    }
    guard bound else { throw CancellationError() }
    port = Int(address.sin_port.byteSwapped)
    let remaining = Locked(answers[...])
    listener = socket
    let (received, connections) = (received, connections)
    let queue = BlockingQueue(label: "scripted-server")
    Task.detached {
      await queue.run {
        while true {
          let client = accept(socket, nil, nil)
          if client < 0 { return }
          connections.withLock { $0 += 1 }
          Self.serve(client, remaining, received)
          close(client)
        }
      }
    }
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  /// The heads and bodies received, one text a request.
  var requests: [String] { received.withLock { $0 } }
  /// Connections accepted.
  var connectionCount: Int { connections.withLock { $0 } }

  private static func serve(_ client: Int32, _ answers: Locked<ArraySlice<Answer>>, _ received: Locked<[String]>) {
    while true {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while !isComplete(bytes) {
        let count = recv(client, &buffer, buffer.count, 0)
        if count <= 0 { return }
        bytes += buffer.prefix(count)
      }
      received.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
      guard let answer = answers.withLock({ $0.popFirst() }) else { return }
      let text: String
      switch answer {
      case .send(let words), .sendAndClose(let words), .sendAndStall(let words): text = words
      }
      _ = Array(text.utf8).withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      switch answer {
      case .send: continue
      case .sendAndClose: return
      case .sendAndStall:
        // Until the client leaves.
        while recv(client, &buffer, buffer.count, 0) > 0 {}
        return
      }
    }
  }

  private static func isComplete(_ bytes: [UInt8]) -> Bool {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return false }
    let lines = text[..<end.lowerBound].split(separator: "\r\n")
    let length = lines.first { $0.lowercased().hasPrefix("content-length:") }.flatMap { line in
      Int(line.split(separator: " ").last ?? "")
    }
    return text[end.upperBound...].utf8.count >= length ?? 0
  }
}
