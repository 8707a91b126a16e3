import LocalFiles
import Testing

@Suite struct PathPatternTests {
  @Test(arguments: [
    ("*.pdf", "a.pdf", true), ("*.pdf", "x/y/a.pdf", true), ("*.pdf", "a.txt", false), ("a", "a/b", false),
    ("b", "a/b", true), ("", "", true), ("", "a", false), ("*", "a/b", true), ("a?c", "x/abc", true),
    ("a?c", "ac", false), ("a?c", "a/c", false), ("?", "🙂", true), ("x/*.pdf", "x/a.pdf", true),
    ("x/*.pdf", "x/y/a.pdf", false), ("/x/*.pdf", "x/a.pdf", true), ("/a.pdf", "a.pdf", true),
    ("/a.pdf", "x/a.pdf", false), ("x/**", "x/y/a.pdf", true), ("x/**", "xy/a.pdf", false),
    ("**/a.pdf", "a.pdf", true), ("**/a.pdf", "x/y/a.pdf", true), ("**/a.pdf", "x/ba.pdf", false),
    ("x/**/a.pdf", "x/a.pdf", true), ("x/**/a.pdf", "x/y/z/a.pdf", true), ("x/**/a.pdf", "x/ya.pdf", false),
    ("**/y/**", "x/y/a.pdf", true), ("**/y/**", "x/yy/a.pdf", false), ("x/*/a.pdf", "x/a.pdf", false),
    ("*.PDF", "a.pdf", false), ("[a].pdf", "[a].pdf", true), ("[a].pdf", "a.pdf", false),
    ("Gr\u{F6}\u{DF}e.pdf", "Gro\u{308}\u{DF}e.pdf", true),
  ])
  func matches(_ pattern: String, _ path: String, _ expected: Bool) {
    #expect(PathPattern(pattern).matches(path) == expected)
  }

  @Test(.timeLimit(.minutes(5))) func takesTimeByLength_notByStars() {
    let pattern = PathPattern(String(repeating: "*a", count: 200) + "b/x")
    #expect(!pattern.matches(String(repeating: "a", count: 2000)))
  }
}
