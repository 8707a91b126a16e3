/// One event of a `text/event-stream` body.
public struct ServerSentEvent: Sendable, Hashable {
  /// The event's type; `message` unless it says another.
  public var name: String
  /// Its data, lines joined by line feeds.
  public var data: String

  /// Creates an event.
  public init(name: String = "message", data: String) {
    self.name = name
    self.data = data
  }
}

/// Cuts a stream of bytes into server-sent events, however they arrive.
///
/// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
public struct ServerSentEventDecoder: Sendable {
  /// A line or an event is longer than the limit.
  public struct TooLong: Error, Hashable, Sendable {}

  private let limit: Int
  private var line: [UInt8] = []
  private var endedWithReturn = false
  private var isFirstLine = true
  private var name = ""
  private var data: String?

  /// Creates a decoder.
  /// - Parameter limit: The longest line and the longest event, in bytes.
  public init(limit: Int = 8 << 20) { self.limit = limit }

  /// Takes bytes; returns the events that they complete.
  /// - Throws: ``TooLong``.
  public mutating func append(_ bytes: [UInt8]) throws(TooLong) -> [ServerSentEvent] {
    var events: [ServerSentEvent] = []
    for byte in bytes {
      // CR, LF and CRLF each end a line.
      if byte == 10 && endedWithReturn {
        endedWithReturn = false
        continue
      }
      endedWithReturn = byte == 13
      if byte == 10 || byte == 13 {
        if let event = endLine() { events.append(event) }
        guard data?.utf8.count ?? 0 <= limit else { throw TooLong() }
      } else {
        guard line.count < limit else { throw TooLong() }
        line.append(byte)
      }
    }
    return events
  }

  private mutating func endLine() -> ServerSentEvent? {
    var text = String(decoding: line, as: UTF8.self)
    line.removeAll(keepingCapacity: true)
    if isFirstLine, text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
    isFirstLine = false
    if text.isEmpty {
      defer {
        name = ""
        data = nil
      }
      return data.map { ServerSentEvent(name: name.isEmpty ? "message" : name, data: $0) }
    }
    let field = text.prefix { $0 != ":" }
    var value = text.dropFirst(field.count)
    if value.first == ":" { value = value.dropFirst() }
    if value.first == " " { value = value.dropFirst() }
    switch field {
    case "data": data = data.map { "\($0)\n\(value)" } ?? String(value)
    case "event": name = String(value)
    default: break
    }
    return nil
  }
}
