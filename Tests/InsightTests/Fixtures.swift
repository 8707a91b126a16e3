import Core
import Glibc
import Insight
import QuarryTesting
import Testing

/// A file or folder that is gone after the test.
final class TemporaryFolder {
  let path: String

  init() {
    var template = Array("/tmp/quarry-insight-XXXXXX".utf8CString)
    path = template.withUnsafeMutableBufferPointer { buffer in
      mkdtemp(buffer.baseAddress!) == nil ? "" : String(cString: buffer.baseAddress!)
    }
  }

  deinit {
    for name in ["/qrels/test.tsv", "/queries.jsonl", "/corpus.jsonl", "/questions.jsonl"] { unlink(path + name) }
    rmdir(path + "/qrels")
    rmdir(path)
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    mkdir(path + "/qrels", 0o700)
    let file = try #require(fopen(path + "/" + name, "w"))
    fputs(text, file)
    fclose(file)
    return path + "/" + name
  }
}

enum Make {
  /// A passage of `document` over `pages`, at `rank`.
  static func passage(
    _ document: String, pages: [Int], rank: Int, similarity: Float = 0.5, alsoIn: [String] = [],
    text: String? = nil
  ) -> Passage {
    let page = Sample.page(pages[0], text: text ?? "\(document) \(pages) \(rank)")
    var chunk = Sample.chunk(of: page, document: Sample.document(document), ordinal: rank)
    chunk.pages = pages.map { PageRange(page: $0, range: 0..<1) }
    return Passage(
      rank: rank, chunk: chunk, document: reference(document), similarity: similarity, score: 1 / Double(rank),
      legs: [:], alsoIn: alsoIn.map(reference))
  }

  static func reference(_ name: String) -> DocumentReference {
    let document = Sample.document(name)
    return DocumentReference(
      id: document.id, name: name, uri: document.uri, version: document.version, collection: document.collection)
  }

  static func retrieval(_ passages: [Passage], confidence: Double = 0.9) -> Retrieval {
    Retrieval(
      passages: passages, legs: [.dense, .lexical], questionEmbedding: nil, embeddingIdentity: nil,
      storeVersion: StoreVersion(1), confidence: confidence)
  }

  /// An index in which these documents are, each with one page.
  static func index(_ names: [String]) async throws -> InMemoryDocumentIndex {
    let index = InMemoryDocumentIndex()
    for name in names { try await index.commit(Sample.indexed(Sample.document(name))) }
    return index
  }

  static func question(
    _ id: String, _ places: [(String, Int)], kind: String = "text", isAnswerable: Bool = true
  ) -> EvaluationQuestion {
    EvaluationQuestion(
      id: id, text: "question \(id)", kind: kind, isAnswerable: isAnswerable,
      evidence: places.map { .init(document: $0.0, page: $0.1) })
  }
}
