import Spelling
import Testing

@Suite struct NearestWordTests {
  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("serch", "search", 1), ("ab", "ba", 1), ("kitten", "sitting", 3),
    ("ca", "abc", 3), ("teh", "the", 1), ("straße", "strasse", 2),
  ])
  func editDistance_countsEdits(first: String, second: String, expected: Int) {
    #expect(editDistance(first, second) == expected)
    #expect(editDistance(second, first) == expected)
  }

  @Test func namesTheNearestWord() {
    #expect(nearestWord(to: "serch", in: ["ask", "serve", "search"]) == "search")
    #expect(nearestWord(to: "topk", in: ["kind", "topK"]) == "topK")
    #expect(nearestWord(to: "top_k", in: ["kind", "topK"]) == "topK")
    #expect(nearestWord(to: "comp", in: ["config", "completion"]) == "completion")
  }

  @Test func namesNothing_whenNoWordIsNear() {
    #expect(nearestWord(to: "elephant", in: ["ask", "serve", "search"]) == nil)
    #expect(nearestWord(to: "x", in: ["k", "q"]) == nil)
    #expect(nearestWord(to: "", in: ["a"]) == nil)
    #expect(nearestWord(to: "ask", in: []) == nil)
  }
}
