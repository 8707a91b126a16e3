import Core
import Testing

@Suite struct SentenceSplitterTests {
  private func sentences(_ text: String) -> [String] {
    let scalars = Array(text.unicodeScalars)
    return SentenceSplitter().sentences(of: scalars, in: 0..<scalars.count).map { range in
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[range])
      return String(view)
    }
  }

  @Test(arguments: [
    ["One. Two! Three? Four"], ["Really?! Yes."], ["He said \"Stop.\" She did."], ["(It ended.) It began."],
    ["It costs 3.5 million. The rest is 0.2 percent."], ["See Fig. 3 for J. Smith of the U.S. Army."],
    ["Dr. Weber met Mr. Jones at 5 p.m. on Monday."], ["The court, cf. Smith v. Jones, agreed. It ruled."],
    ["See no. 5 and vol. 2. They differ."], ["I said no. He left."], ["Use tools, e.g. Make, i.e. The usual."],
    ["1. First item of the list."], ["It was built in 1998. It fell."], ["end of text… and on. Then"],
    ["version 1.2.3 is out. Get it."], ["lower case follows. so no break"], ["¿Cuándo? ¡Ahora!"],
    ["Das kostet ca. 5 Euro, d.h. Wenig. Ende."], ["هل هذا؟ نعم."], ["यह है। वह भी।"],
  ])
  func losesNothingButWhiteSpaceBetween(_ texts: [String]) {
    for text in texts {
      #expect(sentences(text).joined().filter { !$0.isWhitespace } == text.filter { !$0.isWhitespace })
      #expect(sentences(text).allSatisfy { $0.first?.isWhitespace == false && $0.last?.isWhitespace == false })
    }
  }

  @Test(
    arguments: [
      ("", []), (" \n ", []), ("One", ["One"]), ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
      ("Really?! Yes.", ["Really?!", "Yes."]), ("He said \"Stop.\" She did.", ["He said \"Stop.\"", "She did."]),
      ("(It ended.) It began.", ["(It ended.)", "It began."]),
      ("It costs 3.5 million. The rest.", ["It costs 3.5 million.", "The rest."]),
      ("See Fig. 3 for J. Smith of the U.S. Army.", ["See Fig. 3 for J. Smith of the U.S. Army."]),
      ("Dr. Weber met Mr. Jones.", ["Dr. Weber met Mr. Jones."]),
      ("The court, cf. Smith v. Jones, agreed. It ruled.", ["The court, cf. Smith v. Jones, agreed.", "It ruled."]),
      ("See no. 5. I said no. He left.", ["See no. 5.", "I said no.", "He left."]),
      ("1. First item. Second.", ["1. First item.", "Second."]),
      ("Built in 1998. It fell.", ["Built in 1998.", "It fell."]),
      ("lower case follows. so no break", ["lower case follows. so no break"]),
      ("一つ。二つ！三つ", ["一つ。", "二つ！", "三つ"]), ("「はい。」次。", ["「はい。」", "次。"]),
      ("यह है। वह भी।", ["यह है।", "वह भी।"]), ("One.\n\n  Two.", ["One.", "Two."]),
      ("He left... Then it rained.", ["He left...", "Then it rained."]), ("...", ["..."]),
    ] as [(String, [String])])
  func finds(_ text: String, _ expected: [String]) { #expect(sentences(text) == expected) }

  @Test func looksOnlyInsideTheRange() {
    let scalars = Array("One. Two. Three.".unicodeScalars)
    #expect(SentenceSplitter().sentences(of: scalars, in: 5..<12) == [5..<9, 10..<12])
    #expect(SentenceSplitter().sentences(of: scalars, in: 4..<4) == [])
    #expect(SentenceSplitter().sentences(of: scalars, in: 4..<5) == [])
  }
}
