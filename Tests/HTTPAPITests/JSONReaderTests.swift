import HTTPAPI
import Testing

@Suite struct JSONReaderTests {
  @Test(arguments: [
    ("null", JSONValue.null), (" true ", .bool(true)), ("false\n", .bool(false)), ("0", .number(0)),
    ("-0.5e+2", .number(-50)), ("1E2", .number(100)), ("\"\"", .string("")), ("[]", .array([])), ("{}", .object([])),
    ("[1,[2]]", .array([.number(1), .array([.number(2)])])),
    ("{\"a\":{\"b\":null}}", .object([.init(name: "a", value: .object([.init(name: "b", value: .null)]))])),
    (#""\"\\\/\b\f\n\r\t""#, .string("\"\\/\u{8}\u{C}\n\r\t")),
    (#""\u00e9\uD83D\uDE00""#, .string("é😀")), ("\"é😀\u{7F}\"", .string("é😀\u{7F}")),
  ])
  func reads_whatIsJSON(text: String, value: JSONValue) throws {
    let read = try JSONReader.read(Array(text.utf8))
    #expect(read == value)
    let again = try JSONReader.read(value.encoded)
    #expect(again == value)
  }

  @Test(arguments: [
    "", " ", "nul", "truee", "01", "-", "+1", ".5", "1.", "1e", "1e400", "NaN", "Infinity", "'a'", "\"", "\"\n\"",
    #""\x""#, #""\u12""#, #""\u12g4""#, #""\uD83D""#, #""\uD83D\n""#, #""\uDE00""#, #""\uD83D\u0041""#, "[", "[1",
    "[1,]",
    "[,1]", "[1 2]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"\\u0061\":2}",
    "{} {}", "1 2", "// a\n1", "\u{FEFF}1",
  ])
  func refuses_whatIsNot(text: String) {
    #expect(throws: JSONFault.self) { try JSONReader.read(Array(text.utf8)) }
  }

  @Test func refuses_whatIsNotUTF8() {
    let fault = #expect(throws: JSONFault.self) { try JSONReader.read([0x22, 0xC3, 0x28, 0x22]) }
    #expect(fault?.message == "the string is not valid UTF-8")
  }

  @Test func refuses_whatIsNestedTooDeep() {
    #expect((try? JSONReader.read(nested(32))) != nil)
    #expect(throws: JSONFault.self) { try JSONReader.read(nested(33)) }
    #expect(throws: JSONFault.self) { try JSONReader.read(nested(100_000)) }
  }

  private func nested(_ depth: Int) -> [UInt8] {
    Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
  }

  @Test func saysLineAndColumn() {
    let fault = #expect(throws: JSONFault.self) { try JSONReader.read(Array("{\n\"a\": 1,\n  b\n}".utf8)) }
    #expect(fault?.line == 3)
    #expect(fault?.column == 3)
  }
}
