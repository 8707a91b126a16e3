import Core
import LocalModels
import Testing

@Suite(Fixture.needsModel)
struct WordPieceTokenizerTests {
  private let tokenizer: WordPieceTokenizer

  init() throws {
    let file = try MappedFile(name: "vocab.txt", directory: Fixture.modelFiles.directory)
    tokenizer = try WordPieceTokenizer(vocabulary: file.bytes.bindMemory(to: UInt8.self))
  }

  private func ids(_ text: String) -> [Int32] {
    Array(tokenizer.encode(text, limit: .max).dropFirst().dropLast())
  }

  @Test func equalsTheReference_onTheSampleOfManyScripts() throws {
    let texts = try Fixture.texts()
    let expected = try Fixture.ids()
    #expect(texts.count == expected.count)
    #expect(texts.reduce(0) { $0 + $1.utf8.count } >= 200_000)
    let different = zip(texts, expected).filter { ids($0) != $1 }.map(\.0)
    #expect(different.isEmpty, "\(different.count) lines, the first: \(different.first?.debugDescription ?? "")")
  }

  @Test func equalsTheReference_onEveryUnicodeScalar() throws {
    let digests = try Fixture.data("scalars.digests").withUnsafeBytes { bytes in
      (0..<bytes.count / 8).map {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
      }
    }
    #expect(digests.count == 0x110000 / 4096)
    for (block, expected) in digests.enumerated() {
      var text = String.UnicodeScalarView()
      for value in UInt32(block * 4096)..<UInt32((block + 1) * 4096) {
        guard let scalar = Unicode.Scalar(value) else { continue }
        text.append("a")
        text.append(scalar)
        text.append("b")
        text.append(" ")
        text.append(scalar)
        text.append(" ")
      }
      // FNV-1a over whole ids, as the generator computes it.
      let digest = ids(String(text)).reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
        ($0 ^ UInt64($1)) &* 0x100_0000_01b3
      }
      #expect(digest == expected, "scalars \(block * 4096) to \((block + 1) * 4096 - 1)")
    }
  }

  @Test func keepsALiteralSeparatorAsText() {
    let encoded = tokenizer.encode("a [SEP] b", limit: 256)
    #expect(encoded.filter { $0 == 102 }.count == 1)
    #expect(encoded.last == 102)
  }

  @Test func sortsMarksByCombiningClass_unlessAStarterThatVanishesStandsBetween() {
    #expect(ids("\u{1d16d}\u{1d165}") == ids("\u{1d165}\u{1d16d}"))
    let table = WordPieceTable()
    #expect(table[0x1d165].kind == .mark)
    #expect(table[0x1d165].value < table[0x1d16d].value)
    #expect(table[0x34f].kind == .droppedStarter)
    #expect(table[0x301].kind == .dropped)
  }

  @Test func cutsToTheLimit_specialTokensIncluded() {
    let text = String(repeating: "water gate ", count: 400)
    let encoded = tokenizer.encode(text, limit: 256)
    #expect(encoded.count == 256)
    #expect(encoded.first == 101)
    #expect(encoded.last == 102)
    #expect(tokenizer.count(text) == 800)
    // A word of several pieces at the edge is cut inside, as the reference does.
    #expect(tokenizer.encode("unbelievableness", limit: 3).count == 3)
  }

  @Test func givesOnlySpecialTokens_whenTextIsEmpty() {
    #expect(tokenizer.encode("", limit: 256) == [101, 102])
    #expect(tokenizer.encode(" \n\t\u{200b}", limit: 256) == [101, 102])
    #expect(tokenizer.count("") == 0)
  }

  @Test func rejectsAVocabulary_whenItHasNoSpecialTokens() {
    let bytes = Array("water\n##gate\n".utf8)
    let error = #expect(throws: LocalModelsError.self) {
      try bytes.withUnsafeBufferPointer { _ = try WordPieceTokenizer(vocabulary: $0) }
    }
    #expect(error?.code == "model.unreadable")
  }
}
