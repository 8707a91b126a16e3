import Core
import Testing

@Suite struct ScriptTests {
  @Test(
    arguments: [
      ("aZéßøﬁＡ", .latin), ("жЯѢ", .cyrillic), ("αΩᾶ", .greek), ("عربي", .arabic), ("שלום", .hebrew),
      ("漢字々〇", .han), ("ひらカタｱー", .kana), ("한글ㄱ", .hangul), ("ไทย", .southEastAsian), ("ລາວ", .southEastAsian),
      ("ខ្មែ", .southEastAsian), ("မြန်", .southEastAsian), ("हिन्दी", .indic), ("தமிழ்", .indic), ("ქართ", .other),
      ("Հայ", .other), ("አማ", .other),
    ] as [(String, Script)])
  func knowsLetters(_ text: String, _ script: Script) {
    for scalar in text.unicodeScalars where scalar.properties.isAlphabetic {
      #expect(Script(of: scalar) == script, "U+\(String(scalar.value, radix: 16))")
    }
  }

  @Test(arguments: Array("0٣ .,-_\n%€+×÷©🙂\u{301}\u{200B}。、".unicodeScalars))
  func givesNoScript_toDigitsPunctuationSymbolsAndMarks(_ scalar: Unicode.Scalar) {
    #expect(Script(of: scalar) == nil)
  }

  @Test func countsLetters_passingOverTheRest() {
    #expect(Script.counts(in: "Abc, жж 12 漢!") == [.latin: 3, .cyrillic: 2, .han: 1])
    #expect(Script.counts(in: "12 🙂").isEmpty)
  }

  @Test func lacksWordSpaces_exactlyWhereTrigramsAreNeeded() {
    #expect(Set(Script.allCases.filter(\.lacksWordSpaces)) == [.han, .kana, .southEastAsian])
  }
}
