import Glibc

/// A listening socket, opened here rather than by the library for the sake of its errors.
struct Listener {
  let socket: Int32
  let port: Int
  let isIPv6: Bool

  init(host: String, port: Int) throws(HTTPServerError) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &found)
    defer { if let found { freeaddrinfo(found) } }
    guard (0...65_535).contains(port), code == 0, let address = found?.pointee else {
      let reason = code == 0 ? "not a port" : String(cString: gai_strerror(code))
      throw HTTPServerError(
        code: "http.host_unknown", message: "Cannot listen on \(host):\(port): \(reason).",
        remedy: "Give an IP address of this machine and a port from 0 to 65535.")
    }
    isIPv6 = address.ai_family == AF_INET6
    socket = Glibc.socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { throw Self.error(errno, host: host, port: port) }
    Self.set(socket, SOL_SOCKET, SO_REUSEADDR, 1)
    if isIPv6 { Self.set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, host == "::" ? 0 : 1) }
    guard bind(socket, address.ai_addr, address.ai_addrlen) == 0, listen(socket, 1024) == 0 else {
      let error = Self.error(errno, host: host, port: port)
      close(socket)
      throw error
    }
    var bound = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let opened = socket
    self.port = withUnsafeMutableBytes(of: &bound) { bytes in
      _ = getsockname(opened, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
      // Both families keep the port in bytes 2 and 3, in network order.
      return Int(bytes[2]) << 8 | Int(bytes[3])
    }
  }

  private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func error(_ number: Int32, host: String, port: Int) -> HTTPServerError {
    let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    let reason = String(cString: strerror(number))
    return switch number {
    case EADDRINUSE:
      HTTPServerError(
        code: "http.port_in_use", message: "Cannot listen on \(place): another process listens there.",
        remedy: "Stop it (`ss -ltnp 'sport = :\(port)'` names it) or choose another port.", underlying: reason)
    case EADDRNOTAVAIL:
      HTTPServerError(
        code: "http.address_unavailable", message: "Cannot listen on \(place): this machine has no such address.",
        remedy: "Choose one of its addresses (`ip address` lists them), or 0.0.0.0 for all.", underlying: reason)
    case EACCES, EPERM:
      HTTPServerError(
        code: "http.permission_denied", message: "Cannot listen on \(place): the system does not allow it.",
        remedy: "Choose a port from 1024 on, or grant CAP_NET_BIND_SERVICE.", underlying: reason)
    default:
      HTTPServerError(
        code: "http.listen_failed", message: "Cannot listen on \(place): \(reason).", underlying: reason)
    }
  }
}
