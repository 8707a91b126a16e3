import Core
import Testing

@Suite struct WordsTests {
  @Test(
    arguments: [
      ("", []), ("  \n.,;", []), ("The Dam, 40m high!", ["the", "dam", "40m", "high"]),
      ("don't re-enter", ["don", "t", "re", "enter"]), ("Größe ÉCOLE", ["größe", "école"]),
      ("3.14 1,000", ["3", "14", "1", "000"]), ("жара Ω", ["жара", "ω"]), ("हिन्दी", ["हिन्दी"]),
      ("漢字学", ["漢字", "字学"]), ("水", []), ("a漢字b", ["a", "漢字", "b"]), ("漢 字", []), ("한국어 말", ["한국어", "말"]),
    ] as [(String, [String])])
  func splits(_ text: String, _ words: [String]) { #expect(Words.all(of: text) == words) }

  @Test(arguments: [
    ("costs", "cost"), ("cost", "cost"), ("policies", "policy"), ("classes", "class"), ("glass", "glass"),
    ("status", "status"), ("analysis", "analysis"), ("running", "run"), ("stopped", "stop"), ("falling", "fall"),
    ("passed", "pass"), ("making", "mak"), ("make", "mak"), ("makes", "mak"), ("ring", "ring"), ("red", "red"),
    ("the", "the"), ("größen", "größen"), ("2020s", "2020s"),
  ])
  func stems(_ word: String, _ stem: String) { #expect(Words.stem(word) == stem) }

  @Test(arguments: [
    ("policy", "policies"), ("store", "stored"), ("store", "storing"), ("plan", "planned"), ("box", "box"),
  ])
  func stemsFormsOfOneWordAlike(_ a: String, _ b: String) { #expect(Words.stem(a) == Words.stem(b)) }

  @Test func leavesOutStopWords_ofFourLanguages() {
    #expect(Words.content(of: "How high is the dam?") == ["high", "dam"])
    #expect(Words.content(of: "Wie hoch ist die Mauer?") == ["hoch", "mauer"])
    #expect(Words.content(of: "¿Cuál es el nivel?") == ["nivel"])
    #expect(Words.content(of: "Quelle est la hauteur?") == ["hauteur"])
    #expect(Words.isStopWord("the") && Words.isStopWord("für") && !Words.isStopWord("dam"))
  }
}
