import HTTPClient
import Testing

@Suite struct ServerSentEventTests {
  private static let stream =
    "\u{FEFF}data: one\n\n: heartbeat\r\nevent: end\r\ndata:two\r\ndata:  three\r\nid: 7\r\n\r\rdata\r\rdata: cut"
  private static let events = [
    ServerSentEvent(name: "message", data: "one"), ServerSentEvent(name: "end", data: "two\n three"),
    ServerSentEvent(name: "message", data: ""),
  ]

  @Test(arguments: [1, 2, 3, 7, 1_000])
  func readsEvents_howeverTheyArrive(size: Int) throws {
    let bytes = Array(Self.stream.utf8)
    var decoder = ServerSentEventDecoder()
    var events: [ServerSentEvent] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
      events += try decoder.append(Array(bytes[start..<min(start + size, bytes.count)]))
    }
    #expect(events == Self.events)
  }

  @Test func refusesLinesAndEventsWithoutEnd() {
    let line = #expect(throws: ServerSentEventDecoder.TooLong.self) {
      var decoder = ServerSentEventDecoder(limit: 100)
      _ = try decoder.append([UInt8](repeating: 65, count: 101))
    }
    #expect(line != nil)
    #expect(throws: ServerSentEventDecoder.TooLong.self) {
      var decoder = ServerSentEventDecoder(limit: 100)
      for _ in 0..<100 { _ = try decoder.append(Array("data: more\n".utf8)) }
    }
  }
}
