import Core
import FoundationEssentials
import Testing

@Suite struct IdentifiersTests {
  @Test(arguments: ["a", "default", "0", "law-2024_x.y", String(repeating: "a", count: 64)])
  func takesCollectionNames(_ name: String) { #expect(CollectionName.isValid(name)) }

  @Test(arguments: ["", "-a", ".a", "_a", "Law", "a b", "a/b", "ä", "a\n", "a\u{0}", String(repeating: "a", count: 65)])
  func refusesCollectionNames(_ name: String) { #expect(!CollectionName.isValid(name)) }

  @Test(arguments: ["a", "A-b_c.d:9", "-", String(repeating: "x", count: 128)])
  func takesConversationIDs(_ id: String) { #expect(ConversationID.isValid(id)) }

  @Test(arguments: ["", "a b", "a/b", "é", "a\n", String(repeating: "x", count: 129)])
  func refusesConversationIDs(_ id: String) { #expect(!ConversationID.isValid(id)) }

  @Test func readsPathAndName_ofURIs() {
    let file = SourceURI(filePath: "/a b/100%.pdf")
    #expect(file.rawValue == "file:///a b/100%.pdf")
    #expect(file.filePath == "/a b/100%.pdf" && file.name == "100%.pdf")
    let object = SourceURI(rawValue: "s3://bucket/key/x.pdf")
    #expect(object.filePath == nil && object.name == "x.pdf")
    #expect(SourceURI(rawValue: "upload://default/x.pdf").name == "x.pdf")
  }

  @Test func tellsComposedFromDecomposedNames() {
    let composed = SourceURI(filePath: "/\u{E9}.pdf")
    let decomposed = SourceURI(filePath: "/e\u{301}.pdf")
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed]).count == 2)
    #expect([composed: 1, decomposed: 2][composed] == 1)
    #expect((composed < decomposed) != (decomposed < composed))
    // U+FF61 sorts before U+1F600, though its UTF-16 is higher.
    #expect(SourceURI(rawValue: "\u{FF61}") < SourceURI(rawValue: "\u{1F600}"))
  }

  @Test func isOneJSONString() throws {
    let json = try JSONEncoder().encode([DocumentID(rawValue: "a")])
    #expect(String(decoding: json, as: UTF8.self) == "[\"a\"]")
    #expect(try JSONDecoder().decode([DocumentID].self, from: json) == [DocumentID(rawValue: "a")])
  }
}

@Suite struct TimeOrderedIDTests {
  @Test func isAVersion7UUID_inLowerCase() throws {
    for milliseconds in [0, 1, 1_767_323_045_123, 0xFFFF_FFFF_FFFF] {
      let id = TimeOrderedID.make(now: Date(timeIntervalSince1970: Double(milliseconds) / 1000))
      let uuid = try #require(UUID(uuidString: id)).uuid
      #expect(id == id.lowercased() && id.count == 36)
      #expect(uuid.6 >> 4 == 7 && uuid.8 >> 6 == 2)
      let time = [uuid.0, uuid.1, uuid.2, uuid.3, uuid.4, uuid.5].reduce(0) { $0 << 8 | Int($1) }
      #expect(abs(time - milliseconds) <= 1)
    }
  }

  @Test func sortsByTime_andIsUnique() {
    let ids = (0..<1000).map { TimeOrderedID.make(now: Date(timeIntervalSince1970: 1e9 + Double($0) / 500)) }
    #expect(ids == ids.sorted())
    let now = Date(timeIntervalSince1970: 1e9)
    #expect(Set((0..<1000).map { _ in TimeOrderedID.make(now: now) }).count == 1000)
  }

  @Test(arguments: [-1, -.infinity, .infinity, .nan, 1e300])
  func isAUUID_whateverTheClockSays(_ seconds: Double) {
    #expect(UUID(uuidString: TimeOrderedID.make(now: Date(timeIntervalSince1970: seconds))) != nil)
  }
}

@Suite struct EmbeddingTests {
  @Test func normalises_keepingTheFormerLength() throws {
    let embedding = try #require(Embedding(normalising: [3, -4]))
    #expect(embedding.vector == [0.6, -0.8] && embedding.norm == 5)
    for scale in [1e-20, 1, 1e20] as [Float] {
      let vector = (1...384).map { Float($0).squareRoot() * scale }
      let unit = try #require(Embedding(normalising: vector)).vector
      let length = unit.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(length - 1) < 1e-6)
    }
  }

  @Test(arguments: [[], [0, 0], [.nan, 1], [.infinity, 1], [-.infinity]] as [[Float]])
  func refusesVectorsWithoutDirection(_ vector: [Float]) { #expect(Embedding(normalising: vector) == nil) }

  @Test func measuresTheCosine() throws {
    let a = try #require(Embedding(normalising: [1, 1]))
    let b = try #require(Embedding(normalising: [-2, -2]))
    let c = try #require(Embedding(normalising: [1, -1]))
    #expect(abs(a.cosine(to: a) - 1) < 1e-6)
    #expect(abs(a.cosine(to: b) + 1) < 1e-6)
    #expect(abs(a.cosine(to: c)) < 1e-6)
  }

  @Test func tellsIdentitiesApart_byEveryField() {
    let base = EmbeddingIdentity(
      model: "m", revision: "r", dimension: 3, pooling: "mean", truncation: "t", numericScheme: "fp32")
    var others = Array(repeating: base, count: 9)
    others[0].model = "x"
    others[1].revision = "x"
    others[2].dimension = 4
    others[3].pooling = "cls"
    others[4].normalisation = "none"
    others[5].documentPrefix = "x"
    others[6].queryPrefix = "x"
    others[7].truncation = "x"
    others[8].numericScheme = "int8"
    #expect(Set(others.map(\.canonical) + [base.canonical]).count == 10)
    // Text that moves over a separator must not give the same line.
    var left = base
    var right = base
    (left.documentPrefix, left.queryPrefix) = ("a|", "b")
    (right.documentPrefix, right.queryPrefix) = ("a", "|b")
    #expect(left.canonical != right.canonical)
    (left.documentPrefix, left.queryPrefix) = ("a\\", "b")
    (right.documentPrefix, right.queryPrefix) = ("a", "\\b")
    #expect(left.canonical != right.canonical)
    (left.documentPrefix, left.queryPrefix) = ("a\n", "")
    (right.documentPrefix, right.queryPrefix) = ("a", "\n")
    #expect(left.canonical != right.canonical)
  }
}
