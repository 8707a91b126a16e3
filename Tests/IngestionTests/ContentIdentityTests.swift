import Core
import Ingestion
import Testing

/// Expected values come from Python: `hashlib.sha256(b"".join(struct.pack(">Q", len(f)) + f for f in fields))`,
/// cut to 16 bytes for ids.
@Suite struct ContentIdentityTests {
  @Test func documentIDHashesCollectionFirstURIAndGeneration() {
    let plain = DocumentID(
      collection: .default, firstURI: SourceURI(rawValue: "file:///library/manual.pdf"), generation: 0)
    #expect(plain.rawValue == "7e58de7112c8eb82d8ddff9d25c81fd2")
    let other = DocumentID(
      collection: CollectionName(rawValue: "berichte"),
      firstURI: SourceURI(rawValue: "file:///bücher/Übersicht 😀.pdf"), generation: 2)
    #expect(other.rawValue == "21d0e3a3f75e58a05a7af3c032707139")
  }

  @Test func chunkIDHashesDocumentVersionPipelineAndOrdinal() {
    let id = ChunkID(
      document: DocumentID(rawValue: "7e58de7112c8eb82d8ddff9d25c81fd2"),
      version: ContentVersion(rawValue: String(repeating: "ab", count: 32)),
      pipeline: PipelineVersion(rawValue: "poppler-1/hygiene-1/chunks-1"), ordinal: 7)
    #expect(id.rawValue == "ea3b387384b63c09f0d84bef7c0dee26")
  }

  @Test func textHashIsThePlainDigestOfTheText() {
    #expect(
      TextHash(of: "Straße – 10²").rawValue == "6ac5f49f1a180bf17a0453a2707ceedd32efe1c0105ee5b5376ff0c7ef592d1b")
  }

  @Test func fieldsCannotRunIntoEachOther() {
    func id(_ collection: String, _ uri: String) -> DocumentID {
      DocumentID(
        collection: CollectionName(rawValue: collection), firstURI: SourceURI(rawValue: uri), generation: 0)
    }
    #expect(id("ab", "c") != id("a", "bc"))
  }
}
