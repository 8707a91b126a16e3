import RegularExpressions
import Testing

@Suite struct RegularExpressionTests {
  private func found(_ pattern: String, _ text: String) throws -> [String] {
    let expression = try RegularExpression(pattern)
    let bytes = Array(text.utf8)
    return try bytes.withUnsafeBufferPointer { buffer in
      try expression.matches(in: buffer).map { String(decoding: bytes[$0], as: UTF8.self) }
    }
  }

  @Test func findsMatchesFromLeftToRight() throws {
    #expect(try found("[0-9]+", "a 12 b 345") == ["12", "345"])
    #expect(try found("x*", "axxb") == ["xx"])
    #expect(try found("(?i)ß|ü", "Grüße, ÜBER") == ["ü", "ß", "Ü"])
    #expect(try found("a", "") == [])
  }

  @Test func knowsUnicodesWordsAndNeverCutsACharacter() throws {
    #expect(try found(#"\b\w+\b"#, "über naïve") == ["über", "naïve"])
    #expect(try found(".", "é𝄞") == ["é", "𝄞"])
    #expect(try found(#"a\Kb|$"#, "ab𝄞") == ["b"])
  }

  @Test func goesOnWhereTheMeantPartEnds() throws {
    let bytes = Array("aaaabb".utf8)
    let expression = try RegularExpression("[ab]{4}")
    let found = try bytes.withUnsafeBufferPointer { buffer in
      try expression.matches(in: buffer) { $0.lowerBound == 0 ? nil : $0.lowerBound..<($0.lowerBound + 2) }
    }
    #expect(found == [1..<3])
  }

  @Test(arguments: ["(", "[a", "a{2,1}", #"\C"#, "*a"]) func saysWhereAPatternIsMalformed(pattern: String) {
    let error = #expect(throws: RegularExpressionError.self) { try RegularExpression(pattern) }
    #expect(error?.code == .malformed)
    #expect(error?.message.contains("at byte") == true)
  }

  @Test func givesUp_whenATextIsTooCostly() throws {
    let clock = ContinuousClock()
    let start = clock.now
    let error = #expect(throws: RegularExpressionError.self) {
      try found("(a+)+$", String(repeating: "a", count: 60) + "b")
    }
    #expect(error?.code == .tooCostly)
    #expect(start.duration(to: clock.now) < .seconds(20))
    #expect(throws: RegularExpressionError.self) { try found("a", String(repeating: "a ", count: 10_001)) }
    #expect(try found("a", String(repeating: "a ", count: 10_000)).count == 10_000)
  }
}
