import CMicroHTTPD
import Glibc

/// Fields that the library writes itself, from the body and the connection's state.
private let engineFields = ["Content-Length", "Transfer-Encoding", "Date", "Connection"]

/// Builds the library's response and queues it; returns what is wrong with it, nil when all went well.
func queueResponse(
  _ response: HTTPResponse, on exchange: Exchange, serverName: String?, mustClose: Bool, mayStream: Bool
) -> String? {
  guard (200...599).contains(response.status) else { return "its status is \(response.status)" }
  if case .stream = response.body, !mayStream { return "only a handler may send a stream" }
  guard let built = makeBody(response.body, exchange) else { return "its body cannot be opened" }
  defer { MHD_destroy_response(built) }
  for field in response.headers where !engineFields.contains(where: { HTTPHeaders.sameName($0, field.name) }) {
    guard isSendable(field), MHD_add_response_header(built, field.name, field.value) == .YES else {
      return "its header \(field.name) is malformed"
    }
  }
  if let serverName, response.headers["Server"] == nil { MHD_add_response_header(built, "Server", serverName) }
  if mustClose || response.headers.contains("close", in: "Connection") {
    MHD_add_response_header(built, "Connection", "close")
  }
  if leavesChunkBehind(response, exchange), cmhd_send_no_chunks(built) == 0 { return "it cannot do without chunks" }
  return MHD_queue_response(exchange.connection, UInt32(response.status), built) == .YES ? nil : "the engine refuses it"
}

/// Whether the library (0.9.75) would end a response without a body by the last chunk of one, which the client then
/// reads as the beginning of its next response: after HEAD, when the length is unknown.
private func leavesChunkBehind(_ response: HTTPResponse, _ exchange: Exchange) -> Bool {
  if case .stream(length: nil, _) = response.body { exchange.reading.head?.method == "HEAD" } else { false }
}

/// Whether a field has nothing that would end it early or start another.
private func isSendable(_ field: HTTPHeaders.Field) -> Bool {
  !field.name.isEmpty && field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
    && !field.value.isEmpty && field.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
}

private func makeBody(_ body: HTTPResponse.Body, _ exchange: Exchange) -> OpaquePointer? {
  switch body {
  case .bytes(let bytes):
    return bytes.withUnsafeBytes { buffer in
      // The library copies at once and does not write, although its parameter is not const.
      MHD_create_response_from_buffer(
        buffer.count, UnsafeMutableRawPointer(mutating: buffer.baseAddress), .RESPMEM_MUST_COPY)
    }
  case .file(let file):
    // The library closes its descriptor with the response; the file closes its own.
    let descriptor = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
    guard descriptor >= 0 else { return nil }
    let built = MHD_create_response_from_fd_at_offset64(UInt64(file.length), descriptor, UInt64(file.offset))
    if built == nil { close(descriptor) }
    return built
  case .stream(let length, _):
    let context = Unmanaged.passRetained(exchange).toOpaque()
    let built = MHD_create_response_from_callback(
      length.map(UInt64.init) ?? .max, 32 << 10, readStream, context, releaseStream)
    if built == nil { Unmanaged<Exchange>.fromOpaque(context).release() }
    return built
  }
}

private func readStream(
  _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ target: UnsafeMutablePointer<CChar>?, _ capacity: Int
) -> Int {
  guard let context, let target else { return -2 }
  return Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue().read(into: target, capacity: capacity)
}

private func releaseStream(_ context: UnsafeMutableRawPointer?) {
  if let context { Unmanaged<Exchange>.fromOpaque(context).release() }
}
