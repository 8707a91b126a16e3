import Core
import PDFReading
import Testing

@Suite struct RecognizedTableTests {
  private static let header =
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
  private static let page = "1\t1\t0\t0\t0\t0\t0\t0\t200\t100\t-1\t\n"

  private func table(_ text: String) throws -> RecognizedTable { try RecognizedTable(Array(text.utf8)) }

  @Test func wordsHaveTheirPlaceInPartsOfTheImage() throws {
    let words = try table(
      Self.header + Self.page + """
        4\t1\t1\t1\t1\t0\t20\t10\t60\t10\t-1\t
        5\t1\t1\t1\t1\t1\t20\t10\t40\t10\t95.5\tWeir
        5\t1\t1\t1\t1\t2\t70\t10\t10\t10\t-1\tnone
        5\t1\t1\t1\t2\t1\t20\t30\t10\t10\t40\té
        5\t1\t1\t2\t1\t1\t20\t50\t10\t10\t120\tx\r
        5\t1\t2\t1\t1\t1\t20\t50\t10\t10\t50\t \n
        """
    ).words
    #expect(words.map(\.text) == ["Weir", "é", "x"])
    #expect(words[0].box == Box(left: 0.1, top: 0.1, right: 0.3, bottom: 0.2))
    #expect(words.map(\.confidence) == [0.955, 0.4, 1])
    #expect(words.map(\.line) == [0, 1, 2])
    #expect(words.map(\.paragraph) == [0, 0, 1])
  }

  @Test func aBlankImageHasNoWords() throws { #expect(try table(Self.header + Self.page).words.isEmpty) }

  @Test(arguments: [
    "", "<html>", "level\tpage\n", header + "5\t1\t1\t1\t1\t1\t20\t10\t40\t10\t95.5\tno page\n",
    header + page + page, header + "1\t1\t0\t0\t0\t0\t0\t0\t0\t100\t-1\t\n", header + page + "5\t1\t1\n",
    header + page + "5\t1\t1\t1\t1\t1\tnan\t10\t40\t10\t95\ta\n",
    header + page + "5\t1\t1\t1\t1\t1\t1e30\t10\t40\t10\t95\ta\n",
    header + page + "x\t1\t1\t1\t1\t1\t1\t1\t4\t1\t9\ta\n",
  ])
  func anythingElseIsRefused(_ output: String) {
    #expect(throws: RecognizedTable.Malformed.self) { try table(output) }
  }
}
