import HTTPServer
import Testing

@Suite struct RequestHeadTests {
  private func head(_ target: String) throws -> HTTPRequestHead { try HTTPRequestHead(method: "GET", target: target) }

  @Test(arguments: [
    ("/", []), ("/v1/query", ["v1", "query"]), ("/a/", ["a", ""]), ("//a", ["", "a"]), ("/a%2Fb/c", ["a/b", "c"]),
    ("/a%00b", ["a\0b"]), ("/caf%C3%A9", ["café"]), ("/a+b", ["a+b"]), ("http://host:1/x/y?q", ["x", "y"]),
    ("HTTPS://host", []), ("*", ["*"]), ("/a?b/c", ["a"]), ("/a#b/c", ["a"]), ("/..%2f..", ["../.."]),
  ])
  func splitsBeforeDecoding(target: String, segments: [String]) throws {
    #expect(try head(target).segments == segments)
  }

  @Test func decodesQueryItemsAsForms() throws {
    let items = try head("/x?q=a+b%26c&flag&empty=&q=2&&e=a=b").queryItems
    #expect(
      items == [
        .init(name: "q", value: "a b&c"), .init(name: "flag", value: ""), .init(name: "empty", value: ""),
        .init(name: "q", value: "2"), .init(name: "e", value: "a=b"),
      ])
    #expect(try head("/x?q=1&q=2").query("q") == "1")
  }

  @Test(arguments: ["/%", "/%4", "/%zz", "/%ff", "/?a=%C3", "/%ed%a0%80"])
  func refusesMalformedEscapes(target: String) {
    #expect(throws: HTTPTargetError.self) { try head(target) }
  }

  @Test func findsHeadersWithoutCase() {
    var headers: HTTPHeaders = ["Accept": "a", "ACCEPT": "b", "Connection": "keep-alive, Close"]
    #expect(headers["accept"] == "a")
    #expect(headers.values(of: "aCCept") == ["a", "b"])
    #expect(headers.contains("close", in: "connection"))
    #expect(!headers.contains("clos", in: "connection"))
    headers["accept"] = "c"
    #expect(headers.values(of: "Accept") == ["c"])
    headers["accept"] = nil
    #expect(headers.count == 1)
  }
}
