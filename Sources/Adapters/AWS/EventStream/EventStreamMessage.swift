import Compression

/// One message of an `application/vnd.amazon.eventstream` body.
///
/// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html (message format),
/// https://smithy.io/2.0/aws/amazon-eventstream.html
struct EventStreamMessage: Sendable, Hashable {
  /// Headers with text values; those of other types are passed over.
  var headers: [String: String]
  var payload: [UInt8]

  /// `event`, `exception` or `error`.
  var kind: String { headers[":message-type"] ?? "event" }
  /// The event's or exception's name, as the service's model spells it.
  var name: String { headers[":event-type"] ?? headers[":exception-type"] ?? headers[":error-code"] ?? "" }
}

/// Why a stream's bytes are no messages.
enum EventStreamError: Error, Hashable {
  /// A checksum does not fit: bytes were changed or lost.
  case checksum
  /// A length or a header's type makes no sense.
  case malformed
  /// The stream ended inside a message.
  case cut
}

/// Cuts a stream of bytes into messages, however they arrive, and checks both checksums of each.
struct EventStreamDecoder {
  /// The longest message taken, in bytes.
  private static let limit = 24 << 20
  /// Total length, headers' length, and their checksum.
  private static let preludeBytes = 12

  private var buffer: [UInt8] = []
  private var start = 0

  mutating func append(_ bytes: [UInt8]) {
    if start > 1 << 20 || start == buffer.count {
      buffer.removeFirst(start)
      start = 0
    }
    buffer += bytes
  }

  /// The next message; nil when more bytes are needed.
  mutating func next() throws(EventStreamError) -> EventStreamMessage? {
    let available = buffer.count - start
    guard available >= Self.preludeBytes else { return nil }
    let total = Int(number(at: start))
    let headerBytes = Int(number(at: start + 4))
    guard crc32(Array(buffer[start..<start + 8])) == number(at: start + 8) else { throw .checksum }
    guard total <= Self.limit, total >= Self.preludeBytes + headerBytes + 4 else { throw .malformed }
    guard available >= total else { return nil }
    let end = start + total
    guard crc32(Array(buffer[start..<end - 4])) == number(at: end - 4) else { throw .checksum }
    let headersEnd = start + Self.preludeBytes + headerBytes
    let headers = try headers(in: start + Self.preludeBytes..<headersEnd)
    let payload = Array(buffer[headersEnd..<end - 4])
    start = end
    return EventStreamMessage(headers: headers, payload: payload)
  }

  /// Call at the end of the body.
  func finish() throws(EventStreamError) { if start < buffer.count { throw .cut } }

  private func number(at index: Int) -> UInt32 {
    buffer[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  private func headers(in range: Range<Int>) throws(EventStreamError) -> [String: String] {
    var headers: [String: String] = [:]
    var index = range.lowerBound
    /// Moves on by `count` bytes, which must be there.
    func take(_ count: Int) throws(EventStreamError) -> Range<Int> {
      guard index + count <= range.upperBound else { throw .malformed }
      defer { index += count }
      return index..<index + count
    }
    while index < range.upperBound {
      let nameLength = Int(buffer[try take(1).lowerBound])
      let name = String(decoding: buffer[try take(nameLength)], as: UTF8.self)
      switch buffer[try take(1).lowerBound] {
      case 0, 1: break  // true, false
      case 2: _ = try take(1)
      case 3: _ = try take(2)
      case 4: _ = try take(4)
      case 5, 8: _ = try take(8)  // long, timestamp
      case let type where type == 6 || type == 7:  // bytes, text
        let length = try take(2)
        let value = try take(Int(buffer[length.lowerBound]) << 8 | Int(buffer[length.lowerBound + 1]))
        if type == 7 { headers[name] = String(decoding: buffer[value], as: UTF8.self) }
      case 9: _ = try take(16)
      default: throw .malformed
      }
    }
    return headers
  }
}
