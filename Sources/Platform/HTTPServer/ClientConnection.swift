import CMicroHTTPD
import Concurrency
import Glibc

/// One client's connection: what the watcher needs to know of it beside the library's own state.
final class ClientConnection: Sendable {
  struct State {
    /// The socket belongs to the library: it may be touched only under the lock and while this is false.
    var isClosed = false
    var isWatched = false
    var peerLeft = false
    var exchange: Exchange?
    /// When the connection was opened or its last request ended.
    var idleSince: Nanoseconds
    /// A duplicate of the socket kept open after the library has closed its own.
    var lingering: Int32?
  }

  let id: UInt64
  let socket: Int32
  let remoteAddress: String
  let state: Locked<State>

  init(id: UInt64, connection: OpaquePointer) {
    self.id = id
    socket = cmhd_socket(connection)
    remoteAddress = Self.text(of: cmhd_client_address(connection))
    state = Locked(State(idleSince: Monotonic.now()))
  }

  /// Ends a connection from outside of the library, which then sees an end of file.
  func cut() {
    state.withLock { state in
      if !state.isClosed { _ = shutdown(socket, Int32(SHUT_RDWR)) }
    }
  }

  /// Keeps the socket open a little longer than the library does. Closing a socket with unread bytes resets the
  /// connection, and the client may lose the refusal it has not read yet.
  func linger() {
    state.withLock { state in
      if !state.isClosed, state.lingering == nil { state.lingering = fcntl(socket, F_DUPFD_CLOEXEC, 0) }
    }
  }

  private static func text(of address: UnsafePointer<sockaddr>?) -> String {
    guard let address else { return "" }
    var storage = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    if address.pointee.sa_family == sa_family_t(AF_INET6) {
      var v6 = UnsafeRawPointer(address).load(as: sockaddr_in6.self).sin6_addr
      inet_ntop(AF_INET6, &v6, &storage, socklen_t(storage.count))
    } else {
      var v4 = UnsafeRawPointer(address).load(as: sockaddr_in.self).sin_addr
      inet_ntop(AF_INET, &v4, &storage, socklen_t(storage.count))
    }
    let text = String(decoding: storage.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.hasPrefix("::ffff:") && text.contains(".") ? String(text.dropFirst(7)) : text
  }
}
